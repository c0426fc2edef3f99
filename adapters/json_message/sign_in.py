"""What portals say of accounts as JSON: the model, which is the source of docs/schemas/sign-in-1.json, and the way from
the bytes of a message to what is said in it, or to the reason why it must be parked.
"""

from ipaddress import ip_address
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from adapters.json_message.lines import by_line, one
from adapters.json_message.parts import YEARS, At, Id, Number, Part
from adapters.json_message.reader import Fault, Reader
from domain.account_numbers import holds_account_number
from domain.identity import Refusal
from domain.sign_in import App, Factor, Grade, Kind, Member, Notice, Numbers, Personal, Proof, Said, Scope

VERSION = 1

OF_A_BROWSER_MAX = 8_000
"""Who signs in sends what they like: it must not keep an attempt from being counted"""
Address = Annotated[str, Meta(max_length=45, description="IP address, version 4 or 6", examples=["203.0.113.7"])]
Country = Annotated[
    str, Meta(pattern="^[A-Z]{2}$", description="ISO 3166-1 alpha-2, as far as the address tells", examples=["US"])
]
DeviceId = Annotated[
    str,
    Meta(
        max_length=OF_A_BROWSER_MAX,
        description="What the portal marks a device by: a cookie of its own. None that is empty or longer than 80",
    ),
]
DEVICE = "What the device is called, of which 80 characters are kept, and nothing where it holds an account number"
Told = Literal[
    "wrong_password",
    "wrong_second_factor",
    "expired_password",
    "expired_code",
    "unknown_user",
    "not_activated",
    "terms_not_accepted",
    "disabled",
    "abandoned",
]
"""By a portal: `locked` is the ledger's own word"""
Anyone = Literal["member", "agent", "portal"]
Helper = Literal["link", "agent"]

# --- the message as it is written


class _Said(Part, frozen=True, gc=False, kw_only=True, tag_field="kind"):
    event_id: Annotated[Number, Meta(description="The portal's own id of it, by which it is known again")]
    at: At


class CodeIssued(_Said, frozen=True, gc=False, kw_only=True, tag="code_issued"):
    """An activation code went out."""

    code_id: Annotated[Number, Meta(description="The portal's own id of it; never the code")]
    expires_at: At


class CodeExpired(_Said, frozen=True, gc=False, kw_only=True, tag="code_expired"):
    """Somebody came with it too late."""

    code_id: Number


class CodeRequested(_Said, frozen=True, gc=False, kw_only=True, tag="code_requested"):
    """Another one was asked for."""


class IdentityProved(_Said, frozen=True, gc=False, kw_only=True, tag="identity_proved"):
    """Somebody who signs up showed who they are."""

    proof: Proof
    grade: Annotated[Grade, Meta(description="Identity assurance level, NIST SP 800-63A-4")]


class Registered(_Said, frozen=True, gc=False, kw_only=True, tag="registered"):
    """The account is there."""


class TermsAccepted(_Said, frozen=True, gc=False, kw_only=True, tag="terms_accepted"):
    """The terms of use were accepted."""

    terms: Annotated[str, Meta(max_length=40, pattern=r"^[A-Za-z0-9._-]+$", description="Which version of them")]


class FactorEnrolled(_Said, frozen=True, gc=False, kw_only=True, tag="factor_enrolled"):
    """It is what one signs in with; under an id that is known already it was changed."""

    factor: Factor
    factor_id: Number


class FactorRemoved(_Said, frozen=True, gc=False, kw_only=True, tag="factor_removed"):
    """It is not any more."""

    factor_id: Number


class _Attempt(_Said, frozen=True, gc=False, kw_only=True):
    device_id: DeviceId | UnsetType | None = UNSET
    device: Annotated[str, Meta(max_length=OF_A_BROWSER_MAX, description=DEVICE)] | UnsetType | None = UNSET
    address: Address | UnsetType | None = UNSET
    country: Country | UnsetType | None = UNSET
    factor: Factor | UnsetType | None = UNSET


class SignedIn(_Attempt, frozen=True, gc=False, kw_only=True, tag="signed_in"):
    """Somebody signed in, and a session began."""

    session_id: Annotated[Number, Meta(description="The portal's own id of it; never what is in the cookie")]


class SignInFailed(_Attempt, frozen=True, gc=False, kw_only=True, tag="sign_in_failed"):
    """Somebody failed to."""

    cause: Told


class Unlocked(_Said, frozen=True, gc=False, kw_only=True, tag="unlocked"):
    """Whatever locks the account is ended."""

    by: Helper


class SessionUsed(_Said, frozen=True, gc=False, kw_only=True, tag="session_used"):
    session_id: Number
    address: Address | UnsetType | None = UNSET


class SessionEnded(_Said, frozen=True, gc=False, kw_only=True, tag="session_ended"):
    """By signing out, or for want of use."""

    session_id: Number
    by: Literal["member", "ran_out"]


class SessionRevoked(_Said, frozen=True, gc=False, kw_only=True, tag="session_revoked"):
    """It was ended from elsewhere."""

    session_id: Number
    by: Anyone


class SessionsRevoked(_Said, frozen=True, gc=False, kw_only=True, tag="sessions_revoked"):
    """All that had begun were ended."""

    by: Anyone


class PasswordChanged(_Said, frozen=True, gc=False, kw_only=True, tag="password_changed"):
    by: Literal["member", "agent"]


class PasswordRecovered(_Said, frozen=True, gc=False, kw_only=True, tag="password_recovered"):
    by: Helper


class UserNameRecovered(_Said, frozen=True, gc=False, kw_only=True, tag="user_name_recovered"):
    by: Helper


class _Other(_Said, frozen=True, gc=False, kw_only=True):
    other_portal_id: Number
    other_user_name: Number


class Linked(_Other, frozen=True, gc=False, kw_only=True, tag="linked"):
    """Who is signed in here is signed in there."""


class Unlinked(_Other, frozen=True, gc=False, kw_only=True, tag="unlinked"):
    """Not any more."""


class MovedOver(_Other, frozen=True, gc=False, kw_only=True, tag="moved_over"):
    """This account takes the place of that one."""


class AppLinked(_Said, frozen=True, gc=False, kw_only=True, tag="app_linked"):
    """A health app may read what the member consented to."""

    app: App
    scopes: Annotated[tuple[Scope, ...], Meta(min_length=1, max_length=3)]


class AppUnlinked(_Said, frozen=True, gc=False, kw_only=True, tag="app_unlinked"):
    """The consent was taken back."""

    app: App


class AlertAcknowledged(_Said, frozen=True, gc=False, kw_only=True, tag="alert_acknowledged"):
    """Somebody has seen what an event was an alert for: it is named by one of the two ids."""

    about_event_id: Annotated[Number, Meta(description="The portal's own id of it")] | UnsetType | None = UNSET
    about_fact_id: Annotated[Id, Meta(description="The ledger's own id of it")] | UnsetType | None = UNSET
    by: Literal["member", "agent"]


class Whose(Part, frozen=True, gc=False, kw_only=True):
    """Whose account it is, as a payer's claims name them. To be told once."""

    payer_id: Number
    member_id: Number
    given_name: Number


class SignIn(Part, frozen=True, gc=False, kw_only=True):
    """What a portal says of one of its accounts."""

    schema: Literal[1]
    portal_id: Number
    user_name: Number
    member: Whose | UnsetType | None = UNSET
    said: (
        CodeIssued
        | CodeExpired
        | CodeRequested
        | IdentityProved
        | Registered
        | TermsAccepted
        | FactorEnrolled
        | FactorRemoved
        | SignedIn
        | SignInFailed
        | Unlocked
        | SessionUsed
        | SessionEnded
        | SessionRevoked
        | SessionsRevoked
        | PasswordChanged
        | PasswordRecovered
        | UserNameRecovered
        | Linked
        | Unlinked
        | MovedOver
        | AppLinked
        | AppUnlinked
        | AlertAcknowledged
    )


read = Reader(SignIn, VERSION).read


def understand(raw: bytes) -> Notice:
    """The one fact of a message. Raises Fault."""
    notice = _notice(read(raw))
    if notice.said.at.year not in YEARS or (notice.said.expires_at or notice.said.at).year not in YEARS:
        raise Fault("json.wrong_schema", "$.said.at: out of bounds")
    about = (notice.numbers.about_event_id, notice.numbers.about_fact_id)
    if notice.said.kind is Kind.ALERT_ACKNOWLEDGED and all(about) == any(about):
        raise Fault("json.wrong_schema", "$.said: either about_event_id or about_fact_id")
    # Of addresses only: what is no address stays out. What is hashed and not kept needs no look. Attempts are taken
    # whatever is typed for a user name, which is sealed: else a name that looks like a card's number never locks.
    typed = () if notice.said.kind in (Kind.SIGNED_IN, Kind.SIGN_IN_FAILED) else (notice.personal.user_name,)
    whose = () if notice.member is None else (notice.member.payer_id,)
    if holds_account_number((*typed, *whose, notice.personal.other_user_name, notice.portal_id, notice.said.terms)):
        raise Fault(Refusal.ACCOUNT_NUMBER)
    return notice


translate = one(understand)
translate_lines = by_line(translate)


# --- in the ledger's terms

_NUMBERS = frozenset(Numbers.__struct_fields__)
_PERSONAL = frozenset(Personal.__struct_fields__)
_APART = _NUMBERS | _PERSONAL


def _notice(read: SignIn) -> Notice:
    """Every field has the domain's own name; numbers and what is personal stand apart."""
    told = {name: value for name, value in msgspec.structs.asdict(read.said).items() if value not in (UNSET, None)}
    if "address" in told:
        told["address"] = _canonical(told["address"])
    if not 0 < len(told.get("device_id", "").strip()) <= 80:
        told.pop("device_id", None)
    if "device" in told:
        told["device"] = "" if holds_account_number(told["device"]) else told["device"][:80]
    said: dict[str, Any] = {"kind": read.said.__struct_config__.tag}
    said |= {name: value for name, value in told.items() if name not in _APART}
    return Notice(
        portal_id=read.portal_id,
        personal=Personal(read.user_name, **{name: told[name] for name in _PERSONAL & told.keys()}),
        numbers=Numbers(**{name: told[name] for name in _NUMBERS & told.keys()}),
        said=msgspec.convert(said, Said),
        member=Member(*msgspec.structs.astuple(read.member)) if isinstance(read.member, Whose) else None,
    )


def _canonical(address: str) -> str:
    """One way to write it, so that it is known again. Raises Fault."""
    try:
        known = ip_address(address)
    except ValueError:
        raise Fault("json.wrong_schema", "$.said.address: not of the right form") from None
    if "%" in address:  # the zone of a link, which may be any text
        raise Fault("json.wrong_schema", "$.said.address: not of the right form")
    return str(getattr(known, "ipv4_mapped", None) or known)
