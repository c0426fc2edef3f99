Feature: How a lockout ends
  Five wrong passwords lock an account for a quarter of an hour. A lockout always ends with an event that says by what: its
  time ran out, the member followed a link, or an agent ended it. Nobody can lock a member out on their own phone.

  Background:
    Given Ada has signed in on her phone before
    And the account is locked for 15 minutes after 5 failures

  Scenario: Its time runs out
    When a stranger gives 5 wrong passwords from 12:00 to 12:04
    Then a stranger is locked out until 12:19
    And at 12:18 a stranger with the right password is refused
    And at 12:19 a stranger with the right password signs in
    And the lockout ended at 12:19 because its time ran out

  Scenario: Nobody tries again
    When a stranger gives 5 wrong passwords from 12:00 to 12:04
    And the ledger looks at 13:00 for lockouts whose time is over
    Then the lockout ended at 12:19 because its time ran out

  Scenario: An attempt during a lockout does not lengthen it
    When a stranger gives 5 wrong passwords from 12:00 to 12:04
    And a stranger gives 5 wrong passwords from 12:10 to 12:14
    Then a stranger is locked out until 12:19

  Scenario: The member follows a link
    When a stranger gives 5 wrong passwords from 12:00 to 12:04
    And Ada follows the link at 12:06
    Then at 12:07 a stranger with the right password signs in
    And the lockout ended at 12:06 because of a link

  Scenario: An agent ends it
    When a stranger gives 5 wrong passwords from 12:00 to 12:04
    And an agent unlocks the account at 12:10
    Then the lockout ended at 12:10 because of an agent

  Scenario: Strangers do not lock out the member's phone
    When a stranger gives 5 wrong passwords from 12:00 to 12:04
    Then at 12:05 Ada signs in on her phone

  Scenario: The member's own failures lock her phone alone
    When Ada gives 5 wrong passwords on her phone from 12:00 to 12:04
    Then Ada is locked out on her phone until 12:19
    And at 12:05 a stranger with the right password signs in

  Scenario: A success between failures
    When Ada gives 4 wrong passwords on her phone from 12:00 to 12:03
    And Ada signs in on her phone at 12:04
    And Ada gives 4 wrong passwords on her phone from 12:05 to 12:08
    Then nobody is locked out

  Scenario: Unknown user names lock nobody
    When a stranger gives 20 unknown user names from 12:00 to 12:19
    Then nobody is locked out
