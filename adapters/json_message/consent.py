"""What plans say of who may see what of whom, as JSON: kinds of the messages of topic coverage.changes."""

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from adapters.json_message.parts import YEARS, Number, Part
from domain import consent
from domain.consent import Area, Kind, Notice, Numbers, Party, Relationship
from domain.person import Names

Areas = Annotated[tuple[Area, ...], Meta(min_length=1, max_length=len(Area), description="Each once")]
OptionalDay = date | None | UnsetType
ByThem = Literal["subject", "representative"]
"""Nobody but the subject, or who may decide for them, can consent"""


class Viewer(Part, frozen=True, gc=False):
    given_name: Number
    member_id: Number | UnsetType = UNSET
    """Where it is not the subject's"""


class _OfSubject(Part, frozen=True, gc=False, kw_only=True, tag_field="kind"):
    subject: Annotated[Number, Meta(description="Given name of the person of whom something may be seen or not")]
    by: ByThem


class _OfViewer(_OfSubject, frozen=True, gc=False, kw_only=True):
    viewer: Viewer


class FamilyLinked(Part, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="family_linked"):
    """What one person of a family is to another, from this moment on."""

    subject: Number
    viewer: Viewer
    by: Party
    relationship: Annotated[Relationship, Meta(description="What the viewer is to the subject")]


class ConsentGranted(_OfViewer, frozen=True, gc=False, kw_only=True, tag="consent_granted"):
    """The viewer may see these areas."""

    areas: Areas
    first_on: OptionalDay = UNSET
    until: OptionalDay = UNSET


class ConsentLimited(_OfViewer, frozen=True, gc=False, kw_only=True, tag="consent_limited"):
    """Of all that was granted before, the viewer may see only these areas still."""

    areas: Areas


class ConsentRevoked(_OfViewer, frozen=True, gc=False, kw_only=True, tag="consent_revoked"):
    """All that was granted before is taken back."""


class ConfidentialRequested(
    _OfSubject, frozen=True, gc=False, kw_only=True, tag="confidential_communications_requested"
):
    """Communications are to come to nobody but the subject (45 CFR 164.522(b))."""


class ConfidentialWithdrawn(
    _OfSubject, frozen=True, gc=False, kw_only=True, tag="confidential_communications_withdrawn"
):
    """They may come to others again."""


Said = FamilyLinked | ConsentGranted | ConsentLimited | ConsentRevoked | ConfidentialRequested | ConfidentialWithdrawn


def notice(payer_id: str, member_id: str, change_id: str, at: datetime, read: Said) -> Notice:
    """In the domain's terms."""
    said = {name: value for name, value in msgspec.structs.asdict(read).items() if value not in (UNSET, None)}
    subject, viewer, by = Names(member_id, given_name=said.pop("subject")), said.pop("viewer", None), Party(read.by)
    kind = Kind(str(read.__struct_config__.tag))
    del said["by"]
    return Notice(
        payer_id=payer_id,
        subject=subject,
        numbers=Numbers(change_id),
        said=consent.Said(kind, at, by, **said),
        viewer=viewer and Names(viewer.member_id or member_id, given_name=viewer.given_name),
    )


# --- what types don't say: each rule gives what breaks it, in the message's own names, else nothing


def years_are_possible(notice: Notice) -> str:
    if notice.said.at.year not in YEARS:
        return "$.at: out of bounds"
    for name in ("first_on", "until"):
        day: date | None = getattr(notice.said, name)
        if day is not None and day.year not in YEARS:
            return f"$.said.{name}: out of bounds"
    return ""


def consent_ends_after_it_begins(notice: Notice) -> str:
    """A first day that is not told is that of the moment by the plan's clock: the sender's, or one beside it."""
    at, first_on, until = notice.said.at.date(), notice.said.first_on, notice.said.until
    ends_before = until is not None and (until < first_on if first_on else (at - until).days > 1)
    return "$.said.until: before it begins" if ends_before else ""


def areas_stand_once(notice: Notice) -> str:
    return "$.said.areas: one of them twice" if len({*notice.said.areas}) < len(notice.said.areas) else ""


def viewer_is_another(notice: Notice) -> str:
    def folded(names: Names) -> tuple[str, str]:
        return names.member_id.upper(), names.given_name.strip().upper()

    is_same = notice.viewer is not None and folded(notice.viewer) == folded(notice.subject)
    return "$.said.viewer: the subject" if is_same else ""


RULES = (years_are_possible, consent_ends_after_it_begins, areas_stand_once, viewer_is_another)
