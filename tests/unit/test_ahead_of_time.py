"""What is told from the future waits, whether a message or a command tells it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from adapters.json_message import coverage, plan, sign_in
from application.commands import Request
from application.ports import NotUnderstood, OfOneStream, Translate, Understood
from application.requests import AheadOfTime, said_of
from domain.lockout import DEFAULT
from tests.given import IDS
from tests.unit import families, plans, sign_ins
from tests.unit.coverage import change
from tests.unit.notices import Message, encoded

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
MINUTES, DAY = timedelta(minutes=10), timedelta(days=1)

Telling = tuple[Translate, Callable[[str], Message], str, timedelta]
TOLD: list[Telling] = [
    (sign_in.translate, lambda at: sign_ins.sign_in("signed_in", at=at), "login.ahead_of_time", MINUTES),
    (sign_in.translate, lambda at: sign_ins.sign_in("sessions_revoked", at=at), "login.ahead_of_time", MINUTES),
    (coverage.translate, lambda at: change("enrolled", at), "coverage.ahead_of_time", DAY),
    (coverage.translate, lambda at: change("plan_change_requested", at), "coverage.ahead_of_time", DAY),
    (coverage.translate, lambda at: change("linked", at), "coverage.ahead_of_time", DAY),
    (coverage.translate, lambda at: families.said("consent_granted") | {"at": at}, "coverage.ahead_of_time", DAY),
]
"""By whom it is read, the message of a moment, as what it is refused, and how far clocks may differ"""


def read(translate: Translate, message: Message, now: datetime) -> Understood | NotUnderstood:
    with time_machine.travel(now, tick=False):
        [part] = translate(encoded(message))
    return part


def notice(translate: Translate, message: Message, now: datetime) -> OfOneStream:
    part = read(translate, message, now)
    assert isinstance(part, Understood)
    return part.said  # type: ignore[return-value] # these messages say something of one stream


def asked(said: OfOneStream, now: datetime) -> Request:
    return said_of(IDS, "key", said, DEFAULT, now)


@pytest.mark.parametrize(("translate", "of", "reason", "ahead"), TOLD)
def test_a_message_waits_until_its_moment(
    translate: Translate, of: Callable[[str], Message], reason: str, ahead: timedelta
) -> None:
    at = NOW + ahead
    early = read(translate, of(at.isoformat()), NOW - timedelta(seconds=1))
    assert isinstance(early, NotUnderstood)
    assert (early.reason, early.detail) == (reason, "")
    assert isinstance(read(translate, of(at.isoformat()), NOW), Understood)


@pytest.mark.parametrize(("translate", "of", "reason", "ahead"), TOLD)
def test_a_command_is_refused_until_its_moment_as_what_the_message_is_parked_for(
    translate: Translate, of: Callable[[str], Message], reason: str, ahead: timedelta
) -> None:
    at = NOW + ahead
    said = notice(translate, of(at.isoformat()), at)
    with pytest.raises(AheadOfTime, match=f"^{reason}$"):
        asked(said, NOW - timedelta(seconds=1))
    assert asked(said, NOW).key == "key"


def test_what_only_tells_days_may_lie_ahead() -> None:
    design = plans.plan(effective_from="2030-01-01", effective_to="2030-12-31")
    assert asked(notice(plan.translate, design, NOW), NOW).key == "key"
