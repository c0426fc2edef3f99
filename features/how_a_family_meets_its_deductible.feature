Feature: How a family meets its deductible
  What claims leave to the deductible adds up for each person and for the family. By a plan's design a person meets a limit of
  their own or the family's (embedded), or the family's alone (aggregate). What the payer states of it stands beside it.

  Scenario: Embedded, a person meets their own limit
    Given a plan with an embedded deductible of 1500.00 for a person and 3000.00 for the family
    When 1500.00 of a claim of Ada's go to the deductible
    And 400.00 of a claim of Benito's go to the deductible
    Then Ada has met the deductible
    And Benito has 1100.00 of it left
    And the family has 1100.00 of it left

  Scenario: Embedded, the family meets its limit for everybody
    Given a plan with an embedded deductible of 1500.00 for a person and 3000.00 for the family
    When 1500.00 of a claim of Ada's go to the deductible
    And 1100.00 of a claim of Benito's go to the deductible
    And 400.00 of a claim of Carmen's go to the deductible
    Then Benito has met the deductible
    And the family has met the deductible

  Scenario: Aggregate, nobody has a limit of their own
    Given a plan with an aggregate deductible of 1500.00 for a person and 3000.00 for the family
    When 1700.00 of a claim of Ada's go to the deductible
    Then Ada has 1300.00 of it left
    When 1300.00 of a claim of Benito's go to the deductible
    Then Ada has met the deductible
    And the family has met the deductible

  Scenario: A reversal takes back
    Given a plan with an embedded deductible of 1500.00 for a person and 3000.00 for the family
    When 1500.00 of a claim of Ada's go to the deductible
    And 400.00 of a claim of Benito's go to the deductible
    And the payer takes the claim of Benito's back
    Then Ada has met the deductible
    And the family has 1500.00 of it left
    And the payer states 1500.00 for the family, 0.00 less than its claims

  Scenario: The payer states another figure
    Given a plan with an embedded deductible of 1500.00 for a person and 3000.00 for the family
    When 600.00 of a claim of Ada's go to the deductible
    And 400.00 of a claim of Benito's go to the deductible, after which the payer states 850.00 for the family
    Then the family has 2000.00 of it left
    And the payer states 850.00 for the family, 150.00 less than its claims
