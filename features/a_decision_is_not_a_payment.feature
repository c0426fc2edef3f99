Feature: A decision is not a payment
  A payer may say what it decided before it pays. What was decided and what was paid are two figures, and money moves by
  remittances alone.

  Background:
    Given the payer has decided to pay 80.00 of a claim of 100.00

  Scenario: A decision by itself moves no money
    Then the claim is paid, with 80.00 to be paid and 0.00 moved

  Scenario: The remittance moves it
    When the remittance pays 80.00 of it
    Then the claim is paid, with 80.00 to be paid and 80.00 moved

  Scenario: A decision that is taken back before anything was paid leaves nothing
    When the payer takes the decision back
    Then the claim is reversed, with 0.00 to be paid and 0.00 moved

  Scenario: The same decision again changes nothing
    When the payer says again that it decided to pay 80.00
    Then the claim is paid, with 80.00 to be paid and 0.00 moved
    And 1 thing was said of the claim

  Scenario: Another decision under the same name is kept apart until a person looks at it
    When the payer says under the same date that it decided to pay 70.00
    Then the claim is paid, with 80.00 to be paid and 0.00 moved
    And the message is parked as claim.conflict
