"""JSON messages into a real ledger, and what became of them."""

from typing import Any

from adapters.cli.commands import TOLD_BY
from application.intake import Outcome
from application.ports import Format, Message
from composition import Ledger
from tests.unit.notices import encoded


def take(ledger: Ledger, *messages: Any, as_: Format | None = None) -> list[Outcome]:
    """One batch, and its events folded. Each message is of the kind that its fields tell, unless that is said."""
    values = [encoded(each) for each in messages]
    outcomes = ledger.intake.handle(
        [Message(f"test/0@{at}", each, as_ or _kind_of(each)) for at, each in enumerate(values)]
    )
    ledger.runner.catch_up()
    return outcomes


def _kind_of(message: bytes) -> Format:
    return next((kind for field, kind in TOLD_BY.items() if field in message), Format.JSON_CLAIM)


def reasons(outcomes: list[Outcome]) -> list[str]:
    """Why parts of them are parked."""
    return [part.park.reason for outcome in outcomes for part in outcome.parked]
