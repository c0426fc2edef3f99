Feature: A remittance counts once
  Payers and clearing houses send the same remittance again: in another envelope, in another file, over another way.
  Money must not move twice.

  Background:
    Given a claim of 200.00 with CO-45 80.00 and PR-2 24.00
    And the remittance has been taken in

  Scenario: The same remittance again, in a new envelope
    When the remittance is taken in once more in a new envelope
    Then nothing is recorded
    And 1 claim is counted as a duplicate

  Scenario: The same payment with other amounts is a matter for a person
    Given the payer now says that the claim has CO-45 70.00 and PR-2 34.00
    When the remittance is taken in
    Then 1 item is parked as claim.conflict
    And the claim stands as paid, paid 96.00, member owes 24.00
