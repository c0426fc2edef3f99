"""The rules about families, run over a real ledger."""

from datetime import date
from typing import Any

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from adapters.cli.care import care_of
from adapters.cli.claims import find
from adapters.cli.family import pairs_of
from adapters.cli.seen import claims_seen_by, viewer_of
from application.ports import Format, Message
from application.streams import person_of
from composition import Ledger
from domain.person import Names
from tests.unit.families import MEMBER, PAYER, claim, said
from tests.unit.notices import Message as Json
from tests.unit.notices import encoded

scenarios("what_a_spouse_may_see.feature", "consent_ends_at_18.feature", "when_preventive_care_is_due.feature")

PROCEDURES = {
    "an office visit": "HC:99213",
    "psychotherapy": "HC:90837",
    "a colonoscopy": "HC:45378",
    "a stool test": "HC:82274",
}


class Family:
    """Its members are named by their given names."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def say(self, message: Json, format_: Format = Format.JSON_COVERAGE) -> None:
        [outcome] = self.ledger.intake.handle([Message("family", encoded(message), format_)])
        assert not outcome.parked
        self.ledger.runner.catch_up()

    def person(self, name: str) -> str:
        return person_of(self.ledger.ids, PAYER, Names(MEMBER, given_name=name))

    def claims(self, viewer: str, subject: str, day: str) -> list[dict[str, Any]]:
        everything = find(self.ledger, member=MEMBER)
        shown = claims_seen_by(self.ledger, everything, viewer_of(f"{MEMBER}/{viewer}"), date.fromisoformat(day))
        return [each for each in shown if each["person_id"] == self.person(subject)]

    def verdict(self, viewer: str, subject: str, area: str, day: str) -> tuple[bool, str]:
        wanted = self.person(viewer), self.person(subject)
        for pair in pairs_of(self.ledger, MEMBER, date.fromisoformat(day), None):
            if (pair["viewer_id"], pair["subject_id"]) == wanted:
                return pair["sees"][area]["allowed"], pair["sees"][area]["rule"]
        raise AssertionError(f"nothing is known of {viewer} and {subject}")


@pytest.fixture
def family(ledger: Ledger) -> Family:
    return Family(ledger)


@given(parsers.parse("Ada, born on {day}, and her spouse Ben"))
def _(family: Family, day: str) -> None:
    enrolled = said("enrolled")
    enrolled["said"]["subscriber"] = enrolled["said"]["subscriber"] | {"birth_date": day}
    family.say(enrolled)
    family.say(said("family_linked"))


@given(parsers.parse("Cy, born on {day}, and Cy's parent Ada"))
def _(family: Family, day: str) -> None:
    enrolled = said("enrolled")
    spouse, child = enrolled["said"]["dependants"]
    enrolled["said"]["dependants"] = [spouse, child | {"birth_date": day}]
    family.say(enrolled)
    family.say(said("family_linked", "2020-01-01", subject="CY", viewer={"given_name": "ADA"}, relationship="parent"))


@given("Cy, of whom no birth date is known, and Cy's parent Ada")
def _(family: Family) -> None:
    family.say(said("family_linked", "2020-01-01", subject="CY", viewer={"given_name": "ADA"}, relationship="parent"))
    family.say(claim("1", "CY"), Format.JSON_CLAIM)


@given(parsers.parse("a claim of {name}'s for {service}, and one for {other}"))
def _(family: Family, name: str, service: str, other: str) -> None:
    for number, each in enumerate((service, other), 1):
        family.say(claim(str(number), name.upper(), PROCEDURES[each]), Format.JSON_CLAIM)


@given(parsers.re(r"a claim of (?P<name>\w+)'s for (?P<service>[\w ]+)"))
def _(family: Family, name: str, service: str) -> None:
    family.say(claim("1", name.upper(), PROCEDURES[service]), Format.JSON_CLAIM)


@when(parsers.parse("{subject} allows {viewer} on {day} to see {areas}"))
def _(family: Family, subject: str, viewer: str, day: str, areas: str) -> None:
    to: Json = {"subject": subject, "viewer": {"given_name": viewer}}
    family.say(said("consent_granted", day, areas=areas.split(", "), **to))


@when(parsers.parse("on behalf of {subject} it is allowed on {day} that {viewer} sees {areas}"))
def _(family: Family, subject: str, viewer: str, day: str, areas: str) -> None:
    to: Json = {"subject": subject, "viewer": {"given_name": viewer}, "by": "representative"}
    family.say(said("consent_granted", day, areas=areas.split(", "), **to))


@when(parsers.parse("Ada takes it back on {day}"))
def _(family: Family, day: str) -> None:
    family.say(said("consent_revoked", day))


@when(parsers.parse("Ada asks on {day} for confidential communications"))
def _(family: Family, day: str) -> None:
    family.say(said("confidential_communications_requested", day))


@then(parsers.re(r"on (?P<day>\S+) (?P<viewer>\w+) sees (?P<count>\d+) claims? of (?P<subject>\w+)'s"))
def _(family: Family, day: str, viewer: str, count: str, subject: str) -> None:
    assert len(family.claims(viewer, subject, day)) == int(count)


@then(
    parsers.re(
        r"on (?P<day>\S+) (?P<viewer>\w+) (?P<may>may|may not) see (?P<subject>\w+)'s (?P<area>\w+), "
        r"by the rule (?P<rule>\w+)"
    )
)
def _(family: Family, day: str, viewer: str, may: str, subject: str, area: str, rule: str) -> None:
    assert family.verdict(viewer, subject, area, day) == (may == "may", rule)


# --- preventive care


@when(parsers.parse("a claim shows {service} of {name}'s on {day}"))
def _(family: Family, service: str, name: str, day: str) -> None:
    family.say(claim(f"{service} {day}", name.upper(), PROCEDURES[service], day), Format.JSON_CLAIM)


@when(parsers.parse("the claim of {service} on {day} of {name}'s is voided"))
def _(family: Family, service: str, day: str, name: str) -> None:
    voided = {"kind": "voided", "at": "2026-05-30T12:00:00-05:00"}
    family.say(claim(f"{service} {day}", name.upper(), PROCEDURES[service], day) | {"said": voided}, Format.JSON_CLAIM)


def colorectal(family: Family, name: str, day: str) -> tuple[str, str, str]:
    [found] = [
        each
        for each in care_of(family.ledger, MEMBER, date.fromisoformat(day), None)
        if each["person"].startswith(name.upper()) and each["recommendation"] == "colorectal_cancer_screening"
    ]
    return found["standing"], str(found["from_on"]), str(found["until"])


@then(parsers.parse("on {day} colorectal screening is due for {name} since {since}"))
def _(family: Family, day: str, name: str, since: str) -> None:
    assert colorectal(family, name, day) == ("due", since, "None")


@then(parsers.parse("on {day} colorectal screening is done for {name} until {until}"))
def _(family: Family, day: str, name: str, until: str) -> None:
    standing, _, last = colorectal(family, name, day)
    assert (standing, last) == ("done", until)


@then(parsers.parse("on {day} colorectal screening is {standing} recommended for {name}"))
def _(family: Family, day: str, standing: str, name: str) -> None:
    assert colorectal(family, name, day)[0] == standing.replace(" ", "_")
