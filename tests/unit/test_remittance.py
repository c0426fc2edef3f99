"""A remittance is recorded once; the same payment with other totals is a conflict."""

from datetime import date

from hypothesis import given as for_all

from domain import remittance
from domain.facts import StreamId
from domain.remittance import ProviderAdjustment, Receive, Refusal, RemittanceReceived
from samples import model
from tests.unit.edi import BODY, SMALL, understood, with_body
from tests.unit.models import expected, remittances
from tests.unit.scenario import Given

PLAIN = understood(SMALL).remittance
ADJUSTED = understood(with_body(*BODY, "PLB*NPI*20261231*WO:CLAIM5*1*L6:CLAIM6*-1")).remittance


def receive(what: remittance.Remittance = PLAIN, content: str = "c1", source: str = "t/0@1") -> Receive:
    balances = tuple(StreamId(f"balance {each.reason}") for each in what.provider_adjustments)
    return Receive(what, len(what.claims), content, source, balances)


def received(content: str = "c1", source: str = "t/0@1") -> RemittanceReceived:
    return RemittanceReceived(
        payer=PLAIN.payer,
        payee=PLAIN.payee,
        trace_number="TRACE7",
        paid_on=date(2026, 3, 2),
        total_cents=PLAIN.total_cents,
        method="ACH",
        claim_count=1,
        content=content,
        source=source,
        handling="I",
        guide=PLAIN.guide,
    )


def test_a_new_remittance_is_recorded_with_its_totals_and_without_its_claims() -> None:
    Given(remittance).when(receive()).then(received())


def test_the_same_remittance_from_another_source_is_a_duplicate() -> None:
    Given(remittance, received()).when(receive(source="t/1@9")).then()


def test_the_same_payment_with_other_totals_is_a_conflict() -> None:
    Given(remittance, received()).when(receive(content="c2")).refused(Refusal.CONFLICT)


def test_the_references_of_provider_adjustments_are_personal_and_stand_apart() -> None:
    (event,) = Given(remittance).when(receive(ADJUSTED)).decided
    day = date(2026, 12, 31)
    wo, l6 = ADJUSTED.provider_adjustments
    assert event.provider_adjustments == (
        ProviderAdjustment("NPI", "WO", wo.cents, day, balance=StreamId("balance WO")),
        ProviderAdjustment("NPI", "L6", l6.cents, day, balance=StreamId("balance L6")),
    )
    assert event.personal == ("CLAIM5", "CLAIM6")


@for_all(remittances(claims_max=3))
def test_an_event_says_what_the_remittance_said(made: model.Remittance) -> None:
    what = expected(made)
    (event,) = Given(remittance).when(receive(what)).decided
    assert event.claim_count == len(made.claims)
    assert event.total_cents == made.paid_cents
    assert event.paid_on == made.paid_on
    assert event.produced_on == made.produced_on
    assert [entry.cents for entry in event.provider_adjustments] == [entry.cents for entry in made.adjustments]
    assert list(event.personal or ()) == [entry.reference for entry in made.adjustments]
    Given(remittance, event).when(receive(what)).then()
