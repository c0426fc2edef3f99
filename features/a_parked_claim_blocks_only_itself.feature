Feature: A parked claim blocks only itself
  What follows for a claim may depend on what is parked of it, so it waits behind it. Everything else goes on.

  Background:
    Given a claim of 200.00 with CO-45 80.00 and PR-2 24.00
    And the remittance has been taken in
    And the payer now says that the claim has CO-45 70.00 and PR-2 34.00
    And the remittance has been taken in

  Scenario: The next posting of the claim waits
    When a reversal of the claim is taken in
    Then 1 item is parked as claim.waiting
    And the claim stands as paid, paid 96.00, member owes 24.00

  Scenario: Another claim goes on
    When a remittance with another claim of 50.00 with CO-45 10.00 is taken in
    Then the other claim stands as paid, paid 40.00, member owes 0.00

  Scenario: Giving the parked item up lets the waiting one through
    Given a reversal of the claim has been taken in
    When the item parked as claim.conflict is discarded by "j.moreau" because "the payer withdrew it"
    Then nothing is parked
    And the claim stands as reversed, paid 0.00, member owes 0.00
