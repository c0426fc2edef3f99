"""A request to change plans: when it is in time, what proves it, and what becomes of it.

Members may change in the open enrolment of the plan that they ask for, or for some days after a life event (special
enrolment, 45 CFR 155.420; 29 CFR 2590.701-6). The moment of the request counts, as a day in the plan's time zone; so do
those of all that is said of it later.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from domain.facts import Fact, StreamId
from domain.plan import BenefitDesign


class LifeEvent(StrEnum):
    """Triggering events of 45 CFR 155.420(d)."""

    BIRTH = "birth"
    ADOPTION = "adoption"
    MARRIAGE = "marriage"
    DIVORCE = "divorce"
    DEATH = "death"
    """Of the subscriber or a dependant"""
    MOVE = "move"
    """To where other plans are offered"""
    LOSS_OF_COVERAGE = "loss_of_coverage"
    INCOME_CHANGE = "income_change"
    """That makes newly eligible, or not any more, for help with premiums or cost"""


class Proof(StrEnum):
    BIRTH_CERTIFICATE = "birth_certificate"
    ADOPTION_RECORD = "adoption_record"
    MARRIAGE_CERTIFICATE = "marriage_certificate"
    DIVORCE_DECREE = "divorce_decree"
    DEATH_CERTIFICATE = "death_certificate"
    PROOF_OF_ADDRESS = "proof_of_address"
    TERMINATION_LETTER = "termination_letter"
    INCOME_STATEMENT = "income_statement"


class Rule(NamedTuple):
    proof: Proof
    days_before: int = 0
    """For how many days before the event one may ask already"""
    is_retroactive: bool = False
    """Whether coverage may begin with the event, before it was asked for"""


RULES: Mapping[str, Rule] = {
    LifeEvent.BIRTH: Rule(Proof.BIRTH_CERTIFICATE, is_retroactive=True),
    LifeEvent.ADOPTION: Rule(Proof.ADOPTION_RECORD, is_retroactive=True),
    LifeEvent.MARRIAGE: Rule(Proof.MARRIAGE_CERTIFICATE),
    LifeEvent.DIVORCE: Rule(Proof.DIVORCE_DECREE),
    LifeEvent.DEATH: Rule(Proof.DEATH_CERTIFICATE),
    LifeEvent.MOVE: Rule(Proof.PROOF_OF_ADDRESS),
    LifeEvent.LOSS_OF_COVERAGE: Rule(Proof.TERMINATION_LETTER, days_before=60),
    LifeEvent.INCOME_CHANGE: Rule(Proof.INCOME_STATEMENT),
}
"""What each takes: the two that begin with the event are those of 45 CFR 155.420(b)(2)(i), the 60 days before a loss
are those of 155.420(c)(2)"""

# --- what can be said


class Cause(Fact, frozen=True, omit_defaults=True, gc=False):
    """Why a member may change outside of open enrolment."""

    event: str
    """A LifeEvent, or what the source takes for one"""
    on: date
    proofs: tuple[Proof, ...] = ()
    """Those that were brought forward"""


class Requested(Fact, frozen=True, omit_defaults=True, gc=False, tag_field="kind", tag="plan_change_requested"):
    plan_id: str
    effective_on: date
    """The first day on which the other plan is to hold"""
    life_event: Cause | None = None
    """None: it is asked for in open enrolment"""
    zone: str = ""
    """IANA name of the time zone of the plan that is asked for; the decision adds it. Empty where it was recorded
    before that was kept: then each moment's own offset tells its day"""

    def in_zone(self, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(self.zone)) if self.zone else at

    def day_of(self, at: datetime) -> date:
        """The day on which anything was said of it, on the plan's clock."""
        return self.in_zone(at).date()


class Compared(Fact, frozen=True, omit_defaults=True, gc=False, tag_field="kind", tag="plan_change_compared"):
    request: StreamId = StreamId("")


class Confirmed(Fact, frozen=True, omit_defaults=True, gc=False, tag_field="kind", tag="plan_change_confirmed"):
    request: StreamId = StreamId("")


class Withdrawn(Fact, frozen=True, omit_defaults=True, gc=False, tag_field="kind", tag="plan_change_withdrawn"):
    request: StreamId = StreamId("")


class Reason(StrEnum):
    """Why a request is refused."""

    NOT_ENROLLED = "not_enrolled"
    """They have no coverage on that day that could change"""
    ALREADY_CHANGED = "already_changed"
    """They have that plan on that day, or a change for the same day is confirmed"""
    UNKNOWN_LIFE_EVENT = "unknown_life_event"
    OUTSIDE_WINDOW = "outside_window"
    """It was not asked for in open enrolment, or not within the days of the life event"""
    PROOF_MISSING = "proof_missing"
    TOO_EARLY = "too_early"
    """It would begin before it was asked for, and the life event does not allow that"""


# --- the rules


CONFIRM_DAYS = timedelta(30)
"""After the request, where it reaches back. As for the first premium, without which no coverage takes effect: 30 days
at least where it is retroactive, else its first day at the earliest (45 CFR 155.400(e)(1))"""


def refused(said: Requested, at: datetime, design: BenefitDesign) -> Reason | None:
    """Why a request of a moment is not granted by the design of the plan that it asks for, if it is not."""
    asked_on, cause = at.astimezone(ZoneInfo(design.zone)).date(), said.life_event
    if cause is None:
        window = design.open_enrolment
        if window is None or not window.first <= asked_on <= window.last:
            return Reason.OUTSIDE_WINDOW
        return Reason.TOO_EARLY if said.effective_on < asked_on else None
    rule = RULES.get(cause.event)
    if rule is None:
        return Reason.UNKNOWN_LIFE_EVENT
    first, last = cause.on - timedelta(rule.days_before), cause.on + timedelta(design.special_enrolment_days)
    if not first <= asked_on <= last:
        return Reason.OUTSIDE_WINDOW
    if rule.proof not in cause.proofs:
        return Reason.PROOF_MISSING
    earliest = min(cause.on, asked_on) if rule.is_retroactive else asked_on
    return Reason.TOO_EARLY if said.effective_on < earliest else None


# --- what follows


class Standing(StrEnum):
    REQUESTED = "requested"
    COMPARED = "compared"
    CONFIRMED = "confirmed"
    EFFECTIVE = "effective"
    """It was confirmed, and its day has come"""
    REPLACED = "replaced"
    """Another for its day was confirmed after it, or an enrolment in another plan for that day was said after it"""
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    """It was not confirmed in time"""
    REFUSED = "refused"


class Step(NamedTuple):
    at: datetime
    said: Compared | Confirmed | Withdrawn


class Request(NamedTuple):
    """One request, with all that was said of it."""

    request: StreamId
    at: datetime
    said: Requested
    steps: tuple[Step, ...]
    """In the order of their moments"""
    refused: Reason | None
    is_replaced: bool = False
    """By another change for its day, or by an enrolment in another plan"""

    @property
    def asked_at(self) -> datetime:
        """The moment of the request, in the plan's time zone."""
        return self.said.in_zone(self.at)

    @property
    def asked_on(self) -> date:
        return self.asked_at.date()

    @property
    def confirm_by(self) -> date:
        """The last day on which a confirmation counts: the first of the other plan, and some days after the request
        where it reaches back."""
        asked_on, effective_on = self.asked_on, self.said.effective_on
        return effective_on if asked_on <= effective_on else asked_on + CONFIRM_DAYS

    def by(self, day: date) -> "Request":
        """With what was said of it up to a day."""
        return self._replace(steps=tuple(step for step in self.steps if self.said.day_of(step.at) <= day))

    @property
    def confirmed_at(self) -> datetime | None:
        """When, if the change is to hold. Of confirmation and withdrawal the later counts; once the other plan holds
        nothing is withdrawn."""
        last = next((step for step in reversed(self.steps) if self._counts(step)), None)
        return last.at if last and isinstance(last.said, Confirmed) and not self.refused else None

    def _counts(self, step: Step) -> bool:
        on = self.said.day_of(step.at)
        match step.said:
            case Confirmed():
                return on <= self.confirm_by
            case Withdrawn():
                return on < self.said.effective_on
            case _:
                return False

    @property
    def holds(self) -> bool:
        """From its day on."""
        return self.confirmed_at is not None and not self.is_replaced

    def standing(self, day: date) -> Standing:
        if self.refused:
            return Standing.REFUSED
        if self.confirmed_at is not None and self.is_replaced:
            return Standing.REPLACED
        if self.holds:
            return Standing.EFFECTIVE if self.said.effective_on <= day else Standing.CONFIRMED
        kinds = {type(step.said) for step in self.steps if self.said.day_of(step.at) <= self.confirm_by}
        if Withdrawn in kinds:
            return Standing.WITHDRAWN
        if self.confirm_by < day:
            return Standing.LAPSED
        return Standing.COMPARED if Compared in kinds else Standing.REQUESTED


def of_one_day_the_last(requests: Iterable[Request]) -> list[Request]:
    """Of several that are confirmed for the same day the one that was confirmed last holds; in the order given."""
    requests = list(requests)
    last: dict[date, tuple[datetime, StreamId]] = {}
    for each in requests:
        if each.confirmed_at and not each.is_replaced:
            on, word = each.said.effective_on, (each.confirmed_at, each.request)
            last[on] = max(last.get(on, word), word)

    def is_replaced(each: Request) -> bool:
        _, holding = last.get(each.said.effective_on, (None, each.request))
        return each.is_replaced or holding != each.request

    return [each._replace(is_replaced=is_replaced(each)) for each in requests]
