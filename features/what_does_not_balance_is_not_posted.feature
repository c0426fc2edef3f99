Feature: What does not balance is not posted
  A remittance states every sum three times: by line, by claim and for the whole payment. If one of them is off, no one
  can tell which amount is wrong, so none of its claims is posted, and a person looks at it.

  Scenario Outline: One amount is off by a cent
    Given a claim of 200.00 with CO-45 80.00 and PR-2 24.00
    And another claim of 50.00 with CO-45 10.00
    And the <amount> is stated a cent too high
    When the remittance is taken in
    Then 1 item is parked as <reason>
    And no claim is known

    Examples:
      | amount               | reason                 |
      | payment of a line    | line.unbalanced        |
      | payment of a claim   | claim.unbalanced       |
      | total of the payment | transaction.unbalanced |
