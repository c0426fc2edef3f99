"""Everything that is known of a member, on one line of time."""

import json
from datetime import date

import pytest
from typer.testing import CliRunner

from adapters.cli.commands import app
from adapters.cli.timeline import FACT_OF, Fact, timeline
from adapters.settings import Settings
from application.topics import TOPICS
from composition import Ledger
from tests.given import ADA, damaged
from tests.integration.taking import take as taken_in
from tests.integration.test_accounts import claim, take
from tests.integration.test_paying import pay
from tests.unit.coverage import change
from tests.unit.notices import adjudicated, report
from tests.unit.payments import told
from tests.unit.plans import plan
from tests.unit.premiums import premium
from tests.unit.sign_ins import of_member, sign_in

MEMBER = ADA.member_id
OF_NO_MEMBER = {"remittance", "opening", "request", "bank", "message", "plan", "provider"}


def filled(ledger: Ledger) -> None:
    pay(ledger, told("posted", amount_cents=2_500))
    take(ledger, 1, claim("1", 8_000, ("1", 2_000), served=date(2026, 2, 20)))


def test_it_stands_in_the_order_in_which_it_happened(ledger: Ledger) -> None:
    filled(ledger)
    steps = timeline(ledger, MEMBER)
    assert [step.happened_on for step in steps] == sorted(step.happened_on for step in steps)
    by_topic = {step.what: (step.fact, step.cents) for step in steps}
    assert by_topic["claim: adjudicated"] == ("claim", 8_000)
    assert by_topic["bill: assessed"] == ("money", 2_000)
    assert by_topic["payment: posted"] == ("money", 2_500)
    positions = {step.what: step.position for step in steps}
    assert positions["payment: posted"] < positions["claim: adjudicated"]


def test_of_one_day_the_moment_decides_whatever_was_heard_first(ledger: Ledger) -> None:
    """In the plan's time zone, also where the sender writes another; what tells only a day begins it."""
    gold = plan("TGV-GOLD", open_enrolment={"first": "2026-04-01", "last": "2026-04-10"})
    asked = change("plan_change_requested", "2026-04-10T20:15:00-04:00")
    after = [sign_in("code_issued"), sign_in("registered", "E-2", "2026-04-10T20:00:00-04:00"),
             sign_in("session_ended", "E-3", "2026-04-11T03:30:00Z", by="member")]  # fmt: skip
    taken_in(ledger, gold, change("enrolled", "2025-11-18T09:00:00-05:00"), asked)
    taken_in(ledger, *(of_member(each, member_id="TGV100000001", payer_id="1078830634") for each in after))
    taken_in(ledger, premium("paid", on="2026-04-10"))
    day = [step for step in timeline(ledger, "TGV100000001") if step.happened_on == date(2026, 4, 10)]
    assert [(step.what, f"{step.happened_at:%H:%M}" if step.happened_at else "") for step in day] == [
        ("premium: paid", ""),
        ("login: registered", "20:00"),
        ("plan change: requested", "20:15"),
        ("login: session ended", "23:30"),
    ]


def test_what_tells_no_moment_stands_behind_what_its_stream_told_of_that_day(ledger: Ledger) -> None:
    taken_in(ledger, report("received", at="2026-02-20T10:00:00-05:00"), adjudicated(on="2026-02-20"))
    steps = timeline(ledger, "TGV100000001")
    whole = [(step.what, step.happened_at is None) for step in steps if step.fact is Fact.CLAIM]
    assert whole == [("claim: received", False), ("claim: adjudicated", True)]


def test_who_or_what_ended_it_is_a_reason_too(ledger: Ledger) -> None:
    failed = [sign_in("sign_in_failed", f"E-{at}", f"2026-03-02T07:0{at}:00-05:00") for at in range(5)]
    later = [sign_in("signed_in", "E-9", "2026-03-02T09:00:00-05:00"), sign_in("identity_proved", "E-10")]
    taken_in(ledger, *(of_member(each) for each in (*failed, *later)))
    why = {step.what: step.why for step in timeline(ledger, MEMBER)}
    assert (why["login: lockout ended"], why["login: identity proved"]) == ("ran out", "document")
    assert (why["login: signed in"], why["login: sign in failed"]) == ("passkey", "wrong password")


def test_nothing_of_another_member_stands_in_it(ledger: Ledger) -> None:
    filled(ledger)
    assert timeline(ledger, "NHP999999999") == []


def test_what_was_not_known_by_then_is_not_in_it(ledger: Ledger) -> None:
    filled(ledger)
    last = max(step.position for step in timeline(ledger, MEMBER))
    assert max(step.position for step in timeline(ledger, MEMBER, last - 1)) == last - 1


def test_what_cannot_be_read_stands_in_it_and_says_so(ledger: Ledger) -> None:
    filled(ledger)
    [posted] = [step for step in timeline(ledger, MEMBER) if step.what == "claim: adjudicated"]
    with damaged(ledger.log, posted.stream):
        [found] = [step for step in timeline(ledger, MEMBER) if step.position == posted.position]
    assert (found.event, found.told()["readable"]) == (None, False)


def test_every_kind_of_event_of_a_member_has_its_place() -> None:
    firsts = {topic.name.partition(".")[0] for topic in TOPICS}
    assert firsts == FACT_OF.keys() | OF_NO_MEMBER


def test_the_tool_replays_a_member_or_a_claim(
    ledger: Ledger, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.logs.configure", lambda _level: None)
    monkeypatch.setenv("LEDGER_DSN", str(settings.dsn))
    monkeypatch.setenv("LEDGER_KEYS", str(settings.keys))
    filled(ledger)
    answer = CliRunner().invoke(app, ["replay", MEMBER, "--json"]).output
    rows = [json.loads(row) for row in answer.splitlines()]
    assert {row["kind"] for row in rows} == {"claim", "money", "coverage"}
    assert "personal" not in rows[0]["facts"]
    claims = {row["stream"] for row in rows if row["kind"] == "claim"}
    [one] = claims
    [step] = CliRunner().invoke(app, ["replay", one, "--json"]).output.splitlines()
    assert json.loads(step)["topic"] == "claim.adjudicated:2"
    assert "adjudicated" in CliRunner().invoke(app, ["replay", MEMBER]).output
