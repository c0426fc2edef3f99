"""Remittances into a real ledger, and what became of them."""

from typing import Any

import msgspec

from adapters.postgres.bills import PostgresBills
from adapters.postgres.event_log import PostgresEventLog
from adapters.x12.translate import translate
from application.intake import Intake, Outcome
from application.ports import Format, Message, Translate
from composition import Ledger
from consumers.messages import balanced
from domain.facts import StreamId
from samples import generator
from tests.given import ADA, BENITO, CARMEN, paid, rows

A, B, C = paid("A", ADA), paid("B", BENITO), paid("C", CARMEN)


def take(ledger: Ledger, *taken: Message) -> Outcome:
    """One batch; what became of all of it."""
    total = Outcome()
    for outcome in ledger.intake.handle(taken):
        total.add(outcome)
    return total


def reasons(outcome: Outcome) -> list[str]:
    return [str(parked.park.reason) for parked in outcome.parked]


def only(outcome: Outcome) -> StreamId:
    [parked] = outcome.parked
    return parked.parked_id


def topics(ledger: Ledger) -> list[str]:
    return [
        row["topic"].partition(":")[0]
        for row in rows(ledger.database, "SELECT topic FROM events ORDER BY notification_id")
    ]


def postings(ledger: Ledger) -> int:
    return sum(topic.startswith("claim.") for topic in topics(ledger))


def parked(ledger: Ledger) -> list[tuple[str, str]]:
    """Reason and state of every item, in order."""
    return [(item.reason, item.state) for item in ledger.log.parked_items(include_settled=True)]


def stream_of(ledger: Ledger, claim: generator.Claim) -> StreamId:
    person = ledger.ids.stream("person", "1078810412", claim.member.member_id, claim.member.given_name)
    return ledger.ids.stream("claim", "1078810412", "payer", claim.claim_number, person)


def paid_on(ledger: Ledger, claim: generator.Claim) -> list[str]:
    """The days of a claim's postings, in the order in which they were recorded."""
    states = [msgspec.json.decode(each.stored.state) for each in ledger.log.history(stream_of(ledger, claim))]
    return [state["day"] for state in states]


def intake(
    ledger: Ledger, *, log: PostgresEventLog | None = None, translates: Translate = translate, **limits: Any
) -> Intake:
    translations = {Format.X12_835: balanced(translates)}
    return Intake(
        log or ledger.log,
        ledger.mapper,
        ledger.keys,
        ledger.ids,
        translations,
        PostgresBills(ledger.database, ledger.ids),
        **limits,
    )


def raw_ids(ledger: Ledger) -> list[str]:
    return [row["raw_id"] for row in rows(ledger.database, "SELECT raw_id::text FROM parked_raw")]
