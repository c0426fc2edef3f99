"""What the ledger says, in the words of the independent model (tests/model.py), so that the two can be compared."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from psycopg.rows import dict_row

from application.streams import coverage_stream
from composition import Ledger
from domain import claim
from domain.adjudication import ClaimNumbers
from domain.claim import ClaimEvent
from domain.coverage import CoverageEnrolled
from domain.facts import Event
from domain.payment import PaymentInitiated, PaymentPosted, said_by
from domain.person import PersonIdentified
from domain.remittance import RemittanceReceived
from domain.sign_in_events import SignedIn, SignInFailed
from domain.standing import standing
from samples import portal
from samples.telling import Message
from tests.delivery import recorded
from tests.model import Key


def stands(state: claim.Claim) -> dict[str, Any]:
    """Where the ledger says that a claim stands."""
    found = standing(state)
    return {
        "status": found.status,
        "charge": found.charge_cents,
        "paid": found.paid_cents,
        "member": found.member_cents,
        "cash": found.cash_cents,
        "awaits": found.awaits,
        "appeal": (found.appeal, found.appeal_level),
        "sequence": found.payer_sequence,
        "facts": len(state.said),
    }


CLAIMS = """
SELECT claim_id::text, status, (charge * 100)::bigint AS charge, (paid * 100)::bigint AS paid,
       (member_owes * 100)::bigint AS member, (cash * 100)::bigint AS cash, awaits, appeal, appeal_level,
       payer_sequence AS sequence, events AS facts
FROM claim_status
"""
BALANCES = "SELECT balance_id::text, (outstanding * 100)::bigint AS outstanding FROM provider_balances"
BILLS = "SELECT bill_id::text, (member_owes * 100)::bigint AS member_owes FROM bills"


def told(ledger: Ledger, bills: Iterable[tuple[str, str, str, str]]) -> dict[str, Any]:
    """By its log and by its views. `bills` are those to look at: provider, its number, given name, first day."""
    events = recorded(ledger)
    names = {stream: (p.member_id, p.given_name) for _, stream, e, p in events if isinstance(e, PersonIdentified)}
    states: dict[Key, claim.Claim] = {}
    streams: dict[Key, str] = {}
    payments, outstanding = 0, Counter[Any]()
    for _, stream, event, personal in events:
        if isinstance(event, ClaimEvent):
            assert isinstance(personal, ClaimNumbers)
            number = personal.payer_claim_number or personal.patient_control_number
            key = (event.payer_id, number, *names[event.person])
            assert streams.setdefault(key, stream) == stream, "one claim is one stream"
            states[key] = claim.evolve(states.get(key, claim.INITIAL), event)
        elif isinstance(event, RemittanceReceived):
            payments += 1
            for entry, reference in zip(event.provider_adjustments, personal or (), strict=True):
                if entry.reason in ("WO", "FB"):
                    outstanding[event.payer.payer_id, event.payee.provider_id, entry.reason, reference] -= entry.cents
    assert len(set(streams.values())) == len(streams), "different claims are different streams"
    key_of = {stream: key for key, stream in streams.items()}
    with ledger.database.session() as cursor:
        read = cursor.connection.cursor(row_factory=dict_row)
        shown = {key_of[row.pop("claim_id")]: row for row in read.execute(CLAIMS).fetchall()}
        owed = {row["bill_id"]: row["member_owes"] for row in read.execute(BILLS).fetchall()}
        balances = {row["balance_id"]: row["outstanding"] for row in read.execute(BALANCES).fetchall()}
    for row in shown.values():
        row["appeal"] = row["appeal"], row.pop("appeal_level")
    return {
        "claims": {key: stands(state) for key, state in states.items()},
        "claim_status": shown,
        "bills": {bill: owed.get(ledger.ids.stream("bill", *bill)) for bill in bills},
        "parked": dict(Counter(item.reason for item in ledger.log.parked_items())),
        "payments": payments,
        "outstanding": {what: cents for what, cents in outstanding.items() if cents},
        "provider_balances": {
            what: cents for what in outstanding if (cents := balances.get(ledger.ids.stream("balance", *what)))
        },
    }


def differences(ledger: dict[str, Any], model: dict[str, Any]) -> list[str]:
    """One line for each thing of which they say otherwise."""
    model = {**model, "claim_status": model["claims"], "provider_balances": model["outstanding"]}
    found = []
    for part, says in ledger.items():
        truth = model[part]
        if not isinstance(says, dict):
            says, truth = {"": says}, {"": truth}
        for what in sorted(says.keys() | truth.keys(), key=str):
            one, other = _compared(says.get(what), truth.get(what))
            if one != other:
                found.append(f"{part} {what}: the ledger says {one}, the model {other}")
    return found


def _compared(one: Any, other: Any) -> tuple[Any, Any]:
    """Of two dicts the entries that both have and that differ."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return one, other
    differing = [name for name in one.keys() & other.keys() if one[name] != other[name]]
    return {name: one[name] for name in differing}, {name: other[name] for name in differing}


# --- what portals and their neighbours say, each thing once


def said_once(ledger: Ledger, messages: Iterable[Message]) -> list[str]:
    """One line for each thing that messages of portals, processors and enrolments say and that is not in the log just
    once, and for each that is there and that nobody said."""
    said = {_named(ledger, message) for message in messages}
    found = Counter(name for _, stream, event, _ in recorded(ledger) if (name := _name(stream, event)))
    return [
        *(f"{name} is in the log {found[name]} times" for name in sorted(said) if found[name] != 1),
        *(f"{name} is in the log, and nobody said it" for name in sorted(found.keys() - said)),
    ]


def _named(ledger: Ledger, message: Message) -> str:
    told, stream = json.loads(message.value), ledger.ids.stream
    match message.topic:
        case portal.SIGN_INS:
            return f"sign-in {stream('sign_in', told['portal_id'], told['said']['event_id'])}"
        case portal.PAYMENTS:
            return f"payment {told['said']['kind']} {stream('payment', told['payer_id'], told['payment_id'])}"
        case portal.CHANGES:
            coverage = coverage_stream(ledger.ids, told["payer_id"], told["member_id"])
            return f"change {stream('coverage_change', coverage, told['change_id'])}"
        case _:
            raise AssertionError(message.topic)


def _name(stream: str, event: Event) -> str:
    match event:
        case SignedIn() | SignInFailed():
            return f"sign-in {event.fact}"
        case PaymentInitiated() | PaymentPosted():
            return f"payment {said_by(event).kind} {stream}"
        case CoverageEnrolled():
            return f"change {event.change}"
        case _:
            return ""
