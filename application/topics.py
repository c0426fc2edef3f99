"""Every kind of event that the log may hold, by name. A stored topic is a name and a schema version
(`claim.adjudicated:1`), never a path into this code: renaming a class breaks no history and a row loads no module.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from domain import (
    account,
    claim,
    comparison,
    consent,
    coverage,
    directory,
    opening,
    parking,
    payment,
    person,
    plan,
    premium,
    remittance,
    request,
    schedule,
    settlement,
    sign_in,
    sign_in_events,
    statement,
)
from domain.adjudication import ClaimNumbers
from domain.facts import Event

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]


class Topic(NamedTuple):
    name: str
    event: type[Event]
    personal: Any = None
    """The type of the event's `personal` field once it is unsealed; None where it has none"""
    upcasters: Mapping[int, Upcaster] = {}
    """From version n (the key) to n + 1, on the decoded JSON; the event's own version follows the last"""

    always_personal: bool = True
    """Whether an event of the kind without its personal part is damaged"""

    @property
    def version(self) -> int:
        return len(self.upcasters) + 1

    @property
    def stored(self) -> str:
        return f"{self.name}:{self.version}"


class TopicsIncomplete(Exception):
    """The list of topics contradicts itself: a name or a class twice, or a gap between upcasters."""


def _paid_on_is_day(state: dict[str, Any]) -> dict[str, Any]:
    """Version 1 knew postings of remittances only, whose day is the day of the payment."""
    return {"day" if name == "paid_on" else name: value for name, value in state.items()}


_POSTING: dict[str, Any] = {"personal": ClaimNumbers, "upcasters": {1: _paid_on_is_day}}

TOPICS = (
    Topic("person.identified", person.PersonIdentified, personal=person.Names),
    Topic("person.linked", person.PersonLinked),
    Topic("person.unlinked", person.PersonUnlinked),
    Topic("person.described", person.PersonDescribed, personal=person.Description),
    Topic("remittance.received", remittance.RemittanceReceived, personal=tuple[str, ...], always_personal=False),
    Topic("claim.adjudicated", claim.ClaimAdjudicated, **_POSTING),
    Topic("claim.reversed", claim.ClaimReversed, **_POSTING),
    Topic("claim.forwarded", claim.ClaimForwarded, **_POSTING),
    Topic("claim.predetermined", claim.ClaimPredetermined, **_POSTING),
    Topic("claim.received", claim.ClaimReceived, personal=ClaimNumbers),
    Topic("claim.accepted", claim.ClaimAccepted, personal=ClaimNumbers),
    Topic("claim.rejected", claim.ClaimRejected, personal=ClaimNumbers),
    Topic("claim.pended", claim.ClaimPended, personal=ClaimNumbers),
    Topic("claim.released", claim.ClaimReleased, personal=ClaimNumbers),
    Topic("claim.voided", claim.ClaimVoided, personal=ClaimNumbers),
    Topic("claim.disputed", claim.ClaimDisputed, personal=ClaimNumbers),
    Topic("claim.appealed", claim.ClaimAppealed, personal=ClaimNumbers),
    Topic("claim.appeal_decided", claim.AppealDecided, personal=ClaimNumbers),
    Topic("bill.assessed", account.BillAssessed),
    Topic("bill.opened", account.BalanceOpened),
    Topic("bill.payment_applied", account.PaymentApplied),
    Topic("bill.written_off", account.BillWrittenOff),
    Topic("bill.dispute_opened", account.DisputeOpened),
    Topic("bill.evidence_filed", account.EvidenceFiled),
    Topic("bill.dispute_resolved", account.DisputeResolved),
    Topic("payment.initiated", payment.PaymentInitiated, personal=payment.References),
    Topic("payment.authorised", payment.PaymentAuthorised, personal=payment.References),
    Topic("payment.posted", payment.PaymentPosted, personal=payment.References),
    Topic("payment.failed", payment.PaymentFailed, personal=payment.References),
    Topic("payment.returned", payment.PaymentReturned, personal=payment.References),
    Topic("payment.refunded", payment.PaymentRefunded, personal=payment.References),
    Topic("payment.charged_back", payment.PaymentChargedBack, personal=payment.References),
    Topic("payment.chargeback_reversed", payment.ChargebackReversed, personal=payment.References),
    Topic("payment.allocated", payment.PaymentAllocated),
    Topic("statement.issued", statement.StatementIssued),
    Topic("schedule.made", schedule.ScheduleMade, personal=schedule.References),
    Topic("schedule.skipped", schedule.ScheduleSkipped, personal=schedule.References),
    Topic("schedule.paused", schedule.SchedulePaused, personal=schedule.References),
    Topic("schedule.resumed", schedule.ScheduleResumed, personal=schedule.References),
    Topic("schedule.cancelled", schedule.ScheduleCancelled, personal=schedule.References),
    Topic("opening.loaded", opening.OpeningLoaded),
    Topic("request.answered", request.RequestAnswered),
    Topic("bank.booked", settlement.EntryBooked),
    Topic("bank.reversed", settlement.EntryReversed),
    Topic("premium.invoiced", premium.PremiumInvoiced, personal=premium.Numbers),
    Topic("premium.invoice_voided", premium.PremiumInvoiceVoided, personal=premium.Numbers),
    Topic("premium.paid", premium.PremiumPaid, personal=premium.Numbers),
    Topic("premium.payment_returned", premium.PremiumPaymentReturned, personal=premium.Numbers),
    Topic("premium.lapsed", premium.CoverageLapsed, personal=premium.Numbers),
    Topic("premium.reinstated", premium.CoverageReinstated, personal=premium.Numbers),
    Topic("plan.published", plan.PlanPublished),
    Topic("comparison.made", comparison.PlansCompared),
    Topic("family.linked", consent.FamilyLinked, personal=consent.Numbers),
    Topic("consent.granted", consent.ConsentGranted, personal=consent.Numbers),
    Topic("consent.limited", consent.ConsentLimited, personal=consent.Numbers),
    Topic("consent.revoked", consent.ConsentRevoked, personal=consent.Numbers),
    Topic("confidentiality.requested", consent.ConfidentialityRequested, personal=consent.Numbers),
    Topic("confidentiality.withdrawn", consent.ConfidentialityWithdrawn, personal=consent.Numbers),
    Topic("coverage.enrolled", coverage.CoverageEnrolled, personal=coverage.Numbers),
    Topic("coverage.dependant_added", coverage.DependantEnrolled, personal=coverage.Numbers),
    Topic("coverage.dependant_removed", coverage.DependantDisenrolled, personal=coverage.Numbers),
    Topic("coverage.terminated", coverage.CoverageTerminated, personal=coverage.Numbers),
    Topic("coverage.reinstated", coverage.CoverageResumed, personal=coverage.Numbers),
    Topic("coverage.voided", coverage.CoverageChangeVoided, personal=coverage.Numbers),
    Topic("plan_change.requested", coverage.PlanChangeRequested, personal=coverage.Numbers),
    Topic("plan_change.compared", coverage.PlanChangeCompared, personal=coverage.Numbers),
    Topic("plan_change.confirmed", coverage.PlanChangeConfirmed, personal=coverage.Numbers),
    Topic("plan_change.withdrawn", coverage.PlanChangeWithdrawn, personal=coverage.Numbers),
    Topic("plan_change.refused", coverage.PlanChangeRefused),
    Topic("provider.listed", directory.ProviderListed),
    Topic("login.code_issued", sign_in_events.CodeIssued, personal=sign_in.Personal),
    Topic("login.code_expired", sign_in_events.CodeExpired, personal=sign_in.Personal),
    Topic("login.code_requested", sign_in_events.CodeRequested, personal=sign_in.Personal),
    Topic("login.identity_proved", sign_in_events.IdentityProved, personal=sign_in.Personal),
    Topic("login.registered", sign_in_events.Registered, personal=sign_in.Personal),
    Topic("login.terms_accepted", sign_in_events.TermsAccepted, personal=sign_in.Personal),
    Topic("login.factor_enrolled", sign_in_events.FactorEnrolled, personal=sign_in.Personal),
    Topic("login.factor_removed", sign_in_events.FactorRemoved, personal=sign_in.Personal),
    Topic("login.signed_in", sign_in_events.SignedIn, personal=sign_in.Personal),
    Topic("login.sign_in_failed", sign_in_events.SignInFailed, personal=sign_in.Personal, always_personal=False),
    Topic("login.locked_out", sign_in_events.LockedOut),
    Topic("login.lockout_ended", sign_in_events.LockoutEnded),
    Topic("login.session_used", sign_in_events.SessionUsed, personal=sign_in.Personal),
    Topic("login.session_ended", sign_in_events.SessionEnded, personal=sign_in.Personal),
    Topic("login.session_revoked", sign_in_events.SessionRevoked, personal=sign_in.Personal),
    Topic("login.sessions_revoked", sign_in_events.SessionsRevoked, personal=sign_in.Personal),
    Topic("login.password_changed", sign_in_events.PasswordChanged, personal=sign_in.Personal),
    Topic("login.password_recovered", sign_in_events.PasswordRecovered, personal=sign_in.Personal),
    Topic("login.user_name_recovered", sign_in_events.UserNameRecovered, personal=sign_in.Personal),
    Topic("login.linked", sign_in_events.AccountLinked, personal=sign_in.Personal),
    Topic("login.unlinked", sign_in_events.AccountUnlinked, personal=sign_in.Personal),
    Topic("login.moved_over", sign_in_events.MovedOver, personal=sign_in.Personal),
    Topic("login.app_linked", sign_in_events.AppLinked, personal=sign_in.Personal),
    Topic("login.app_unlinked", sign_in_events.AppUnlinked, personal=sign_in.Personal),
    Topic("login.alert_acknowledged", sign_in_events.AlertAcknowledged, personal=sign_in.Personal),
    Topic("message.parked", parking.MessageParked),
    Topic("message.released", parking.MessageReleased),
    Topic("message.discarded", parking.MessageDiscarded),
)


def check(topics: tuple[Topic, ...]) -> None:
    """Raise TopicsIncomplete unless every stored topic has exactly one way to today's class."""
    for attribute in ("name", "event"):
        values = [getattr(topic, attribute) for topic in topics]
        if len(set(values)) != len(values):
            raise TopicsIncomplete(f"a {attribute} stands twice")
    for topic in topics:
        if sorted(topic.upcasters) != list(range(1, topic.version)):
            raise TopicsIncomplete(
                f"{topic.name}: upcasters from {sorted(topic.upcasters)}, wanted 1 to {topic.version - 1}"
            )
        if ":" in topic.name or not topic.name.isascii():
            raise TopicsIncomplete(f"{topic.name!r} is no topic name")
        fields = {field.name: field for field in msgspec.structs.fields(topic.event)}
        if topic.personal is not None and ("personal" not in fields or fields["personal"].default is not None):
            raise TopicsIncomplete(f"{topic.name}: `personal` must be absent by default, since it is sealed apart")
