"""Who of a family may see what of whom on a day, and why: the first of RULES that applies.

It follows from the set of all that was said of viewer and subject (domain/consent.py), in whatever order it came.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from domain.age import of_age_on
from domain.consent import Area, Kind, Relationship, Said
from domain.facts import StreamId


class Grant(NamedTuple):
    """One that was not revoked, less what it was limited to."""

    areas: frozenset[Area]
    given_on: date
    first_on: date
    last_on: date
    """Far off where it has no end. What was given for a minor, by whomever, ends with childhood: adults decide anew"""


OF_MINORS = (Relationship.PARENT, Relationship.GUARDIAN)
"""Who sees what a child's is"""


class Case(NamedTuple):
    """A question: may this viewer see that of this subject on this day?"""

    viewer: StreamId
    subject: StreamId
    area: Area
    is_sensitive: bool
    """Whether it tells of a service that domain/sensitive.py holds to be sensitive"""
    day: date
    birth_date: date | None
    """The subject's; None where it is not known"""
    said: tuple[Said, ...]
    """All that is known of the two, and of the subject alone, in any order"""

    def heard(self, *kinds: Kind) -> list[Said]:
        """What was said of these kinds by the end of the day, the earliest first; of one moment the stricter last."""
        found = [each for each in self.said if each.kind in kinds and each.at.date() <= self.day]
        return sorted(found, key=_order)

    @property
    def relationship(self) -> Relationship | None:
        linked = self.heard(Kind.FAMILY_LINKED)
        return linked[-1].relationship if linked else None

    @property
    def of_age_on(self) -> date:
        """Where the birth date is not known nobody is."""
        return of_age_on(self.birth_date) if self.birth_date else date.max

    @property
    def grants(self) -> list[Grant]:
        """Those that stand, whatever their days."""
        grants: list[Grant] = []
        for each in self.heard(Kind.CONSENT_GRANTED, Kind.CONSENT_LIMITED, Kind.CONSENT_REVOKED):
            if each.kind is Kind.CONSENT_REVOKED:
                grants = []
            elif each.kind is Kind.CONSENT_LIMITED:
                grants = [grant._replace(areas=grant.areas & {*each.areas}) for grant in grants]
            else:
                given_on, last_on = each.at.date(), each.until or date.max
                if given_on < self.of_age_on:
                    last_on = min(last_on, self.of_age_on - timedelta(1))
                grants.append(Grant(frozenset(each.areas), given_on, each.first_on or given_on, last_on))
        return grants

    @property
    def asked(self) -> list[Grant]:
        """Those of what is asked for."""
        return [grant for grant in self.grants if self.area in grant.areas]


def _order(said: Said) -> tuple[datetime, int, bool, StreamId]:
    return said.at, _BY_STRICTNESS.index(said.kind), said.relationship not in OF_MINORS, said.change


_BY_STRICTNESS = (
    Kind.FAMILY_LINKED,
    Kind.CONSENT_GRANTED,
    Kind.CONSENT_LIMITED,
    Kind.CONSENT_REVOKED,
    Kind.CONFIDENTIAL_WITHDRAWN,
    Kind.CONFIDENTIAL_REQUESTED,
)

# --- the rules


def is_own(case: Case) -> bool:
    return case.viewer == case.subject


def is_confidential(case: Case) -> bool:
    heard = case.heard(Kind.CONFIDENTIAL_REQUESTED, Kind.CONFIDENTIAL_WITHDRAWN)
    return bool(heard) and heard[-1].kind is Kind.CONFIDENTIAL_REQUESTED


def is_of_a_minors_parent(case: Case) -> bool:
    return case.day < case.of_age_on and case.relationship in OF_MINORS


def is_granted(case: Case) -> bool:
    return any(grant.first_on <= case.day <= grant.last_on for grant in case.asked)


def was_for_a_minor(case: Case) -> bool:
    return any(grant.given_on < case.of_age_on <= case.day for grant in case.asked)


def is_revoked(case: Case) -> bool:
    return not case.grants and bool(case.heard(Kind.CONSENT_REVOKED))


NO_CONSENT = "no_consent"
"""The rule of those of whom nothing was said"""


class Rule(NamedTuple):
    name: str
    allows: bool
    because: str
    applies: Callable[[Case], bool]


RULES = (
    Rule("self", True, "it is their own", is_own),
    Rule("confidential", False, "confidential communications were requested", is_confidential),
    Rule("sensitive", False, "the service is a sensitive one", lambda case: case.is_sensitive),
    Rule("birth_date_unknown", False, "nobody knows whether they are of age", lambda case: case.birth_date is None),
    Rule("parent_of_minor", True, "a parent or guardian, until the 18th birthday", is_of_a_minors_parent),
    Rule("consent", True, "they allowed it", is_granted),
    Rule("expired_at_18", False, "it was allowed for a minor, who is of age now", was_for_a_minor),
    Rule("not_in_its_days", False, "it has ended, or has not begun", lambda case: bool(case.asked)),
    Rule("limited", False, "what they allowed is something else", lambda case: bool(case.grants)),
    Rule("revoked", False, "they took back what they allowed", is_revoked),
    Rule(NO_CONSENT, False, "they did not allow it", lambda _: True),
)
"""The first that applies decides.

Confidential communications: 45 CFR 164.522(b). Sensitive services: 42 CFR Part 2 for substance use; for the others the
plan's own rule, as state laws have it for what a minor may consent to alone, which is why parents are no exception.
Parents and guardians: 45 CFR 164.502(g)(3). Consent: 45 CFR 164.508(c), and its revocation 164.508(b)(5).
"""


class Verdict(NamedTuple):
    allowed: bool
    rule: str
    because: str


def may_see(case: Case) -> Verdict:
    """Whether the viewer may see it, and by which rule. As of the end of the day."""
    rule = next(rule for rule in RULES if rule.applies(case))
    return Verdict(rule.allows, rule.name, rule.because)


def ends_on(case: Case) -> date | None:
    """The last day on which what allows it now allows it, where that is known already."""
    rule = may_see(case).rule
    if rule == "parent_of_minor":
        return case.of_age_on - timedelta(1)
    if rule != "consent":
        return None
    last_on = max(grant.last_on for grant in case.asked if grant.first_on <= case.day)
    return None if last_on == date.max else last_on
