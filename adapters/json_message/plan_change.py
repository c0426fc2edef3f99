"""What is said of a request to change plans, among the messages of topic coverage.changes."""

from datetime import date
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from adapters.json_message.parts import Number, Part, Word
from domain.plan_change import Proof


class LifeEvent(Part, frozen=True, gc=False, kw_only=True):
    """Why a member may change outside of open enrolment. What the ledger does not know is refused, and said so."""

    event: Word
    on: date
    proofs: tuple[Proof, ...] | UnsetType = UNSET


class Requested(Part, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="plan_change_requested"):
    """A member asks for another plan. The message's `at` is the moment that counts."""

    plan_id: Number
    effective_on: Annotated[date, Meta(description="The first day on which the other plan is to hold")]
    life_event: LifeEvent | UnsetType | None = UNSET


class Compared(Part, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="plan_change_compared"):
    """They looked at what both plans cost."""

    of_change_id: Number


class Confirmed(Part, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="plan_change_confirmed"):
    of_change_id: Number


class Withdrawn(Part, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="plan_change_withdrawn"):
    of_change_id: Number
