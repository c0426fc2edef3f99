Feature: When a payment posts
  A payment posts within 1 to 3 business days of banks. Those are the Federal Reserve's, which keeps a holiday that falls
  on a Sunday on Monday, but none that falls on a Saturday on Friday.

  Scenario Outline: By when it should post
    When a member pays 100.00 on <day>
    Then it should post by <last>

    Examples:
      | day        | last       | because                                                          |
      | 2026-06-01 | 2026-06-04 | nothing comes between                                            |
      | 2026-06-04 | 2026-06-09 | a weekend does                                                   |
      | 2026-06-06 | 2026-06-10 | from a Saturday days are counted from Monday                     |
      | 2026-07-02 | 2026-07-07 | on 3 July the federal government is closed, but banks post       |
      | 2027-07-02 | 2027-07-08 | 4 July is a Sunday, so banks are closed on Monday                |
      | 2026-11-25 | 2026-12-01 | Thanksgiving                                                     |
      | 2026-12-31 | 2027-01-06 | New Year's Day                                                   |

  Scenario Outline: What is late
    Given a member pays 100.00 on 2026-07-02
    When the processor says that it <said>
    Then on 2026-07-08 it is <status>, and <late>

    Examples:
      | said                   | status     | late     |
      | is authorised          | authorised | late     |
      | posted on 2026-07-07   | posted     | not late |
      | posted on 2026-07-08   | posted     | late     |
      | failed                 | failed     | not late |

  Scenario: What goes back is collected no more, whatever comes first
    When the processor says that it was returned on 2026-07-08
    And the processor says that it posted on 2026-07-06
    Then on 2026-07-09 it is returned, with 0.00 collected
