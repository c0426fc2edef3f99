Feature: Which plan would have been cheaper
  A member's services of twelve months are priced under every plan that their payer has, day by day, each plan by its own
  deductible, copays, coinsurance and limits. The premium is added. Beside it stands what was really owed.

  Background:
    Given a plan Bronze at 200.00 a month: 40% after a deductible of 5000.00, at most 6000.00 a year
    And a plan Silver at 450.00 a month: 20% after a deductible of 500.00, at most 2000.00 a year
    And Ada is in Silver

  Scenario: In a healthy year the lower premium wins
    When she has a scan of 1000.00 in March, and owes 600.00 of it
    Then her year costs 6000.00 under Silver and 3400.00 under Bronze
    And Bronze is cheaper: 3000.00 less premium, 400.00 more for services

  Scenario: In a hard year the lower limit wins
    When she has a stay of 30000.00 in March, and owes 2000.00 of it
    Then her year costs 7400.00 under Silver and 8400.00 under Bronze
    And Silver is cheaper: 3000.00 more premium, 4000.00 less for services

  Scenario: Under her own plan the year costs what she owed
    When she has a scan of 1000.00 in March, and owes 600.00 of it
    And she has a scan of 400.00 in May, and owes 80.00 of it
    Then the rules of Silver explain every claim
    And what she owed and what Silver makes of it is 680.00

  Scenario: A claim that was decided against the plan's rules is named
    When she has a scan of 1000.00 in March, and owes 600.00 of it
    And she has a scan of 400.00 in May, and owes 400.00 of it
    Then the rules of Silver do not explain the claim of May: 320.00 too much

  Scenario: A new plan year begins with a new deductible
    When she has a scan of 1000.00 in March, and owes 600.00 of it
    Then another scan of 1000.00 would cost her 200.00 in December
    And another scan of 1000.00 would cost her 600.00 next January
