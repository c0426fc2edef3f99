Feature: What a spouse may see
  To share a member id is not to share what stands under it. A spouse sees of the other what that one allows, as long as they
  allow it. Services that are sensitive show to nobody else, and leave no trace: no row, no count, no sum.

  Background:
    Given Ada, born on 1980-01-01, and her spouse Ben
    And a claim of Ada's for an office visit, and one for psychotherapy

  Scenario: Nothing was said
    Then on 2026-06-01 Ben sees 0 claims of Ada's

  Scenario: Everything is allowed, and the sensitive service does not show
    When Ada allows Ben on 2026-03-02 to see claims, money, coverage, care
    Then on 2026-06-01 Ben sees 1 claim of Ada's
    And on 2026-06-01 Ada sees 2 claims of Ada's

  Scenario: Only some of it is allowed
    When Ada allows Ben on 2026-03-02 to see money, coverage
    Then on 2026-06-01 Ben sees 0 claims of Ada's
    And on 2026-06-01 Ben may see Ada's money, by the rule consent
    And on 2026-06-01 Ben may not see Ada's care, by the rule limited

  Scenario: What was allowed is taken back
    When Ada allows Ben on 2026-03-02 to see claims
    And Ada takes it back on 2026-05-10
    Then on 2026-05-09 Ben sees 1 claim of Ada's
    And on 2026-05-10 Ben sees 0 claims of Ada's

  Scenario: That it is taken back is told before that it was allowed
    When Ada takes it back on 2026-05-10
    And Ada allows Ben on 2026-03-02 to see claims
    Then on 2026-05-09 Ben sees 1 claim of Ada's
    And on 2026-05-10 Ben sees 0 claims of Ada's

  Scenario: Confidential communications come before everything that was allowed
    When Ada allows Ben on 2026-03-02 to see claims
    And Ada asks on 2026-05-10 for confidential communications
    Then on 2026-05-09 Ben sees 1 claim of Ada's
    And on 2026-05-10 Ben sees 0 claims of Ada's

  Scenario: What one allows the other the other has not allowed
    When Ada allows Ben on 2026-03-02 to see claims
    Then on 2026-06-01 Ada may not see Ben's claims, by the rule no_consent
