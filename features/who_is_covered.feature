Feature: Who is covered
  Whether somebody is covered on a day follows from what the plan said of enrolment, in whatever order it is told. What was
  paid for a day that turns out not to be covered is shown; whether the plan takes its money back, it says itself.

  Background:
    Given the plan enrols ADA and BEN in SILVER from 2026-01-01 on

  Scenario: A child is born
    When the plan adds CY from 2026-03-30 on
    Then on 2026-03-29 ADA and BEN are covered
    And on 2026-03-30 ADA, BEN and CY are covered

  Scenario: Coverage ends with a day
    When the plan terminates coverage after 2026-06-30
    Then on 2026-06-30 ADA and BEN are covered
    And on 2026-07-01 nobody is covered

  Scenario: Coverage is reinstated, and the days between stay uncovered
    When the plan reinstates coverage from 2026-07-10 on
    And the plan terminated coverage before that, after 2026-06-30
    Then on 2026-07-09 nobody is covered
    And on 2026-07-10 ADA and BEN are covered

  Scenario: A termination reaches back behind what was paid
    Given 80.00 are paid for a service to ADA on 2026-02-02
    When the plan terminates coverage after 2026-01-31
    Then 80.00 are paid and not covered
    And the claim is paid as before

  Scenario: A termination was sent by mistake
    Given 80.00 are paid for a service to ADA on 2026-02-02
    When the plan terminates coverage after 2026-01-31
    And the plan takes the termination back
    Then on 2026-02-02 ADA and BEN are covered
    And 0.00 are paid and not covered

  Scenario: A new card keeps the history
    Given 80.00 are paid for a service to ADA on 2026-02-02
    When ADA gets a new number
    Then under the new number 1 claim is found

  Scenario: A new card was somebody else's
    Given 80.00 are paid for a service to ADA on 2026-02-02
    When ADA gets a new number
    And the plan says that it is not hers after all
    Then under the new number 0 claims are found
