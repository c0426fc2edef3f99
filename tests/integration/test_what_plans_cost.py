"""What plans cost, from the bytes of messages to what the tool shows."""

import json
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer import BadParameter

from adapters.cli.costs import Asked, asked_of
from adapters.cli.estimate import estimated, plan_for
from adapters.cli.seen import NotFolded
from adapters.cli.timeline import timeline
from adapters.cli.what_if import year_of
from adapters.settings import Settings
from application.ports import Format, Message
from composition import Ledger
from domain.adjudication import Network
from domain.money import Money
from domain.person import Names
from domain.plan import Service
from domain.what_if import Use
from tests.given import damaged, rows, value
from tests.integration.taking import reasons, take
from tests.integration.test_cli import Run, command_line, lines
from tests.unit import families
from tests.unit.costs import BRONZE, MEMBER, PLANS, SILVER, WRONG, YEAR, claim
from tests.unit.coverage import change
from tests.unit.notices import encoded, report
from tests.unit.providers import NPI, provider

PAYER = "1078830634"
END = date(2026, 12, 31)


def given(ledger: Ledger, *messages: dict[str, Any]) -> None:
    assert reasons(take(ledger, *messages)) == []


def ask(ledger: Ledger, as_of: date = END, known_at: int | None = None) -> Asked:
    return asked_of(ledger, MEMBER, None, as_of, known_at)


def year(ledger: Ledger, *uses: Use, is_family: bool = False, **asked: Any) -> dict[str, dict[str, Any]]:
    return {each["plan_id"]: each for each in year_of(ask(ledger, **asked), is_family, uses).told()}


def together(told: dict[str, dict[str, Any]]) -> dict[str, float]:
    return {plan_id: float(each["together"]) for plan_id, each in told.items()}


# --- the member's own year


def test_under_the_members_own_plan_a_year_costs_what_was_owed(ledger: Ledger) -> None:
    given(ledger, *PLANS, *YEAR)
    told = year(ledger)
    assert together(told) == {"BRONZE": 4_790, "SILVER": 6_333, "GOLD": 8_634}
    assert [plan_id for plan_id, each in told.items() if each["current"]] == ["SILVER"]
    silver = told["SILVER"]
    assert (float(silver["you_pay"]), sum(float(each["owed"]) for each in silver["claims"])) == (933, 933)
    assert all(each["explained"] and not each["difference"] for each in silver["claims"])
    assert told["GOLD"]["claims"] == []


def test_a_claim_that_the_plans_rules_do_not_explain_is_named_with_the_step(ledger: Ledger) -> None:
    given(ledger, *PLANS, *YEAR, WRONG)
    claims = year(ledger)["SILVER"]["claims"]
    [named] = [each for each in claims if not each["explained"]]
    assert (named["day"], float(named["owed"]), float(named["by_the_rules"])) == (date(2026, 7, 8), 150, 25)
    assert {step: float(cents) for step, cents in named["unexplained"].items()} == {"deductible": 150, "copay": -25}
    assert len(claims) == 6


def test_the_order_in_which_claims_come_does_not_matter(ledger: Ledger) -> None:
    given(ledger, *reversed((*PLANS, *YEAR, WRONG)))
    assert together(year(ledger)) == {"BRONZE": 4_940, "SILVER": 6_358, "GOLD": 8_644}


def test_a_correction_is_the_word_that_is_priced(ledger: Ledger) -> None:
    given(ledger, *PLANS, *YEAR, WRONG)
    mended = claim("6", "2026-07-08", "HC:99213", 20_000, 15_000, on="2026-08-01", copay=2_500)
    given(ledger, mended)
    assert all(each["explained"] for each in year(ledger)["SILVER"]["claims"])
    before = year(ledger, as_of=date(2026, 7, 31))
    assert sum(not each["explained"] for each in before["SILVER"]["claims"]) == 1


def test_as_known_at_a_position_neither_later_claims_nor_later_plans_are_there(ledger: Ledger) -> None:
    given(ledger, SILVER, *YEAR[:2])
    then = value(ledger.database, "SELECT position FROM head")
    given(ledger, BRONZE, *YEAR[2:])
    told = year(ledger, known_at=then)
    assert {plan_id: float(each["you_pay"]) for plan_id, each in told.items()} == {"SILVER": 625}
    assert told["SILVER"]["known_at"] == then


def test_what_is_recorded_and_not_projected_yet_is_not_said_to_be_known(ledger: Ledger) -> None:
    given(ledger, SILVER, *YEAR[:2])
    then = value(ledger.database, "SELECT position FROM head")
    ledger.intake.handle([Message("topic/0@9", encoded(YEAR[3]), Format.JSON_CLAIM)])
    assert year(ledger)["SILVER"]["known_at"] == year(ledger, known_at=10**6)["SILVER"]["known_at"] == then


def test_only_twelve_months_are_counted_and_what_came_before_in_the_plan_year_uses_its_limits(ledger: Ledger) -> None:
    early = claim("0", "2026-01-05", "HC:70551", 50_000, 50_000, deductible=50_000)
    given(ledger, SILVER, early, claim("7", "2027-01-04", "HC:70551", 50_000, 50_000, deductible=50_000))
    given(ledger, claim("8", "2026-03-01", "HC:70551", 50_000, 50_000, coinsurance=10_000))
    [silver] = year(ledger, as_of=date(2026, 12, 31)).values()
    assert float(silver["you_pay"]) == 600
    take(
        ledger, {**SILVER, "design": SILVER["design"] | {"effective_from": "2027-01-01", "effective_to": "2027-12-31"}}
    )
    [silver] = year(ledger, as_of=date(2027, 2, 1)).values()
    assert [float(each["you_pay"]) for each in silver["services"]] == [100, 500]


def test_of_a_family_each_person_has_limits_of_their_own(ledger: Ledger) -> None:
    mri = ("2026-03-11", "HC:70551", 100_000, 100_000)
    given(ledger, SILVER, YEAR[1], claim("7", *mri, name="BENITO", deductible=50_000, coinsurance=10_000))
    [silver] = year(ledger, is_family=True).values()
    assert (float(silver["you_pay"]), float(silver["premium"])) == (1_200, 10_800)
    assert all(each["explained"] for each in silver["claims"])


def test_under_a_new_number_a_person_goes_on_with_the_limits_of_the_earlier_one(ledger: Ledger) -> None:
    """Silver's deductible is met under the number that the card had until April."""
    before = YEAR[1] | {"patient": YEAR[1]["patient"] | {"member_id": "OLD1"}}
    given(ledger, SILVER, before, claim("7", "2026-05-05", "HC:70551", 100_000, 100_000, coinsurance=20_000))
    given(ledger, change("linked"))
    [silver] = year(ledger).values()
    assert [(each["patient"], float(each["you_pay"])) for each in silver["services"]] == [("ADA", 600), ("ADA", 200)]
    assert all(each["explained"] for each in silver["claims"])
    assert not ask(ledger).is_family(None)
    assert float(estimate(ledger, "imaging", 100_000)["you_pay"]) == 200


def test_what_is_left_out_says_why(ledger: Ledger) -> None:
    about = {name: YEAR[0][name] for name in ("patient", "payer_id")}
    pended = report("pended") | about | {"numbers": {"patient_control_number": "P9", "payer_claim_number": "9"}}
    given(ledger, SILVER, YEAR[0], pended)
    [silver] = year(ledger).values()
    assert list(silver["left_out"].values()) == ["not_decided"]
    claim_id = silver["claims"][0]["claim_id"]
    with damaged(ledger.log, claim_id):
        [silver] = year(ledger).values()
    assert silver["left_out"][claim_id] == "unreadable"


def test_a_claim_of_a_day_without_a_design_of_its_plan_is_named(ledger: Ledger) -> None:
    unheard = claim("8", "2026-04-01", "HC:99213", 20_000, 15_000, plan_id="PLATINUM", copay=2_500)
    early = claim("7", "2025-12-30", "HC:99213", 20_000, 15_000, copay=2_500)
    given(ledger, SILVER, BRONZE, YEAR[0], early, unheard)
    told = year(ledger, as_of=date(2026, 6, 30))
    [compared] = told["SILVER"]["claims"]
    others = {each["number"].split()[0] for each in told["SILVER"]["services"]} - {compared["claim_id"]}
    assert len(others) == 2
    assert told["SILVER"]["not_compared"] == told["BRONZE"]["not_compared"] == dict.fromkeys(others, "no_design")


def test_claims_of_a_plan_that_holds_no_more_are_compared_with_it(ledger: Ledger) -> None:
    """The member was in Silver until it ended; in March they can choose Bronze only."""
    next_year = {"effective_from": "2027-01-01", "effective_to": "2027-12-31"}
    wrong = claim("7", "2026-07-08", "HC:99213", 20_000, 15_000, deductible=15_000)
    given(ledger, SILVER, YEAR[0], wrong, {**BRONZE, "design": BRONZE["design"] | next_year})
    bronze, silver = year(ledger, as_of=date(2027, 1, 31)).values()
    assert (bronze["plan_id"], bronze["holds"], bronze["claims"]) == ("BRONZE", True, [])
    assert (silver["plan_id"], silver["holds"], silver["name"]) == ("SILVER", False, "Silver")
    assert [(str(each["day"]), each["explained"]) for each in silver["claims"]] == [
        ("2026-02-02", "by_day"),
        ("2026-07-08", None),
    ]


def test_coverage_under_an_earlier_number_tells_the_plan_of_the_claims_of_its_days(ledger: Ledger) -> None:
    visit = claim("7", "2026-03-01", "HC:99213", 20_000, 15_000, plan_id="", copay=1_000)
    before = visit | {"patient": visit["patient"] | {"member_id": "OLD1"}}
    gold = change("enrolled", plan_id="GOLD") | {"member_id": "OLD1"}
    silver = change("enrolled", change_id="CH-2", plan_id="SILVER", effective_from="2026-06-01")
    given(ledger, *PLANS, before, gold, silver, change("linked"))
    assert ask(ledger).current == "SILVER"
    assert [len(each["claims"]) for each in year(ledger).values() if each["plan_id"] == "GOLD"] == [1]


def test_coverage_under_an_earlier_number_tells_plan_and_family_where_the_new_one_has_none(ledger: Ledger) -> None:
    visit = claim("7", "2026-03-01", "HC:99213", 20_000, 15_000, plan_id="", copay=1_000)
    given(ledger, *PLANS, visit, change("enrolled", plan_id="GOLD") | {"member_id": "OLD1"}, change("linked"))
    found = ask(ledger)
    assert (found.current, found.is_family(None)) == ("GOLD", True)


def test_one_person_under_three_names_is_one(ledger: Ledger) -> None:
    names = ("ADA", "ADDIE", "ADDY")
    seen = [claim(str(at), "2026-03-01", "HC:70551", 30_000, 30_000, name=name) for at, name in enumerate(names)]
    merged = [
        change("merged", change_id=f"CH-{now}", given_name=now, earlier_member_id=MEMBER, earlier_given_name=before)
        for now, before in pairwise(names)
    ]
    for order in (merged, merged[::-1]):
        given(ledger, SILVER, *seen, *order)
    found = ask(ledger)
    assert list(found.patients.values()) == ["ADA"]
    assert {each.person for each in found.history.claims} == set(found.patients)


def test_a_claim_whose_services_are_of_two_plan_years_counts_in_that_of_the_first(ledger: Ledger) -> None:
    """It says itself that it began in the year before, for which Silver has no design."""
    scan = claim("7", "2026-01-02", "HC:70551", 30_000, 30_000, deductible=30_000)
    scan["said"]["service_from"] = "2025-12-30"
    given(ledger, SILVER, scan)
    [silver] = year(ledger, as_of=date(2026, 11, 30)).values()
    assert [each["explained"] for each in silver["claims"]] == ["by_day"]
    assert float(estimate(ledger, "imaging", 30_000)["you_pay"]) == 200 + 20


def test_a_network_that_no_message_tells_is_assumed_and_said(ledger: Ledger) -> None:
    untold = claim("7", "2026-03-01", "HC:99213", 20_000, 15_000, plan_id="", copay=2_500)
    given(ledger, SILVER, YEAR[0], untold)
    [silver] = year(ledger).values()
    assert (silver["network_assumed"], len(silver["claims"])) == (1, 2)


def test_the_directory_tells_of_each_plan_whether_a_provider_is_in_its_network(ledger: Ledger) -> None:
    """A cardiologist, in Silver's network as the payer told. Bronze does not list her, and covers nothing outside."""
    visit = claim("7", "2026-03-01", "HC:99213", 20_000, 15_000, deductible=15_000)
    visit["said"]["rendering_provider"] = NPI
    networks = [{"payer_id": PAYER, "plan_id": "GOLD", "first_on": "2026-01-01"}]
    given(ledger, *PLANS, visit, provider(*networks, specialty="207RC0000X"))
    told = year(ledger)
    seen = {plan_id: (each["services"][0]["service"], each["services"][0]["network"]) for plan_id, each in told.items()}
    assert seen == {"SILVER": ("specialist", "in"), "BRONZE": ("specialist", "out"), "GOLD": ("specialist", "in")}
    assert {plan_id: float(each["you_pay"]) for plan_id, each in told.items()} == {
        "SILVER": 150,
        "BRONZE": 200,
        "GOLD": 15,
    }
    assert told["SILVER"]["claims"][0]["explained"]
    found = ask(ledger)
    [person] = found.patients
    estimates = [
        estimated(found, "99213", Money(10_000), person, plan_id, Network.IN, is_family=False, provider=NPI)
        for plan_id in ("GOLD", "BRONZE")
    ]
    assert [(each["service"], each["network"]) for each in estimates] == [("specialist", "in"), ("specialist", "out")]


def test_coverage_tells_the_plan_and_whom_it_covers_before_claims_do(ledger: Ledger) -> None:
    enrolled = change("enrolled", plan_id="GOLD")
    given(ledger, *PLANS, claim("7", "2026-03-01", "HC:99213", 20_000, 15_000, plan_id="", copay=1_000), enrolled)
    found = ask(ledger)
    assert (found.current, found.is_family(None)) == ("GOLD", True)
    told = year(ledger)["GOLD"]
    assert [each["explained"] for each in told["claims"]] == ["by_day"]


def test_a_spouse_sees_a_year_without_claims_that_they_may_not_see(ledger: Ledger) -> None:
    given(ledger, SILVER, *YEAR[:2], claim("7", "2026-03-01", "HC:99213", 20_000, 15_000, name="BENITO", copay=2_500))
    viewer = Names(MEMBER, given_name="BENITO")
    seen = year_of(asked_of(ledger, MEMBER, None, END, None, viewer), is_family=True).told()
    assert [(each["patient"], float(each["you_pay"])) for each in seen[0]["services"]] == [("BENITO", 25)]


def test_what_a_spouse_sees_of_a_year_follows_from_consent_as_it_is_now_however_far_behind_figures_are(
    ledger: Ledger,
) -> None:
    given(ledger, SILVER, change("enrolled", plan_id="SILVER"), *YEAR[:2])
    granted = families.said("consent_granted", "2026-01-04", viewer={"given_name": "BEN"}) | {"member_id": MEMBER}
    given(ledger, granted)
    before = value(ledger.database, "SELECT position FROM head")
    viewer = Names(MEMBER, given_name="BEN")

    def claims() -> int:
        return len(asked_of(ledger, MEMBER, None, END, None, viewer).history.claims)

    assert claims() == 2
    revoked = families.said("consent_revoked", "2026-05-01", viewer={"given_name": "BEN"}) | {"member_id": MEMBER}
    ledger.intake.handle([Message("t/0@9", encoded(revoked), Format.JSON_COVERAGE)])
    with pytest.raises(NotFolded):
        claims()
    ledger.runner.catch_up()
    with ledger.database.session() as cursor:
        back = "UPDATE projection_position SET notification_id = %s WHERE application_name = 'accumulators:1'"
        cursor.execute(back, [before])
    assert claims() == 0


def test_a_typed_year_asks_nothing_of_claims(ledger: Ledger) -> None:
    given(ledger, *PLANS, *YEAR)
    told = year(ledger, Use(Service.PRIMARY_CARE, 4, Money(15_000)), Use(Service.INPATIENT, 1, Money(2_000_000)))
    assert together(told) == {"SILVER": 5_400 + 2_000, "BRONZE": 2_400 + 6_000, "GOLD": 8_400 + 1_500}
    [outside] = {
        float(each["you_pay"]) for each in year(ledger, Use(Service.IMAGING, 1, Money(90_000), "out")).values()
    }
    assert outside == 900  # none of them covers it there


# --- estimates


OTHER_NPI = "1245319599"


def estimate(ledger: Ledger, what: str, allowed: int | None = None, **asked: Any) -> dict[str, Any]:
    found = ask(ledger, **asked)
    [person] = found.patients
    return estimated(found, what, None if allowed is None else Money(allowed), person, found.current, Network.IN, False)


def test_an_estimate_begins_where_the_member_stands_in_the_plan_year(ledger: Ledger) -> None:
    given(ledger, *PLANS, *YEAR)
    first, later = (estimate(ledger, "70551", 100_000, as_of=date(2026, month, 1)) for month in (3, 12))
    assert (float(first["you_pay"]), float(later["you_pay"])) == (600, 200)
    assert [step["step"] for step in later["steps"]] == ["coinsurance", "plan_pays"]
    anew = {**SILVER, "design": SILVER["design"] | {"effective_from": "2027-01-01", "effective_to": "2027-12-31"}}
    given(ledger, anew)
    assert float(estimate(ledger, "imaging", 100_000, as_of=date(2027, 1, 2))["you_pay"]) == 600


def test_an_estimate_knows_what_is_used_of_a_plan_year_of_which_no_message_tells(ledger: Ledger) -> None:
    """The plan year begins in July: what was used in spring is gone, what was used in summer is not."""
    from_july = {"effective_from": "2026-07-01", "effective_to": "2027-06-30"}
    scan = ("HC:70551", 30_000, 30_000)
    spring, summer = (claim(day, day, *scan, deductible=30_000) for day in ("2026-05-05", "2026-08-05"))
    given(ledger, {**SILVER, "design": SILVER["design"] | from_july}, spring, summer)
    for as_of in (date(2026, 12, 1), date(2027, 1, 31)):
        estimated = estimate(ledger, "imaging", 30_000, as_of=as_of)
        assert float(estimated["you_pay"]) == 200 + 20


def test_what_is_not_typed_is_the_median_of_what_the_payer_allowed(ledger: Ledger) -> None:
    others = [
        claim(f"9{cents}", "2026-05-05", "HC:99213:25", 30_000, cents, name="BENITO") for cents in (9_000, 21_000)
    ]
    elsewhere = claim("99", "2025-05-05", "HC:99213", 30_000, 1_000, name="BENITO")
    given(ledger, *PLANS, *YEAR, *others, elsewhere)
    asked = ask(ledger)
    [ada] = [person for person, name in asked.patients.items() if name == "ADA"]
    told = estimated(asked, "99213", None, ada, "SILVER", Network.IN, False)
    assert (told["allowed_from"], told["amounts"], float(told["allowed"])) == ("median", 3, 150)


@pytest.mark.parametrize(
    ("person", "on", "plan_id", "why"),
    [
        ("ADA", date(2026, 4, 1), "GOLD", "enrolled"),
        ("BENITO", date(2026, 4, 30), "GOLD", "enrolled"),
        ("BENITO", date(2026, 5, 1), None, "removed"),
        ("ADA", date(2026, 10, 1), None, "terminated"),
        ("ADA", date(2025, 12, 31), None, "not_yet"),
        ("CY", date(2026, 4, 1), None, "not_named"),
    ],
)
def test_whom_coverage_does_not_cover_on_a_day_has_no_plan_whatever_claims_name(
    ledger: Ledger, person: str, on: date, plan_id: str | None, why: str
) -> None:
    named = [claim(name, "2025-12-01", "HC:99213", 20_000, 15_000, name=name) for name in ("ADA", "BENITO", "CY")]
    spouse = {"relationship": "spouse", "given_name": "BENITO", "birth_date": "1979-05-05", "sex": "unknown"}
    enrolled = change("enrolled", plan_id="GOLD", dependants=[spouse])
    removed = change("dependant_removed", on="2026-04-30", given_name="BENITO")
    given(ledger, *PLANS, *named, enrolled, removed, change("terminated", on="2026-09-30"))
    found = ask(ledger, on)
    [asked] = [each for each, name in found.patients.items() if name == person]
    told = found.eligibility(asked)
    assert told is not None
    assert told.lines[-1].why == why
    if plan_id is not None:
        assert plan_for(found, asked, None) == plan_id
    else:
        with pytest.raises(BadParameter, match="not covered"):
            plan_for(found, asked, None)
    assert plan_for(found, asked, "SILVER") == "SILVER"


def test_after_the_end_of_coverage_no_plan_is_the_members(ledger: Ledger) -> None:
    untold = claim("7", "2026-10-10", "HC:99213", 20_000, 15_000, plan_id="", copay=2_500)
    given(ledger, *PLANS, *YEAR, change("enrolled", plan_id="SILVER"), change("terminated", on="2026-09-30"), untold)
    assert (ask(ledger, date(2026, 9, 30)).current, ask(ledger).current) == ("SILVER", "")
    told = year(ledger)
    assert [each["current"] for each in told.values()] == [False] * 3
    assert len(told["SILVER"]["claims"]) == 6  # what a claim was under is another question


def test_under_an_earlier_number_a_person_is_covered_too(ledger: Ledger) -> None:
    given(ledger, *PLANS, *YEAR, change("enrolled", plan_id="GOLD") | {"member_id": "OLD1"}, change("linked"))
    found = ask(ledger)
    [ada] = found.patients
    assert plan_for(found, ada, None) == "GOLD"


def test_without_any_enrolment_an_estimate_is_under_the_plan_that_claims_name_and_says_so(ledger: Ledger) -> None:
    given(ledger, *PLANS, *YEAR)
    told = estimate(ledger, "imaging", 10_000)
    assert (told["plan_id"], told["covered"], told["because"]) == ("SILVER", None, [])
    given(ledger, change("enrolled", plan_id="SILVER", dependants=[]))
    told = estimate(ledger, "imaging", 10_000)
    assert (told["covered"], [line["why"] for line in told["because"]]) == (True, ["enrolled"])


def test_an_estimate_says_what_tells_its_network(ledger: Ledger) -> None:
    of_silver = {"payer_id": PAYER, "plan_id": "SILVER", "first_on": "2026-02-01", "until": "2026-05-31", "tier": "1"}
    given(ledger, *PLANS, *YEAR, provider(of_silver))

    def network(on: str, npi: str = NPI, what: str = "imaging", inside: Network = Network.IN) -> tuple[str, ...]:
        found = ask(ledger, date.fromisoformat(on))
        [ada] = found.patients
        told = estimated(found, what, Money(10_000), ada, "SILVER", inside, is_family=False, provider=npi)
        assert told["provider_id"] == (npi or None)
        return told["network"], told["network_because"], str(told["listed_from"]), str(told["listed_until"])

    entry = ("2026-02-01", "2026-05-31")
    assert network("2026-05-31") == ("in", "listed", *entry)
    assert network("2026-06-01") == ("out", "ended", *entry)
    assert network("2026-01-31") == ("out", "not_yet", *entry)
    assert network("2026-06-01", what="emergency") == ("in", "emergency", *entry)
    assert network("2026-05-31", OTHER_NPI) == network("2026-05-31", "") == ("in", "assumed", "None", "None")
    assert network("2026-05-31", OTHER_NPI, inside=Network.OUT) == ("out", "typed", "None", "None")


def test_an_estimate_says_what_tells_the_type_of_service(ledger: Ledger) -> None:
    cardiologist = provider({"payer_id": PAYER, "plan_id": "SILVER", "first_on": "2026-01-01"}, specialty="207RC0000X")
    given(ledger, *PLANS, *YEAR, cardiologist)
    found = ask(ledger)
    [ada] = found.patients

    def service(what: str, npi: str = "") -> tuple[str, str]:
        told = estimated(found, what, Money(10_000), ada, "SILVER", Network.IN, is_family=False, provider=npi)
        return told["service"], told["service_because"]

    assert service("imaging") == ("imaging", "typed")
    assert service("99213") == ("primary_care", "code")
    assert service("99213", NPI) == ("specialist", "specialty")
    assert service("27447") == ("other", "no_rule")


# --- the tool


@pytest.fixture
def run(ledger: Ledger, settings: Settings, database: str) -> Run:
    given(ledger, *PLANS, *YEAR, WRONG)
    return command_line(database, settings.keys_folder)


def test_the_tool_says_which_plan_would_have_been_cheaper_and_why(run: Run, tmp_path: Path) -> None:
    asked = ("what-if", MEMBER, "--as-of", "2026-12-31")
    page = run(*asked, "--lines", "SILVER").stdout.decode()
    assert "Bronze costs 1,418.00 less than Silver (3,000.00 less premium, 1,582.00 more for services)." in page
    assert "Of 6 claims under Silver 1,083.00 was owed; its rules make 958.00. They explain 5 of them." in page
    assert "deductible 150.00, copay -25.00" in page
    assert "20% of 500.00: 100.00" in page
    bronze, silver, gold = lines(run(*asked, "--json"))
    assert (bronze["together"], silver["together"], gold["beyond_cheapest"]) == (4_940, 6_358, 3_704)
    scenario = tmp_path / "uses.json"
    scenario.write_text(json.dumps([{"service": "imaging", "count": 1, "allowed_cents": 90_000}]))
    typed = lines(run(*asked, "--scenario", str(scenario), "--use", "laboratory:1:10.00", "--json"))
    assert {each["plan_id"]: each["you_pay"] for each in typed} == {"BRONZE": 910, "SILVER": 582, "GOLD": 91}


def test_the_tool_puts_plans_side_by_side_and_estimates(run: Run) -> None:
    page = run("compare-plans", MEMBER, "--as-of", "2026-12-31").stdout.decode()
    assert [line.split()[1:] for line in page.splitlines() if line.strip().startswith("laboratory")] == [
        ["40%", "after", "deductible", "10%", "20%", "after", "deductible"]
    ]
    told = lines(run("compare-plans", MEMBER, "--as-of", "2026-12-31", "--json"))
    assert [(each["plan_id"], each["current"]) for each in told] == [
        ("BRONZE", False),
        ("GOLD", False),
        ("SILVER", True),
    ]
    asked = ("estimate", MEMBER, "99213", "--as-of", "2026-12-31")
    assert "You pay 25.00: copay 25.00. The plan pays 125.00." in run(*asked).stdout.decode()
    [outside] = lines(run(*asked, "--out-of-network", "--allowed", "99.00", "--json"))
    assert (outside["you_pay"], outside["network"]) == (99, "out")


def test_the_tool_says_what_an_estimate_takes_for_granted(run: Run, ledger: Ledger) -> None:
    def page(*asked: str) -> str:
        answer = run("estimate", MEMBER, *asked, "--allowed", "100", "--as-of", "2026-06-01")
        return " ".join(answer.stdout.decode().split())

    assert "No enrolment is known: the plan is the one that the latest claim names." in page("imaging")
    assert "No enrolment is known. " in page("imaging", "--plan", "GOLD") + " "
    assert "No rule names this code: taken as other." in page("27447")
    assert "Assumed in network: no provider is named." in page("imaging")
    unlisted = page("imaging", "--provider", OTHER_NPI)
    assert "Assumed in network: the directory does not list this provider." in unlisted
    assert "Out of network, as typed." in page("imaging", "--out-of-network")
    given(ledger, provider({"payer_id": PAYER, "plan_id": "SILVER", "first_on": "2026-01-01", "until": "2026-05-31"}))
    assert "Out of network: the directory lists this provider until 2026-05-31." in page("imaging", "--provider", NPI)
    given(ledger, change("enrolled", plan_id="SILVER", dependants=[]), change("terminated", on="2026-04-30"))
    ended = page("imaging", "--plan", "SILVER")
    why = "enrolled from 2026-01-01 on; terminated after 2026-04-30 (premium)"
    assert f"The patient is not covered on that day: {why}." in ended
    assert "yours" not in run("what-if", MEMBER, "--as-of", "2026-06-01").stdout.decode()


def test_what_a_member_was_shown_is_kept_once_for_a_key(run: Run, ledger: Ledger) -> None:
    asked = ("what-if", MEMBER, "--as-of", "2026-12-31", "--record", "portal-7")
    assert run(*asked).returncode == run("compare-plans", *asked[1:-1], "portal-8").returncode == 0
    given(ledger, claim("7", "2026-09-09", "HC:99213", 20_000, 15_000, copay=2_500))
    assert run(*asked).returncode == 0
    ledger.runner.catch_up()
    kept = rows(ledger.database, "SELECT * FROM plans_compared WHERE kind = 'own_year' ORDER BY number")
    assert [(row["plan_id"], float(row["together"])) for row in kept] == [
        ("BRONZE", 4_940), ("SILVER", 6_358), ("GOLD", 8_644)
    ]  # fmt: skip
    assert {row["known_at"] + 1 for row in kept} == {row["position"] for row in kept}
    assert value(ledger.database, "SELECT count(together) FROM plans_compared WHERE kind = 'benefits'") == 0
    assert value(ledger.database, "SELECT count(*) FROM plans_compared WHERE kind = 'benefits'") == 3
    assert [step.fact for step in timeline(ledger, MEMBER) if step.what == "comparison: made"] == ["coverage"] * 2
    given(
        ledger, change("enrolled", plan_id="SILVER", effective_from="2026-01-01")
    )  # with a spouse: of a family by now
    assert run(*asked).returncode == 0
    other = run("what-if", MEMBER, "--as-of", "2026-12-30", "--record", "portal-7")
    assert "something else was asked for under this key" in other.stderr.decode()
    assert (ledger.rebuild("plans_compared").only_in_old, run(*asked[:-1], "4111 1111 1111 1111").returncode) == (0, 2)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("what-if", MEMBER, "--as-of", "2026-12-31", "--lines", "NONE"), "no plan of this id"),
        (("what-if", MEMBER, "--use", "surgery:1:2"), "SERVICE:COUNT:ALLOWED"),
        (("estimate", MEMBER, "MRI", "--allowed", "1200"), "services: preventive, primary_care, specialist,"),
        (("estimate", MEMBER, "99213", "--provider", "xyz"), "no NPI"),
        (("estimate", MEMBER, "99213", "--provider", "1234567890"), "no NPI"),
        (("estimate", MEMBER, "27447", "--as-of", "2026-12-31"), "has no amounts"),
        (("estimate", MEMBER, "99213", "--as-of", "2020-12-31"), "names the member's plan"),
        (("estimate", MEMBER, "99213", "--as-of", "2026-12-31", "--patient", "NOBODY"), "ADA"),
    ],
)
def test_what_is_missing_or_wrong_is_named(run: Run, arguments: tuple[str, ...], problem: str) -> None:
    answer = run(*arguments)
    assert answer.returncode == 2
    assert problem in " ".join(answer.stderr.decode().replace("│", " ").split())


def test_an_empty_scenario_is_not_taken_for_the_members_own_year(run: Run, tmp_path: Path) -> None:
    scenario = tmp_path / "uses.json"
    scenario.write_text("[]")
    answer = run("what-if", MEMBER, "--as-of", "2026-12-31", "--scenario", str(scenario))
    assert answer.returncode == 2
    assert "a list of uses is wanted" in " ".join(answer.stderr.decode().replace("│", " ").split())


def test_of_whom_coverage_does_not_cover_it_is_said_why(run: Run, ledger: Ledger) -> None:
    given(ledger, change("enrolled", plan_id="SILVER", dependants=[]), change("terminated", on="2026-04-30"))
    answer = run("estimate", MEMBER, "imaging", "--allowed", "100", "--as-of", "2026-06-01")
    assert answer.returncode == 2
    said = " ".join(answer.stderr.decode().replace("│", " ").split())
    assert "not covered on 2026-06-01: enrolled from 2026-01-01 on; terminated after 2026-04-30 (premium)" in said
