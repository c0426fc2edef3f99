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
    Then it is partly by amount_differs with a difference of -1.00

  Scenario: The bank tells no trace number
    When the bank books 80.00 without a number on 2026-03-18
    Then it is partly by payer_amount_days with a difference of 0.00

  Scenario: The bank takes the entry back
    When the bank books 80.00 under trace number T1 on 2026-03-17
    And the bank takes it back on 2026-03-19
    Then it is unmatched, and 15 days old on 2026-03-31

  Scenario: The bank takes the entry back later
    When the bank books 80.00 under trace number T1 on 2026-03-17
    And the bank takes it back on 2026-04-02
    Then it is matched by trace_payer_amount with a difference of 0.00

  Scenario: Another payer under the same number
    When another payer's 80.00 is booked under trace number T1 on 2026-03-17
    Then it is partly by payer_differs with a difference of 0.00

  Scenario Outline: Three business days are near, whatever lies between
    When the bank books 80.00 without a number on <day>
    Then it is <state>

    Examples:
      | day        | state                                                    |
      | 2026-03-11 | partly by payer_amount_days with a difference of 0.00    |
      | 2026-03-10 | unmatched, and 15 days old on 2026-03-31                 |
      | 2026-03-19 | partly by payer_amount_days with a difference of 0.00    |
      | 2026-03-20 | unmatched, and 15 days old on 2026-03-31                 |

  Scenario: One entry settles one payment
    When the bank books 80.00 under trace number T1 on 2026-03-17
    And the bank books 80.00 under trace number T1 on 2026-03-18
    Then it is matched by trace_payer_amount with a difference of 0.00
    And one entry is left over
