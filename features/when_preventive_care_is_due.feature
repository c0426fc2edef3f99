Feature: When preventive care is due
  What is recommended at which age stands in a dated table. It is due until a claim shows that it was done, and due again when
  that no longer counts. What no claim shows the ledger does not know.

  Background:
    Given Ada, born on 1975-01-01, and her spouse Ben

  Scenario: It is due from the day on which it is recommended at that age, which changed from 50 to 45
    Then on 2021-05-17 colorectal screening is not yet recommended for Ada
    And on 2021-05-18 colorectal screening is due for Ada since 2021-05-18
    And on 2050-12-31 colorectal screening is due for Ada since 2021-05-18
    And on 2051-01-01 colorectal screening is no longer recommended for Ada

  Scenario: A claim shows that it was done
    When a claim shows a colonoscopy of Ada's on 2026-03-10
    Then on 2026-03-09 colorectal screening is due for Ada since 2021-05-18
    And on 2036-03-09 colorectal screening is done for Ada until 2036-03-09
    And on 2036-03-10 colorectal screening is due for Ada since 2036-03-10

  Scenario: Of two ways the one that lasts longer counts
    When a claim shows a stool test of Ada's on 2026-04-01
    And a claim shows a colonoscopy of Ada's on 2026-03-10
    Then on 2026-06-01 colorectal screening is done for Ada until 2036-03-09

  Scenario: A claim that was voided shows nothing
    When a claim shows a colonoscopy of Ada's on 2026-03-10
    And the claim of a colonoscopy on 2026-03-10 of Ada's is voided
    Then on 2026-06-01 colorectal screening is due for Ada since 2021-05-18
