"""The provider directory: who is in which network of a plan, in which tier, and from when to when.

Identity: the provider's NPI. What is published again under a higher revision takes the place of what was said of the
provider before, and all of it stays on record. Names of providers are public (45 CFR 162.408 discloses them).
"""

from datetime import date
from enum import StrEnum
from typing import NamedTuple

from domain.facts import Event, Fact

NPI_PREFIX = "80840"
"""Under which an NPI is a number of a card issuer: health, United States (45 CFR 162.406, ISO/IEC 7812)"""


def is_npi(number: str) -> bool:
    """Ten digits of which the last checks the others by Luhn, with the prefix before them (45 CFR 162.406)."""
    if len(number) != 10 or not number.isascii() or not number.isdigit():
        return False
    digits = NPI_PREFIX + number
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(map(int, digits[-1::-2]))) % 10 == 0


class Membership(Fact, frozen=True, omit_defaults=True, gc=False):
    """In a network, for some days."""

    payer_id: str
    plan_id: str
    """Empty: in that of all the payer's plans"""
    first_on: date
    until: date | None = None
    """The last day; None where no end is known"""
    tier: str = ""
    """In the plan's own words, as its design has it"""


class Listing(Fact, frozen=True, omit_defaults=True, gc=False):
    """All that is said of one provider."""

    name: str
    specialty: str
    """NUCC taxonomy code"""
    networks: tuple[Membership, ...]


# --- a message about one provider, understood


class ProviderNotice(Fact, frozen=True, gc=False):
    provider_id: str
    revision: int
    listing: Listing


# --- command


class Publish(Fact, frozen=True, gc=False):
    content: str
    """Keyed hash of what was said"""
    source: str
    notice: ProviderNotice


# --- event


class ProviderListed(Event, frozen=True, gc=False):
    content: str
    provider_id: str
    revision: int
    listing: Listing
    source: str
    """Where it was read: topic, partition and offset, or the fingerprint of a file"""


DirectoryEvent = ProviderListed

# --- state


class Provider(Fact, frozen=True, gc=False):
    """All that was published of one, in order of arrival."""

    listed: tuple[ProviderListed, ...] = ()


INITIAL = Provider()

# --- decide


class Refusal(StrEnum):
    CONFLICT = "provider.conflict"
    """The same revision was published before with other content"""
    ACCOUNT_NUMBER = "provider.account_number"
    """A text holds the number of a card or a bank account: such a message is not taken in at all"""


def decide(state: Provider, command: Publish) -> tuple[DirectoryEvent, ...] | Refusal:
    """One event where it is news, none where it came before, else why not."""
    notice = command.notice
    for known in state.listed:
        if known.revision == notice.revision:
            return () if known.content == command.content else Refusal.CONFLICT
    return (ProviderListed(command.content, notice.provider_id, notice.revision, notice.listing, command.source),)


# --- evolve


def evolve(state: Provider, event: DirectoryEvent) -> Provider:
    return Provider((*state.listed, event))


# --- what follows


class Why(StrEnum):
    LISTED = "listed"
    """In the network of the plan, or of all the payer's plans"""
    UNKNOWN = "unknown"
    """Nothing is published of the provider"""
    NOT_LISTED = "not_listed"
    """They are in no network of the plan"""
    NOT_YET = "not_yet"
    """They will be, from a later day on"""
    ENDED = "ended"
    """They were, up to an earlier day"""


class InNetwork(NamedTuple):
    is_in: bool
    why: Why
    decided_by: Membership | None
    revision: int | None
    """Of the listing that says so"""

    @property
    def tier(self) -> str:
        return self.decided_by.tier if self.is_in and self.decided_by else ""


def in_network(provider: Provider, payer_id: str, plan_id: str, day: date) -> InNetwork:
    """Whether a provider is in a plan's network on a day: by the highest revision, in whatever order they came.

    Memberships add up: one that ended takes nothing from another that holds. Of several that hold, what is said of the
    plan itself goes before what is said of all the payer's plans, and then what began last.
    """
    latest = max(provider.listed, key=lambda each: each.revision, default=None)
    if latest is None:
        return InNetwork(is_in=False, why=Why.UNKNOWN, decided_by=None, revision=None)
    of_plan = [each for each in latest.listing.networks if each.payer_id == payer_id and each.plan_id in ("", plan_id)]
    holding = [each for each in of_plan if each.first_on <= day <= (each.until or date.max)]
    if holding:
        decides = max(holding, key=lambda each: (each.plan_id != "", each.first_on, each.tier))
        return InNetwork(is_in=True, why=Why.LISTED, decided_by=decides, revision=latest.revision)
    ended = [each for each in of_plan if each.until is not None and each.until < day]
    if ended:
        decides = max(ended, key=lambda each: (each.until or date.max, each.plan_id, each.tier))
        return InNetwork(is_in=False, why=Why.ENDED, decided_by=decides, revision=latest.revision)
    coming = min(of_plan, key=lambda each: (each.first_on, each.plan_id, each.tier), default=None)
    why = Why.NOT_YET if coming else Why.NOT_LISTED
    return InNetwork(is_in=False, why=why, decided_by=coming, revision=latest.revision)
