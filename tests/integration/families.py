"""Families in a real ledger: who sees whose claims."""

from datetime import date

from adapters.cli.claims import find
from adapters.cli.family import pairs_of
from adapters.cli.seen import claims_seen_by, viewer_of
from application.streams import person_of
from composition import Ledger
from domain.person import Names
from tests.unit.families import MEMBER, PAYER, claim, said

ORDINARY, SENSITIVE, UNJUDGED = claim("1", "ADA"), claim("2", "ADA", "HC:90837"), claim("3", "ADA", "N4:00093015001")
OF_BEN, OF_CY, SENSITIVE_OF_CY = claim("4", "BEN"), claim("5", "CY"), claim("6", "CY", "HC:87491")
CLAIMS = (ORDINARY, SENSITIVE, UNJUDGED, OF_BEN, OF_CY, SENSITIVE_OF_CY)
LINKS = (
    said("family_linked", "2026-01-02"),
    said("family_linked", "2026-01-03", subject="CY", viewer={"given_name": "ADA"}, relationship="parent"),
)
EARLIER = "TGV000000001"
OLD = {"member_id": EARLIER}

DAY = date(2026, 6, 1)


def person(ledger: Ledger, name: str) -> str:
    return person_of(ledger.ids, PAYER, Names(MEMBER, given_name=name))


def sees(ledger: Ledger, viewer: str, subject: str, day: date, known_at: int | None = None) -> dict[str, str]:
    """By which rule, of each area."""
    [pair] = [
        each
        for each in pairs_of(ledger, MEMBER, day, known_at)
        if (each["viewer_id"], each["subject_id"]) == (person(ledger, viewer), person(ledger, subject))
    ]
    return {area: verdict["rule"] for area, verdict in pair["sees"].items()}


def shown(ledger: Ledger, viewer: str, day: date, known_at: int | None = None, member_id: str = MEMBER) -> list[str]:
    """The numbers of the claims that somebody may see, by their charges."""
    found = claims_seen_by(ledger, find(ledger, member=MEMBER), viewer_of(f"{member_id}/{viewer}"), day, known_at)
    return sorted(each["claim_id"] for each in found)


def ids_of(ledger: Ledger, *patients: str) -> list[str]:
    wanted = {person(ledger, each) for each in patients}
    return sorted(each["claim_id"] for each in find(ledger, member=MEMBER) if each["person_id"] in wanted)
