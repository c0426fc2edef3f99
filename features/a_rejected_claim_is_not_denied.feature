Feature: A rejected claim is not a denied claim
  A rejected claim was sent back because it could not be processed: nobody looked at whether it is covered. It is no
  denial, it counts in no denial rate, and there is nothing to appeal.

  Scenario: A claim that is sent back never entered adjudication
    When the payer reports that the claim is received
    And the payer reports that the claim is rejected
    Then the claim is rejected, with 0.00 to be paid and 0.00 moved
    And nothing can be appealed

  Scenario: A claim that was processed and not covered is denied
    When the payer reports that the claim is received
    And the payer decides that it does not cover the claim
    Then the claim is denied, with 0.00 to be paid and 0.00 moved
    And it can be appealed until 2026-08-29

  Scenario: The reports may come late and in any order
    When the payer decides that it does not cover the claim
    And the payer reports that the claim is accepted
    And the payer reports that the claim is received
    Then the claim is denied, with 0.00 to be paid and 0.00 moved
