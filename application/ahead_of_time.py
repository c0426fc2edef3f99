"""What is told to have happened later than now, by a message or by a command: a clock is wrong.

Where the last word holds, one from the future would hold against all that is said until then. It is taken in once its
moment came, by the clock of whoever tells it again or retries it.
"""

from datetime import datetime
from typing import assert_never

from application.ports import OfOneStream
from domain import consent, coverage, identity, payment, person, plan, premium, schedule, settlement, sign_in
from domain.directory import ProviderNotice


def ahead_of_time(notice: OfOneStream, now: datetime) -> identity.Refusal | coverage.Refusal | None:
    """As what it is refused, or parked, where it tells of later than clocks may differ; None where it does not."""
    match notice:
        case sign_in.Notice():
            return identity.Refusal.AHEAD_OF_TIME if notice.said.at > now + sign_in.AHEAD else None
        case coverage.CoverageNotice() | person.LinkNotice():
            at = notice.at
        case consent.Notice():
            at = notice.said.at
        case (
            payment.PaymentNotice()
            | schedule.ScheduleNotice()
            | settlement.BankNotice()
            | premium.Notice()
            | plan.PlanNotice()
            | ProviderNotice()
        ):
            return None  # days of theirs may lie ahead, and where a last word holds, it does from its day on
        case _:
            assert_never(notice)
    return coverage.Refusal.AHEAD_OF_TIME if at > now + coverage.AHEAD else None
