"""A member's claims, money and coverage as another of the family sees them."""

from datetime import date
from typing import Any

import pytest

from adapters.cli import seen
from adapters.cli.accounts import money_seen_by
from adapters.cli.care import care_of
from adapters.cli.claims import find
from adapters.cli.coverage import coverage_of
from adapters.cli.family import pairs_of
from adapters.cli.seen import NotFolded, claims_seen_by, viewer_of
from application.ports import Format, Message
from application.streams import person_of
from composition import Ledger
from domain.person import Names
from projections.account_queries import SEEN_ACCOUNT, SEEN_BALANCE
from tests.given import rows, value
from tests.integration.families import (
    CLAIMS,
    DAY,
    EARLIER,
    LINKS,
    OF_BEN,
    OF_CY,
    OLD,
    ORDINARY,
    SENSITIVE,
    SENSITIVE_OF_CY,
    ids_of,
    person,
    sees,
    shown,
)
from tests.integration.taking import reasons, take
from tests.unit import payments
from tests.unit.families import MEMBER, PAYER, claim, said
from tests.unit.notices import encoded
from tests.unit.plans import plan

# --- claims as another sees them


def test_a_spouse_sees_what_was_allowed_and_nothing_sensitive(ledger: Ledger) -> None:
    take(ledger, said("enrolled"), *LINKS, *CLAIMS)
    assert shown(ledger, "BEN", DAY) == ids_of(ledger, "BEN")
    take(ledger, said("consent_granted", "2026-05-01"))
    [ordinary] = set(shown(ledger, "BEN", DAY)) - {*ids_of(ledger, "BEN")}
    [procedure] = rows(ledger.database, "SELECT procedure FROM claim_lines WHERE claim_id = %s", ordinary)
    assert procedure["procedure"] == "HC:99213"
    assert shown(ledger, "BEN", date(2026, 4, 30)) == ids_of(ledger, "BEN")
    take(ledger, said("confidential_communications_requested", "2026-06-01"))
    assert shown(ledger, "BEN", DAY) == ids_of(ledger, "BEN")


def test_everybody_sees_all_of_their_own(ledger: Ledger) -> None:
    take(ledger, said("confidential_communications_requested"), *CLAIMS)
    assert shown(ledger, "ADA", DAY) == ids_of(ledger, "ADA")


def test_a_parent_sees_a_minors_claims_but_no_sensitive_ones(ledger: Ledger) -> None:
    take(ledger, said("enrolled"), *LINKS, OF_CY, SENSITIVE_OF_CY)
    assert len(shown(ledger, "ADA", date(2026, 6, 14))) == 1
    assert shown(ledger, "ADA", date(2026, 6, 15)) == []
    assert shown(ledger, "BEN", date(2026, 6, 14)) == []


def test_without_a_birth_date_nobody_else_sees_anything(ledger: Ledger) -> None:
    take(ledger, *LINKS, said("consent_granted", "2026-01-04"), *CLAIMS)
    assert shown(ledger, "BEN", DAY) == ids_of(ledger, "BEN")
    assert shown(ledger, "ADA", DAY) == ids_of(ledger, "ADA")


def test_the_same_given_name_under_another_number_is_somebody_else(ledger: Ledger) -> None:
    take(ledger, said("enrolled"), said("consent_granted", "2026-01-04"), *CLAIMS)
    assert shown(ledger, "BEN", DAY, member_id="TGV999999999") == []
    theirs = said("consent_granted", "2026-01-05", viewer={"given_name": "BEN", "member_id": "TGV999999999"})
    take(ledger, theirs)
    assert len(shown(ledger, "BEN", DAY, member_id="TGV999999999")) == 1


def test_what_was_once_said_to_be_sensitive_stays_hidden(ledger: Ledger) -> None:
    """Also where a correction leaves it out, and for the other payer's claim of the same bill."""
    first, corrected = claim("7", "ADA", "HC:90837"), claim("7", "ADA")
    corrected["said"] |= {"on": "2026-03-09"}
    other_payers = claim("8", "ADA", billing_provider_id="1234567893")
    other_payers["numbers"]["patient_control_number"] = "PT7"
    take(ledger, said("enrolled"), said("consent_granted", "2026-01-04"), first, corrected, other_payers)
    assert value(ledger.database, "SELECT count(DISTINCT bill_id) FROM claim_status") == 1
    assert shown(ledger, "BEN", DAY) == []


def test_a_claim_of_which_only_a_report_is_known_shows_to_nobody_else(ledger: Ledger) -> None:
    received = {"kind": "received", "at": "2026-02-20T10:00:00-05:00", "service_from": "2026-02-02"}
    take(ledger, said("enrolled"), said("consent_granted", "2026-01-04"), ORDINARY | {"said": received})
    assert shown(ledger, "BEN", DAY) == []
    assert shown(ledger, "ADA", DAY) == ids_of(ledger, "ADA")


def test_a_later_payers_claim_that_does_not_show_is_not_named_either(ledger: Ledger) -> None:
    other = {"payer_id": "1078810412"}
    numbers = {"patient_control_number": "PT1", "payer_claim_number": "OTHER-1"}
    later = ORDINARY | other | {"numbers": numbers, "said": ORDINARY["said"] | {"status_code": "2"}}
    enrolled, granted = said("enrolled"), said("consent_granted", "2026-01-04")
    take(ledger, enrolled, granted, ORDINARY, later)
    [first] = [row for row in find(ledger, member=MEMBER) if row["decided_by"]]

    def seen() -> list[tuple[str, str | None]]:
        found = claims_seen_by(ledger, find(ledger, member=MEMBER), viewer_of(f"{MEMBER}/BEN"), DAY)
        return [(each["claim_id"], each["decided_by"]) for each in found]

    assert seen() == [(first["claim_id"], None)]
    take(ledger, enrolled | other, granted | other)
    assert (first["claim_id"], first["decided_by"]) in seen()
    assert len(seen()) == 2


# --- money and coverage as another sees them


def owing(number: str, patient: str, cents: int, procedure: str = "HC:99213", **otherwise: Any) -> Any:
    """A claim of which some is left to the patient."""
    told = claim(number, patient, procedure, **otherwise)
    [line] = told["said"]["lines"]
    left = {"group": "PR", "carc": "3", "cents": cents}
    line |= {"paid_cents": 8_000 - cents, "adjustments": [*line["adjustments"], left]}
    told["said"] |= {"paid_cents": 8_000 - cents, "patient_cents": cents}
    return told


OWING = (owing("1", "ADA", 1_000), owing("2", "ADA", 2_500, "HC:90837"), owing("3", "BEN", 400))
TO_MONEY = said("consent_granted", "2026-01-04", areas=["money"])


def money(ledger: Ledger, question: str, name: str, **asked: Any) -> list[dict[str, Any]]:
    about = {"day": DAY, "as_of": None, "known_at": None} | asked
    return money_seen_by(ledger, question, MEMBER, viewer_of(f"{MEMBER}/{name}"), **about)


def owed(ledger: Ledger, name: str, **asked: Any) -> list[float]:
    return sorted(float(row["owed"]) for row in money(ledger, SEEN_BALANCE, name, **asked))


def test_a_spouse_sees_of_money_the_bills_that_show_and_what_they_come_to(ledger: Ledger) -> None:
    take(ledger, said("enrolled"), said("family_linked"), *OWING)
    assert (owed(ledger, "ADA"), owed(ledger, "BEN"), owed(ledger, "CY")) == ([10, 25], [4], [])
    take(ledger, said("consent_granted", "2026-01-03", areas=["claims", "coverage", "care"]))
    assert owed(ledger, "BEN") == [4]
    take(ledger, TO_MONEY)
    assert owed(ledger, "BEN") == [4, 10]
    assert shown(ledger, "BEN", DAY) != []
    assert owed(ledger, "BEN", known_at=1) == []
    assert owed(ledger, "BEN", day=date(2026, 2, 1), as_of=date(2026, 2, 1)) == []
    told = money(ledger, SEEN_ACCOUNT, "BEN")
    assert [float(row["balance"]) for row in told] == [10, 14]
    take(ledger, said("confidential_communications_requested", "2026-05-01"))
    assert owed(ledger, "BEN") == [4]


def test_what_was_paid_shows_of_each_bill_that_shows_and_of_no_other(ledger: Ledger) -> None:
    """Neither what was paid together nor what waits as credit, from which others' bills could be worked out."""
    take(ledger, said("enrolled"), said("family_linked"), TO_MONEY, *OWING)
    paid = payments.told("posted", member_id=MEMBER, amount_cents=5_000) | {"payer_id": PAYER}
    ledger.intake.handle([Message("p/0@1", encoded(paid), Format.JSON_PAYMENT)])
    ledger.runner.catch_up()
    assert owed(ledger, "BEN") == [0, 0]
    told = [*money(ledger, SEEN_BALANCE, "BEN"), *money(ledger, SEEN_ACCOUNT, "BEN")]
    assert {row["bill_id"] for row in told} == {row["bill_id"] for row in money(ledger, SEEN_BALANCE, "BEN")}
    assert None not in {row["bill_id"] for row in told}
    sides = ("patient_paid", "owed", "credit", "balance")
    amounts = {float(row[side]) for row in told for side in sides if side in row}
    assert amounts == {-10, -4, 0, 4, 10, 14}


def test_a_bill_shows_only_where_all_of_its_claims_do(ledger: Ledger) -> None:
    """What a later payer leaves tells what its claim says."""
    other = {"payer_id": "1078810412", "billing_provider_id": "1234567893"}
    later = owing("8", "ADA", 300, **other)
    later["numbers"]["patient_control_number"] = "PT1"
    first = owing("1", "ADA", 1_000, billing_provider_id="1234567893")
    take(ledger, said("enrolled"), TO_MONEY, first)
    assert owed(ledger, "BEN") == [10]
    take(ledger, later)
    assert value(ledger.database, "SELECT count(DISTINCT bill_id) FROM claim_status") == 1
    assert owed(ledger, "BEN") == []


def test_what_is_booked_of_a_claim_that_is_not_folded_yet_does_not_show(ledger: Ledger) -> None:
    take(ledger, said("enrolled"), TO_MONEY, owing("1", "ADA", 1_000))
    [told] = money(ledger, SEEN_ACCOUNT, "BEN")
    with ledger.database.session() as cursor:
        back = "UPDATE projection_position SET notification_id = %s WHERE application_name = 'claim_history:1'"
        cursor.execute(back, [told["position"] - 1])
    assert money(ledger, SEEN_ACCOUNT, "BEN") == []


def coverage(ledger: Ledger, name: str) -> list[dict[str, Any]]:
    return coverage_of(ledger, MEMBER, DAY, None, viewer_of(f"{MEMBER}/{name}"))


def test_a_spouse_sees_whose_coverage_they_may(ledger: Ledger) -> None:
    change = said("enrolled", "2026-03-01") | {"change_id": "F-change"}
    change["said"] = {"kind": "plan_change_requested", "plan_id": "TGV-GOLD", "effective_on": "2026-05-01"}
    end = said("enrolled", "2026-03-02", "F-end")
    end["said"] = {"kind": "terminated", "on": "2026-01-31", "reason": "premium"}
    ledger.intake.handle([Message("t/0@1", encoded(plan("TGV-GOLD")), Format.JSON_PLAN)])
    take(ledger, said("enrolled"), said("family_linked"), ORDINARY, SENSITIVE, OF_BEN)
    assert reasons(take(ledger, change, end)) == []

    def seen(name: str) -> tuple[list[str], int, list[str]]:
        [found] = coverage(ledger, name)
        persons = [each["name"].partition(" ")[0] for each in found["persons"]]
        return persons, len(found["plan_changes"]), sorted(row["claim_id"] for row in found["uncovered_claims"])

    assert seen("BEN") == (["BEN"], 0, ids_of(ledger, "BEN"))
    assert coverage(ledger, "EVE") == []
    take(ledger, said("consent_granted", "2026-01-03", areas=["coverage"]))
    assert seen("BEN") == (["ADA", "BEN"], 0, ids_of(ledger, "BEN"))
    take(ledger, said("consent_granted", "2026-01-05", areas=["claims"]))
    assert len(seen("BEN")[2]) == 2
    take(ledger, said("family_linked", subject="CY", viewer={"given_name": "BEN"}, relationship="parent"))
    assert seen("BEN")[:2] == (["ADA", "BEN", "CY"], 1)
    recorded(ledger, said("consent_revoked", "2026-05-01"))
    with pytest.raises(NotFolded):
        coverage(ledger, "BEN")
    with pytest.raises(NotFolded):
        owed(ledger, "BEN")


# --- what is recorded and not folded yet


def recorded(ledger: Ledger, *messages: Any) -> None:
    """Not folded."""
    ledger.intake.handle([Message("t/0@9", encoded(each), Format.JSON_COVERAGE) for each in messages])


@pytest.mark.parametrize(
    "news",
    [
        said("consent_revoked", "2026-05-01"),
        said("confidential_communications_requested", "2026-05-01"),
        said("family_linked", "2026-05-01", relationship="other"),
        said("enrolled", "2026-05-01"),
        said("linked", "2026-05-01"),
        said("unlinked", "2026-05-01"),
    ],
    ids=lambda news: str(news["said"]["kind"]),
)
def test_nothing_is_shown_to_another_while_what_was_said_of_it_is_not_folded(ledger: Ledger, news: Any) -> None:
    take(ledger, said("enrolled"), said("consent_granted", "2026-01-04"), ORDINARY)
    assert shown(ledger, "BEN", DAY) == ids_of(ledger, "ADA")
    recorded(ledger, news)
    position = value(ledger.database, "SELECT position FROM head")
    for known_at in (None, position, 1):
        with pytest.raises(NotFolded):
            shown(ledger, "BEN", DAY, known_at)
        with pytest.raises(NotFolded):
            pairs_of(ledger, MEMBER, DAY, known_at)
        with pytest.raises(NotFolded):
            care_of(ledger, MEMBER, DAY, known_at, viewer_of(f"{MEMBER}/BEN"))
    assert len(care_of(ledger, MEMBER, DAY, None)) > 0
    ledger.runner.catch_up()
    hides = news["said"]["kind"] in ("consent_revoked", "confidential_communications_requested")
    assert shown(ledger, "BEN", DAY) == ([] if hides else ids_of(ledger, "ADA"))


@pytest.mark.parametrize("behind", ["family", "people"])
def test_each_projection_that_decides_must_have_heard_of_it(ledger: Ledger, behind: str) -> None:
    take(ledger, said("enrolled"), said("consent_granted", "2026-01-04"), ORDINARY)
    back = "UPDATE projection_position SET notification_id = 0 WHERE application_name = %s"
    with ledger.database.session() as cursor:
        cursor.execute(back, [f"{behind}:1"])
    with pytest.raises(NotFolded):
        shown(ledger, "BEN", DAY)


def test_what_decides_nothing_of_it_holds_nobody_up(ledger: Ledger) -> None:
    take(ledger, said("enrolled"), said("consent_granted", "2026-01-04"), ORDINARY)
    ledger.intake.handle([Message("t/0@9", encoded(OF_BEN), Format.JSON_CLAIM)])
    recorded(ledger, said("enrolled", "2026-05-01") | {"member_id": "ANOTHER"})
    assert shown(ledger, "BEN", DAY) == ids_of(ledger, "ADA")


def test_what_is_folded_while_somebody_looks_is_not_missed(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    take(ledger, said("enrolled"), said("consent_granted", "2026-01-04"), ORDINARY)
    recorded(ledger, said("consent_revoked", "2026-05-01"))
    look = seen.family_of

    def and_folded_behind_it(*asked: Any, **more: Any) -> seen.Family:
        family = look(*asked, **more)
        ledger.runner.catch_up()
        return family

    monkeypatch.setattr(seen, "family_of", and_folded_behind_it)
    with pytest.raises(NotFolded):
        shown(ledger, "BEN", DAY)
    assert shown(ledger, "BEN", DAY) == []


def test_a_birth_date_under_another_number_is_waited_for_too(ledger: Ledger) -> None:
    of_cy = claim("9", "CY")
    linked = said("linked", given_name="CY")
    parent = said("family_linked", "2026-01-03", subject="CY", viewer={"given_name": "BEN"}, relationship="parent")
    take(ledger, said("enrolled"), parent, of_cy, linked)
    assert shown(ledger, "BEN", DAY) == ids_of(ledger, "CY")
    older = said("enrolled", "2026-02-01", "F-older") | OLD
    older["said"]["dependants"] = [
        {"relationship": "child", "given_name": "CY", "birth_date": "2001-01-01", "sex": "female"}
    ]
    recorded(ledger, older)
    with pytest.raises(NotFolded):
        shown(ledger, "BEN", DAY)
    ledger.runner.catch_up()
    assert shown(ledger, "BEN", DAY) == []


# --- under several numbers


def test_what_is_said_of_somebody_holds_under_all_of_their_numbers(ledger: Ledger) -> None:
    """Whoever wants confidential communications under a new number does not mean the new number alone."""
    before = ORDINARY | {"patient": {"member_id": EARLIER, "given_name": "ADA"}}
    to_ben: dict[str, Any] = {"viewer": {"given_name": "BEN", "member_id": MEMBER}}
    take(ledger, said("enrolled"), before, said("consent_granted", "2026-01-04", **to_ben) | OLD)
    assert shown(ledger, "ADA", DAY) == shown(ledger, "BEN", DAY) == []
    take(ledger, said("linked"))
    [found] = find(ledger, member=MEMBER)
    assert found["person_id"] == person_of(ledger.ids, PAYER, Names(EARLIER, given_name="ADA"))
    assert shown(ledger, "ADA", DAY) == shown(ledger, "BEN", DAY) == [found["claim_id"]]
    assert shown(ledger, "ADA", DAY, member_id=EARLIER) == [found["claim_id"]]
    assert sees(ledger, "BEN", "ADA", DAY)["claims"] == "consent"
    take(ledger, said("confidential_communications_requested", "2026-06-01"))
    assert shown(ledger, "BEN", DAY) == []
    assert shown(ledger, "ADA", DAY) == [found["claim_id"]]


def test_what_a_viewer_was_allowed_under_an_earlier_number_they_may_see_under_a_new_one(ledger: Ledger) -> None:
    to_earlier: dict[str, Any] = {"viewer": {"given_name": "BEN", "member_id": EARLIER}}
    take(ledger, said("enrolled"), ORDINARY, said("consent_granted", "2026-01-04", **to_earlier))
    assert shown(ledger, "BEN", DAY) == []
    take(ledger, said("linked", given_name="BEN"))
    assert shown(ledger, "BEN", DAY) == ids_of(ledger, "ADA")
    assert len(pairs_of(ledger, MEMBER, DAY, None)) == 6
    take(ledger, said("consent_revoked", "2026-05-01"))
    assert shown(ledger, "BEN", DAY) == []


def test_two_who_were_linked_by_mistake_are_two_again(ledger: Ledger) -> None:
    """Neither sees the other's claims, nor does one's consent open the other's."""
    theirs = ORDINARY | {"patient": {"member_id": EARLIER, "given_name": "ADA"}}
    take(ledger, said("enrolled"), said("enrolled", change_id="F-theirs") | OLD)
    take(ledger, claim("2", "ADA"), theirs, said("consent_granted", "2026-01-04"), said("linked"))
    ada, their = person(ledger, "ADA"), person_of(ledger.ids, PAYER, Names(EARLIER, given_name="ADA"))
    patients = {row["claim_id"]: row["person_id"] for row in find(ledger, member=MEMBER)}
    known_at = value(ledger.database, "SELECT position FROM head")

    def to(name: str, member_id: str = MEMBER, **known: int) -> list[str]:
        found = claims_seen_by(ledger, find(ledger, member=MEMBER, **known), viewer_of(f"{member_id}/{name}"), DAY)
        return sorted(patients[each["claim_id"]] for each in found)

    assert to("ADA") == to("ADA", EARLIER) == to("BEN") == sorted([ada, their])
    assert len(pairs_of(ledger, MEMBER, DAY, None)) == 6
    take(ledger, said("unlinked", "2026-05-01"))
    assert (to("ADA"), to("ADA", EARLIER), to("BEN")) == ([ada], [], [ada])
    assert (to("ADA", known_at=known_at), to("ADA", EARLIER, known_at=known_at)) == ([ada], [their])
    assert to("BEN", known_at=known_at) == [ada]
    assert {their} & {each["subject_id"] for each in pairs_of(ledger, MEMBER, DAY, None)} == set()


def test_numbers_with_other_birth_dates_tell_no_age(ledger: Ledger) -> None:
    other = said("enrolled", change_id="F-other") | OLD
    other["said"] = other["said"] | {"subscriber": other["said"]["subscriber"] | {"birth_date": "2010-01-01"}}
    take(ledger, said("enrolled"), other, ORDINARY, said("consent_granted", "2026-01-04"), said("linked"))
    assert shown(ledger, "BEN", DAY) == []
    assert sees(ledger, "BEN", "ADA", DAY)["claims"] == "birth_date_unknown"
