"""Texts and filters as they stand in the database: what is loaded, what is saved, and what a filter matches."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest

from adapters.codes import Loaded, NotAList, System, shipped
from adapters.filters import Filters, Looks, NotAFilter, rule
from adapters.settings import Settings
from composition import Ledger, initialise
from tests.conftest import new_database
from tests.given import rows, value

MATCHES = "SELECT matches_filter(%s, %s, %s, %s, %s::jsonb)"

# --- texts

OFFICIAL = b"code,description,start,stop\n45,Official words,2010-01-01,2020-12-31\n999,Brand new,,\n"


def test_without_a_list_the_texts_are_ours(ledger: Ledger) -> None:
    assert ledger.codes.text("carc", "45") == shipped(System.CARC)["45"]
    assert ledger.codes.text("rarc", "ma01", date(2026, 1, 1)) == shipped(System.RARC)["MA01"]
    assert ledger.codes.text("carc", "909099") == ""


def test_an_official_text_goes_first_while_it_holds(ledger: Ledger) -> None:
    assert ledger.codes.text("carc", "999") == ""
    assert ledger.codes.load(System.CARC, OFFICIAL) == Loaded(codes=2, replaced=0)
    assert ledger.codes.text("carc", "45") == "Official words"
    for day in (date(2010, 1, 1), date(2020, 12, 31)):
        assert ledger.codes.text("carc", "45", day) == "Official words"
    for day in (date(2009, 12, 31), date(2021, 1, 1)):
        assert ledger.codes.text("carc", "45", day) == shipped(System.CARC)["45"]
    assert ledger.codes.text("carc", "999", date(1990, 1, 1)) == "Brand new"
    assert ledger.codes.text("carc", "1") == shipped(System.CARC)["1"]
    assert ledger.codes.text("rarc", "999") == ""


def test_loading_again_replaces_that_list_and_no_other(ledger: Ledger) -> None:
    ledger.codes.load(System.RARC, b"code,description\n45,A remark\n")
    ledger.codes.load(System.CARC, OFFICIAL)
    assert ledger.codes.load(System.CARC, OFFICIAL) == Loaded(2, 2)
    assert ledger.codes.load(System.CARC, b"code,description\n1,One\n") == Loaded(1, 2)
    assert ledger.codes.text("carc", "999") == ""
    assert ledger.codes.text("rarc", "45") == "A remark"


def test_a_list_with_a_mistake_at_its_end_changes_nothing(ledger: Ledger) -> None:
    ledger.codes.load(System.CARC, OFFICIAL)
    before = rows(ledger.database, "SELECT * FROM code_text ORDER BY code")
    with pytest.raises(NotAList):
        ledger.codes.load(System.CARC, b"code,description\n1,One\n2,\n")
    assert rows(ledger.database, "SELECT * FROM code_text ORDER BY code") == before


def test_a_long_list_is_loaded_whole(ledger: Ledger) -> None:
    data = b"code,description\n" + b"".join(b"%d,%s\n" % (code, b"x" * 1_800) for code in range(5_000))
    assert ledger.codes.load(System.CARC, data) == Loaded(5_000, 0)
    assert value(ledger.database, "SELECT count(*) FROM code_text") == 5_000


def test_lists_that_are_loaded_at_once_take_turns(ledger: Ledger) -> None:
    with ThreadPoolExecutor(4) as pool:
        loaded = list(pool.map(lambda _: ledger.codes.load(System.CARC, OFFICIAL), range(8)))
    assert sorted(each.replaced for each in loaded) == [0] + [2] * 7


# --- filters, stored

VISITS = [rule(Looks.REVENUE, "0450-0459"), rule(Looks.CLAIM_TYPE, "pharmacy")]


def test_the_shipped_filters_are_there_from_the_start(ledger: Ledger) -> None:
    names = {row["name"]: row for row in ledger.filters.all()}
    assert names.keys() >= {"only prescriptions", "emergency visits", "preventive care", "lab tests", "imaging"}
    assert names.keys() >= {"mental health", "dental", "hospital stays"}
    assert all(row["shipped"] and row["rules"] for row in names.values())
    assert {"system": "revenue", "code_from": "0450", "code_to": "0459", "valid_from": None, "valid_to": None} in (
        ledger.filters.rules("Emergency Visits")
    )


def test_initialising_renews_the_shipped_filters_and_leaves_own_ones(ledger: Ledger, settings: Settings) -> None:
    ledger.filters.save("mine", VISITS)
    with ledger.database.session() as cursor:
        cursor.execute("DELETE FROM claim_filter WHERE name = 'dental'")
        cursor.execute("DELETE FROM claim_filter_rule WHERE filter = 'imaging'")
        cursor.execute("INSERT INTO claim_filter VALUES ('of an older version', true)")
        cursor.execute("DELETE FROM claim_filter WHERE name = 'eye care'")
    ledger.filters.save("eye care", VISITS)
    initialise(settings).close()
    found = {row["name"]: (row["shipped"], row["rules"]) for row in ledger.filters.all()}
    assert found["mine"] == found["eye care"] == (False, 2)
    assert found["dental"] == (True, 4)
    assert found["imaging"][1] > 5
    assert "of an older version" not in found


def test_a_filter_is_saved_replaced_and_removed_by_name(ledger: Ledger) -> None:
    ledger.filters.save("My  Visits", [*VISITS, VISITS[0]])
    assert [row["code_from"] for row in ledger.filters.rules("my visits")] == ["pharmacy", "0450"]
    ledger.filters.save("my visits", VISITS[:1])
    assert len(ledger.filters.rules("MY VISITS")) == 1
    ledger.filters.remove("my visits")
    with pytest.raises(NotAFilter, match="no filter is named my visits"):
        ledger.filters.named("my visits")
    assert value(ledger.database, "SELECT count(*) FROM claim_filter_rule WHERE filter = 'my visits'") == 0


def test_what_is_refused_changes_nothing(ledger: Ledger) -> None:
    before = rows(ledger.database, "SELECT * FROM claim_filter_rule ORDER BY filter, system, code_from, valid_from")
    with pytest.raises(NotAFilter, match="stays as it is"):
        ledger.filters.save("emergency visits", VISITS)
    with pytest.raises(NotAFilter, match="cannot be removed"):
        ledger.filters.remove("Emergency visits")
    with pytest.raises(NotAFilter, match="needs something to look for"):
        ledger.filters.save("nothing", [])
    with pytest.raises(NotAFilter, match="no filter is named nothing"):
        ledger.filters.remove("nothing")
    after = rows(ledger.database, "SELECT * FROM claim_filter_rule ORDER BY filter, system, code_from, valid_from")
    assert after == before


def test_filters_that_are_saved_at_once_take_turns(ledger: Ledger) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: ledger.filters.save("mine", VISITS), range(8)))
    assert len(ledger.filters.rules("mine")) == 2


# --- filters, matched


@pytest.fixture(scope="module")
def shared(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """One ledger with the shipped filters and some more. Tests leave it as it is."""
    with new_database(server) as database:
        folder = tmp_path_factory.mktemp("shared")
        ledger = initialise(Settings(dsn=database, keys=folder / "keys", data=folder))
        filters = Filters(ledger.database)
        in_2025 = (date(2025, 1, 1), date(2025, 12, 31))
        filters.save("dated procedure", [rule(Looks.PROCEDURE, "99281-99285", *in_2025)])
        filters.save("dated place", [rule(Looks.PLACE_OF_SERVICE, "23", *in_2025)])
        filters.save("category three", [rule(Looks.PROCEDURE, "0500T-0599T")])
        filters.save("a mental health bed", [rule(Looks.REVENUE, "1001")])
        filters.save("a bill type", [rule(Looks.BILL_TYPE, "11")])
        filters.save("an office", [rule(Looks.PLACE_OF_SERVICE, "11")])
        yield ledger
        ledger.close()


def matches(
    ledger: Ledger,
    name: str,
    *lines: dict[str, Any],
    claim_type: str = "professional",
    facility: str = "11",
    day: str | None = "2026-02-02",
) -> bool:
    answer = value(ledger.database, MATCHES, name, claim_type, facility, day, json.dumps(lines))
    assert isinstance(answer, bool)
    return answer


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({"procedure": "HC:99281"}, True),
        ({"procedure": "HC:99285:25:LT"}, True),
        ({"procedure": "hc:g0380"}, True),
        ({"procedure": "99283"}, True),
        ({"procedure": "HC:G0384:25"}, True),
        ({"procedure": "HC:99280"}, False),
        ({"procedure": "HC:99286"}, False),
        ({"procedure": "HC:9928"}, False),
        ({"procedure": "HC:992831"}, False),
        ({"procedure": "HC:G0385"}, False),
        ({"procedure": "HC:99213:99281"}, False),  # a modifier's place
        ({"procedure": "N4:99281"}, True),  # whatever the code set: the code is one of the range
        ({"procedure": "HC:99213", "revenue_code": "0450"}, True),
        ({"procedure": "HC:99213", "revenue_code": "450"}, True),
        ({"procedure": "HC:99213", "revenue_code": "0459"}, True),
        ({"procedure": "HC:99213", "revenue_code": "0460"}, False),
        ({"procedure": "HC:99213", "revenue_code": "0449"}, False),
        ({"procedure": "HC:99213", "revenue_code": "981"}, True),
        ({"procedure": "HC:99213", "revenue_code": "0982"}, False),
        ({"procedure": "HC:99213", "revenue_code": "00450"}, True),
        ({"procedure": "HC:99213", "revenue_code": "10450"}, False),
        ({"procedure": "HC:99213", "revenue_code": ""}, False),
        ({"procedure": "NU:0450"}, True),
        ({"procedure": "NU:450"}, True),
        ({"procedure": "NU:0460"}, False),
        ({"procedure": ""}, False),
        ({}, False),
    ],
    ids=str,
)
def test_a_line_makes_a_claim_an_emergency_visit(shared: Ledger, line: dict[str, Any], expected: bool) -> None:
    assert matches(shared, "emergency visits", line) is expected
    assert matches(shared, "emergency visits", {"procedure": "HC:85025"}, line) is expected


def test_a_place_of_service_makes_one_too_but_not_a_type_of_bill_with_the_same_digits(shared: Ledger) -> None:
    assert matches(shared, "emergency visits", facility="23")
    assert not matches(shared, "emergency visits", facility="23", claim_type="institutional")
    assert not matches(shared, "emergency visits", facility="13", claim_type="institutional")
    assert matches(shared, "emergency visits", {"revenue_code": "0450"}, facility="13", claim_type="institutional")


def test_an_office_and_an_inpatient_bill_have_the_same_code_and_are_told_apart(shared: Ledger) -> None:
    assert matches(shared, "an office", claim_type="professional")
    assert not matches(shared, "an office", claim_type="institutional")
    assert matches(shared, "a bill type", claim_type="institutional")
    assert not matches(shared, "a bill type", claim_type="professional")
    assert matches(shared, "hospital stays", claim_type="institutional")
    assert not matches(shared, "hospital stays", claim_type="professional")
    assert matches(shared, "hospital stays", claim_type="professional", facility="21")


def test_prescriptions_are_pharmacy_claims_and_lines_billed_by_drug_code(shared: Ledger) -> None:
    assert matches(shared, "only prescriptions", claim_type="pharmacy")
    assert matches(shared, "only prescriptions", {"procedure": "N4:00093714601"})
    assert matches(shared, "only prescriptions", {"procedure": "N4:00093-7146-01"})
    assert not matches(shared, "only prescriptions", {"procedure": "HC:J1100"})


@pytest.mark.parametrize(
    ("name", "line", "claim"),
    [
        ("preventive care", {"procedure": "HC:99396:33"}, {}),
        ("lab tests", {"procedure": "HC:85025"}, {}),
        ("lab tests", {"procedure": "HC:0001U"}, {}),
        ("lab tests", {}, {"facility": "81"}),
        ("imaging", {"procedure": "HC:73721:RT"}, {}),
        ("imaging", {"procedure": "NU:0320"}, {"claim_type": "institutional"}),
        ("mental health", {"procedure": "HC:90834"}, {}),
        ("mental health", {}, {"facility": "53"}),
        ("dental", {"procedure": "AD:D0120"}, {}),
        ("dental", {}, {"claim_type": "dental"}),
        ("eye care", {"procedure": "HC:V2100"}, {}),
        ("telehealth", {}, {"facility": "10"}),
    ],
    ids=str,
)
def test_the_other_shipped_filters_find_what_they_are_named_for(
    shared: Ledger, name: str, line: dict[str, Any], claim: dict[str, str]
) -> None:
    assert matches(shared, name, line, **claim)
    assert not matches(shared, name, {"procedure": "HC:99213"})


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2024-12-31", False), ("2025-01-01", True), ("2025-12-31", True), ("2026-01-01", False), (None, True)],
)
def test_a_rule_holds_for_days_of_service(shared: Ledger, day: str | None, expected: bool) -> None:
    line = {"procedure": "HC:99283"}
    assert matches(shared, "dated procedure", line, day=day) is expected
    assert matches(shared, "dated procedure", {**line, "service_from": day}, day="2025-06-01") is (expected or not day)
    assert matches(shared, "dated procedure", {**line, "service_from": day}, day=None) is expected
    assert matches(shared, "dated place", line, facility="23", day=day) is expected


def test_the_lines_own_day_counts_before_the_claims(shared: Ledger) -> None:
    line = {"procedure": "HC:99283", "service_from": "2026-01-01"}
    assert not matches(shared, "dated procedure", line, day="2025-12-31")
    assert matches(shared, "dated procedure", {**line, "service_from": "2025-12-31"}, day="2026-01-01")


def test_a_code_is_in_a_range_only_if_it_is_built_like_its_ends(shared: Ledger) -> None:
    assert matches(shared, "category three", {"procedure": "HC:0500T"})
    assert matches(shared, "category three", {"procedure": "HC:0599T"})
    assert not matches(shared, "category three", {"procedure": "HC:0550F"})
    assert not matches(shared, "category three", {"procedure": "HC:05500"})


def test_a_revenue_code_is_not_cut_to_four_digits(shared: Ledger) -> None:
    assert matches(shared, "a mental health bed", {"revenue_code": "1001"})
    assert not matches(shared, "a mental health bed", {"revenue_code": "10010"})


def test_a_claim_without_anything_to_look_at_and_a_filter_without_a_name_match_nothing(shared: Ledger) -> None:
    assert not matches(shared, "no such filter", {"procedure": "HC:99283"})
    assert value(shared.database, MATCHES, "emergency visits", None, None, None, None) is False
    assert value(shared.database, MATCHES, None, "professional", "23", None, "[]") is False


def test_the_filter_is_one_condition_of_a_query_over_claims(shared: Ledger) -> None:
    claims = """
    SELECT number FROM (VALUES
        (1, date '2026-01-01', 'professional', '23', '1', '[]'::jsonb),
        (2, date '2026-01-01', 'professional', '11', '1', '[{"procedure": "HC:99284:25"}]'),
        (3, date '2026-01-01', 'professional', '11', '1', '[{"procedure": "HC:99213"}]'),
        (4, NULL, 'institutional', '13', '1', '[{"procedure": "HC:70450"}, {"procedure": "", "revenue_code": "0450"}]')
    ) AS claim_history (number, service_from, claim_type, facility_code, frequency_code, lines)
    WHERE %(filter)s::text IS NULL OR matches_filter(%(filter)s, claim_type, facility_code, service_from, lines)
    ORDER BY number
    """
    with shared.database.session() as cursor:
        for name, expected in (("emergency visits", [1, 2, 4]), ("imaging", [4]), (None, [1, 2, 3, 4])):
            found = cursor.execute(claims, {"filter": name}).fetchall()
            assert [row["number"] for row in found] == expected
