Feature: Consent ends at 18
  Parents see a minor's claims without being allowed to, but for sensitive services. On the 18th birthday that ends, and so does
  whatever was allowed for the child by then. Adults decide anew.

  Scenario: A parent sees a minor's claims until the day before the birthday
    Given Cy, born on 2008-06-15, and Cy's parent Ada
    And a claim of Cy's for an office visit
    Then on 2026-06-14 Ada may see Cy's claims, by the rule parent_of_minor
    And on 2026-06-14 Ada sees 1 claim of Cy's
    And on 2026-06-15 Ada may not see Cy's claims, by the rule no_consent
    And on 2026-06-15 Ada sees 0 claims of Cy's

  Scenario: What was allowed for the child ends with childhood
    Given Cy, born on 2008-06-15, and Cy's parent Ada
    When on behalf of Cy it is allowed on 2026-01-10 that Ben sees claims
    Then on 2026-06-14 Ben may see Cy's claims, by the rule consent
    And on 2026-06-15 Ben may not see Cy's claims, by the rule expired_at_18

  Scenario: The adult allows it anew
    Given Cy, born on 2008-06-15, and Cy's parent Ada
    When Cy allows Ada on 2026-06-15 to see claims
    Then on 2026-06-15 Ada may see Cy's claims, by the rule consent

  Scenario: A minor's sensitive service does not show to a parent either
    Given Cy, born on 2008-06-15, and Cy's parent Ada
    And a claim of Cy's for psychotherapy
    Then on 2026-06-14 Ada sees 0 claims of Cy's
    And on 2026-06-14 Cy sees 1 claim of Cy's

  Scenario: Who was born on 29 February comes of age on 1 March
    Given Cy, born on 2008-02-29, and Cy's parent Ada
    Then on 2026-02-28 Ada may see Cy's claims, by the rule parent_of_minor
    And on 2026-03-01 Ada may not see Cy's claims, by the rule no_consent

  Scenario: Nobody knows how old the child is
    Given Cy, of whom no birth date is known, and Cy's parent Ada
    Then on 2026-06-01 Ada may not see Cy's claims, by the rule birth_date_unknown
