Feature: When a claim shows
  A claim shows as soon as anything is said of it, whoever says it first. Members are told: 7 to 14 days after the
  service; after 21 days something is wrong.

  Scenario Outline: Whatever is said first
    When <first> comes
    Then the claim shows as <status>

    Examples:
      | first                      | status     |
      | the payer's receipt        | received   |
      | the payer's decision       | paid       |
      | the payment                | paid       |
      | the reversal of a payment  | reversed   |

  Scenario Outline: How soon after the service
    When the payment of a claim comes that was served <days> days ago
    Then it counts as <visibility>, and <alarm>

    Examples:
      | days | visibility | alarm                      |
      | 6    | early      | there is no alarm          |
      | 7    | in window  | there is no alarm          |
      | 14   | in window  | there is no alarm          |
      | 15   | late       | there is no alarm          |
      | 21   | late       | there is no alarm          |
      | 22   | late       | there is an alarm          |

  Scenario: What is parked does not show until it is released
    Given the payment of a claim that names no patient
    Then no claim shows, and 1 item is parked
