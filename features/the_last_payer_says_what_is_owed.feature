Feature: The last payer says what is owed
  Several payers may pay for one bill, each by a claim of its own. What the last of them leaves to the member is owed, not
  the sum of what each leaves.

  Background:
    Given the first payer pays 300.00 of a bill of 500.00 and leaves 200.00 to the member

  Scenario: One payer
    Then the member owes 200.00 of the bill, of which plans paid 300.00

  Scenario: A second payer pays of what the first one left
    When the second payer pays 150.00 and leaves 50.00 to the member
    Then the member owes 50.00 of the bill, of which plans paid 450.00

  Scenario: The second payer takes its payment back
    When the second payer pays 150.00 and leaves 50.00 to the member
    And the second payer takes it back
    Then the member owes 200.00 of the bill, of which plans paid 300.00

  Scenario: The first payer takes its payment back
    When the first payer takes it back
    Then the member owes 0.00 of the bill, of which plans paid 0.00
    And every entry is undone by another one
