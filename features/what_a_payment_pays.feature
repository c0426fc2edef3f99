Feature: What a payment pays
  A member pays what it was made for, else the oldest bill first. What is too much is the member's credit until it is applied or
  given back. Whatever takes a bill back later takes nothing of what was paid.

  Background:
    Given the member owes 15.00 of a bill of January and 20.00 of a bill of February

  Scenario: The oldest bill first
    When 25.00 are paid
    Then the member owes 0.00 of January and 10.00 of February, and has a credit of 0.00

  Scenario: What it was made for, and nothing else
    When 25.00 are paid for February
    Then the member owes 15.00 of January and 0.00 of February, and has a credit of 5.00

  Scenario: An overpayment is the member's credit
    When 40.00 are paid
    Then the member owes 0.00 of January and 0.00 of February, and has a credit of 5.00
    And the account's balance is -5.00

  Scenario: A claim that was paid is taken back
    When 35.00 are paid
    And the payer takes January back
    Then the member owes 0.00 of January and 0.00 of February, and has a credit of 15.00

  Scenario: The payer takes a claim back that was not paid
    When the payer takes January back
    Then the member owes 0.00 of January and 20.00 of February, and has a credit of 0.00

  Scenario: A credit is applied to what is owed by now
    When 15.00 are paid
    And the payer takes January back
    And credits are applied
    Then the member owes 0.00 of January and 5.00 of February, and has a credit of 0.00

  Scenario: The bank returns a payment
    When 35.00 are paid
    And the bank returns it
    Then the member owes 15.00 of January and 20.00 of February, and has a credit of 0.00

  Scenario: A dispute holds what is owed until it is decided
    When the member disputes the 20.00 of February
    Then the member owes 15.00 of January and 0.00 of February, and has a credit of 0.00
    When the dispute is decided against the member
    Then the member owes 15.00 of January and 20.00 of February, and has a credit of 0.00
