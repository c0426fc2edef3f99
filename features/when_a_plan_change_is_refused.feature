Feature: When a plan change is refused
  A member may change plans in the open enrolment of the plan that they ask for, or for 60 days after a life event that is
  proved. The moment of the request counts, on the clock of the plan. What is not granted is refused, and the member is told
  why.

  Background:
    Given a member who is enrolled in SILVER from 2026-01-01 on
    And a plan GOLD with open enrolment from 2026-03-01 to 2026-03-31, New York time

  Scenario Outline: The last minute of open enrolment counts
    When they ask at <moment> for GOLD from 2026-05-01 on
    Then the request is <outcome>

    Examples:
      | moment                    | outcome                   |
      | 2026-02-28T23:59:00-05:00 | refused as outside window |
      | 2026-03-01T00:00:00-05:00 | requested                 |
      | 2026-03-31T23:59:00-04:00 | requested                 |
      | 2026-04-01T00:00:00-04:00 | refused as outside window |
      | 2026-03-31T21:01:00-07:00 | refused as outside window |

  Scenario Outline: A life event opens sixty days, with its proof
    When they ask at <moment> for GOLD from 2026-09-01 on, because of a <event> on 2026-06-15, with <proof>
    Then the request is <outcome>

    Examples:
      | moment                    | event    | proof                | outcome                       |
      | 2026-08-14T23:59:00-04:00 | marriage | marriage certificate | requested                     |
      | 2026-08-15T00:00:00-04:00 | marriage | marriage certificate | refused as outside window     |
      | 2026-07-01T12:00:00-04:00 | marriage | birth certificate    | refused as proof missing      |
      | 2026-07-01T12:00:00-04:00 | windfall | income statement     | refused as unknown life event |

  Scenario: Whoever has no coverage on that day has none to change
    When the plan terminates their coverage after 2026-04-30
    And they ask at 2026-03-15T12:00:00-04:00 for GOLD from 2026-05-01 on
    Then the request is refused as not enrolled

  Scenario: Nobody changes twice for the same day
    When they ask at 2026-03-15T12:00:00-04:00 for GOLD from 2026-05-01 on
    And they confirm it at 2026-03-16T12:00:00-04:00
    And they ask at 2026-03-17T12:00:00-04:00 for GOLD from 2026-05-01 on
    Then the request is refused as already changed

  Scenario: A confirmed change holds from its day on
    When they ask at 2026-03-15T12:00:00-04:00 for GOLD from 2026-05-01 on
    And they confirm it at 2026-03-16T12:00:00-04:00
    Then on 2026-04-30 they are covered by SILVER
    And on 2026-05-01 they are covered by GOLD

  Scenario: A plan that nobody has heard of yet is waited for
    When they ask at 2026-03-15T12:00:00-04:00 for BRONZE from 2026-05-01 on
    Then the request waits until the plan is known

  Scenario Outline: What is confirmed can be taken back until the other plan begins, on the plan's clock
    When they ask at 2026-03-15T12:00:00-04:00 for GOLD from 2026-05-01 on
    And they confirm it at 2026-03-16T12:00:00-04:00
    And they withdraw it at <moment>
    Then on 2026-05-01 request 1 is <standing>

    Examples:
      | moment                    | standing  |
      | 2026-05-01T03:59:00+00:00 | withdrawn |
      | 2026-05-01T04:00:00+00:00 | effective |
      | 2026-04-30T23:30:00-07:00 | effective |

  Scenario: What is not confirmed in time has lapsed
    When they ask at 2026-03-15T12:00:00-04:00 for GOLD from 2026-05-01 on
    And they confirm it at 2026-05-02T00:00:00-04:00
    Then on 2026-05-01 request 1 is requested
    And on 2026-05-02 request 1 is lapsed
    And on 2026-12-31 they are covered by SILVER

  Scenario: Of two requests for one day the one holds that is confirmed last
    Given a plan BRONZE with open enrolment from 2026-03-01 to 2026-03-31, New York time
    When they ask at 2026-03-15T12:00:00-04:00 for GOLD from 2026-05-01 on
    And they ask at 2026-03-16T12:00:00-04:00 for BRONZE from 2026-05-01 on
    And they confirm request 2 at 2026-03-17T12:00:00-04:00
    And they confirm request 1 at 2026-03-18T12:00:00-04:00
    Then on 2026-05-01 request 1 is effective
    And on 2026-05-01 request 2 is replaced
    And on 2026-05-01 they are covered by GOLD
