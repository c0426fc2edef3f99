Feature: What the window of thirty-six months holds
  A member sees three years back from the day they ask for. Nothing older is deleted; it is shown when it is asked for.

  Scenario Outline: By the day of service
    Given a claim that was served on <served>
    When the member's history is asked for as of <as of>
    Then the claim is <shown>

    Examples:
      | what                                  | served     | as of      | shown     |
      | today's service                       | 2026-03-31 | 2026-03-31 | shown     |
      | the day after it                      | 2026-04-01 | 2026-03-31 | not shown |
      | the same day three years before       | 2023-03-31 | 2026-03-31 | shown     |
      | the day before that                   | 2023-03-30 | 2026-03-31 | not shown |
      | asked on a leap day: the month's last | 2021-02-28 | 2024-02-29 | shown     |
      | asked on a leap day: the day before   | 2021-02-27 | 2024-02-29 | not shown |

  Scenario: A claim without a day of service is always shown
    Given a claim without a day of service
    When the member's history is asked for as of 2026-03-31
    Then the claim is shown

  Scenario: What is older is there when it is asked for
    Given a claim that was served on 2019-05-05
    When the member's whole history is asked for
    Then the claim is shown

  Scenario: As known then is another question than as of then
    Given a claim that was served on 2026-02-02
    And its payment has been reversed since
    When the member's history is asked for as it was known before the reversal
    Then the claim is shown as paid
    When the member's history is asked for as of 2026-03-31
    Then the claim is shown as reversed
