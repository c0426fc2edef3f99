Feature: Zero paid is not a denial
  A payer may pay nothing because the member's deductible takes all of it. Members, and denial rates, need the
  difference: a denial is a reason not to cover, not a zero.

  Scenario Outline: Why nothing was paid decides
    Given a claim of 200.00 with <adjustments>
    When the remittance is taken in
    Then the claim stands as <status>, paid 0.00, member owes <owes>

    Examples:
      | what happened                          | adjustments                 | status           | owes   |
      | all of it is deductible                | PR-1 200.00                 | member liability | 200.00 |
      | deductible and contractual             | CO-45 80.00 and PR-1 120.00 | member liability | 120.00 |
      | the service is not covered             | PR-204 200.00               | denied           | 200.00 |
      | filed too late, the provider's loss    | CO-29 200.00                | denied           | 0.00   |
      | another payer has paid it              | OA-23 200.00                | nothing due      | 0.00   |
      | capitation already covers it           | CO-24 200.00                | nothing due      | 0.00   |

  Scenario: A patient whom the payer does not recognise is a denial, whatever the reasons say
    Given a claim of 200.00 with CO-45 200.00
    And its status code is 4
    When the remittance is taken in
    Then the claim stands as denied, paid 0.00, member owes 0.00
