Feature: A reversal takes a payment back
  A payer corrects itself by first reversing what it said and then saying it anew. Both stay on record.

  Background:
    Given a claim of 200.00 with CO-45 80.00 and PR-2 24.00
    And the remittance has been taken in

  Scenario: Reversed
    When a reversal of the claim is taken in
    Then the claim stands as reversed, paid 0.00, member owes 0.00
    And it has 2 postings

  Scenario: Reversed, then corrected
    Given a reversal of the claim has been taken in
    When a correction of the claim with CO-45 80.00 and PR-1 120.00 is taken in
    Then the claim stands as member liability, paid 0.00, member owes 120.00
    And it has 3 postings
