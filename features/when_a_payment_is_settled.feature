Feature: When a payment is settled
  A remittance says what was paid; it is settled when a bank booked it. Which entry belongs to it is told by rules, the surest first.

  Background:
    Given a remittance of 80.00 under trace number T1, paid on 2026-03-16

  Scenario: Nothing is booked yet
    Then it is unmatched, and 15 days old on 2026-03-31

  Scenario: The bank booked it
    When the bank books 80.00 under trace number T1 on 2026-03-17
    Then it is matched by trace_payer_amount with a difference of 0.00

  Scenario: The bank booked another amount
    When the bank books 79.00 under trace number T1 on 2026-03-17
    Then it is partly by trace_differs with a difference of -1.00

  Scenario: The bank tells no trace number
    When the bank books 80.00 without a number on 2026-03-18
    Then it is partly by payer_amount_days with a difference of 0.00

  Scenario: The bank takes the entry back
    When the bank books 80.00 under trace number T1 on 2026-03-17
    And the bank takes it back on 2026-03-19
    Then it is unmatched, and 15 days old on 2026-03-31

  Scenario: One entry settles one payment
    When the bank books 80.00 under trace number T1 on 2026-03-17
    And the bank books 80.00 under trace number T1 on 2026-03-18
    Then it is matched by trace_payer_amount with a difference of 0.00
    And one entry is left over
