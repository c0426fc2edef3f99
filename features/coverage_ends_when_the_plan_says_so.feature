Feature: Coverage ends when the plan says so
  A premium that is not paid by its day has days of grace, in which coverage goes on. When they are over nothing ends by
  itself: the plan says that coverage lapsed, and may say that it goes on after all. What is open follows from invoices and
  payments, in whatever order they are told.

  Background:
    Given a premium of 300.00 for April, due on 2026-04-01, with 90 days of grace

  Scenario: An invoice is paid
    When 300.00 are paid on 2026-03-28
    Then on 2026-04-02 the contract is paid up, and 0.00 are open

  Scenario: Grace begins on the day after the premium was due
    Then on 2026-04-01 the contract is due, and 300.00 are open
    And on 2026-04-02 the contract is in grace, and 300.00 are open
    And grace ends on 2026-06-30

  Scenario: When grace is over the premium is past due, and coverage has not ended yet
    Then on 2026-07-01 the contract is past due, and 300.00 are open

  Scenario: The plan says that coverage lapsed
    When the plan says on 2026-07-02 that coverage lapsed
    Then on 2026-07-01 the contract is past due, and 300.00 are open
    And on 2026-07-02 the contract is lapsed, and 300.00 are open

  Scenario: Coverage is reinstated
    When the plan says on 2026-07-10 that coverage is reinstated
    And 300.00 are paid on 2026-07-09
    And the plan says on 2026-07-02 that coverage lapsed
    Then on 2026-07-09 the contract is lapsed, and 0.00 are open
    And on 2026-07-10 the contract is reinstated, and 0.00 are open

  Scenario: A payment is returned
    When 300.00 are paid on 2026-04-20
    And the payment is returned on 2026-04-24
    Then on 2026-04-20 the contract is paid up, and 0.00 are open
    And on 2026-04-24 the contract is in grace, and 300.00 are open

  Scenario: The return of a payment is told before the payment
    When the payment is returned on 2026-04-24
    And 300.00 are paid on 2026-04-20
    Then on 2026-04-24 the contract is in grace, and 300.00 are open
    And 300.00 are owed by the postings
