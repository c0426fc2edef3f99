"""Messages of topic plans: what is read, what is refused, and the schema and the page that say so."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.json_message.plan import read, translate
from domain.adjudication import Design, Network
from domain.money import CENTS_MAX, Money
from domain.plan import Limit, Period, PlanNotice, Premium, Service
from tests.unit.notices import Message
from tests.unit.plans import plan
from tests.unit.topic import Topic, changed

TOPIC = Topic(PlanNotice, translate, read, "plan-1", "Plans")
understood, refused = TOPIC.understood, TOPIC.refused
IN, OUT = plan()["design"]["benefits"]
SHARE: Message = {"service": "other", "share": {}}
BACKWARD = {"first": "2026-01-15", "last": "2026-01-14"}


def test_a_design_is_read_into_the_ledgers_terms() -> None:
    notice = understood(plan())
    design = notice.design
    assert (notice.payer_id, notice.plan_id, notice.revision) == ("1078830634", "TGV-SILVER", 1)
    assert (design.name, design.effective_from, design.family) == ("Silver 2000", date(2026, 1, 1), Design.EMBEDDED)
    assert design.premium == Premium(Money(45_000), Money(120_000))
    assert design.open_enrolment == Period(date(2025, 11, 1), date(2026, 1, 15))
    benefits = design.within(Network.IN)
    assert benefits.out_of_pocket == Limit(Money(800_000))
    assert benefits.share(Service.SPECIALIST).copay_cents == 5_000
    assert not benefits.share(Service.SPECIALIST).deductible_applies
    assert benefits.share(Service.SPECIALIST, "2").deductible_applies
    assert not design.within(Network.OUT).share(Service.IMAGING).covered


def test_what_is_left_out_is_as_its_default() -> None:
    message = plan(special_enrolment_days=60, open_enrolment=None)
    bare = plan()
    del bare["design"]["special_enrolment_days"], bare["design"]["open_enrolment"]
    assert understood(message) == understood(bare)


@pytest.mark.parametrize(
    ("design", "where"),
    [
        ({"effective_to": "2025-12-31"}, "$.design.effective_to: before effective_from"),
        ({"effective_to": "2200-01-01"}, "$.design.effective_to: out of bounds"),
        ({"open_enrolment": BACKWARD}, "$.design.open_enrolment.last: before first"),
        ({"open_enrolment": BACKWARD | {"first": "1899-01-15"}}, "$.design.open_enrolment: out of bounds"),
        ({"zone": "America/Atlantis"}, "$.design.zone: not one of the allowed values"),
        ({"zone": "../etc/passwd"}, "$.design.zone: not of the right form"),
        ({"benefits": [IN, IN]}, "$.design.benefits: a network stands twice"),
        ({"benefits": [OUT | {"shares": [SHARE] * 2}]}, "$.design.benefits[0].shares: a service and tier stand twice"),
        ({"benefits": [IN | {"network": "both"}]}, "$.design.benefits[0].network: not one of the allowed values"),
        (
            {"benefits": [OUT | {"shares": [{"service": "other", "share": {"coinsurance_percent": 101}}]}]},
            "$.design.benefits[0].shares[0].share.coinsurance_percent: out of bounds",
        ),
        ({"family": "both"}, "$.design.family: not one of the allowed values"),
        ({"special_enrolment_days": -1}, "$.design.special_enrolment_days: out of bounds"),
    ],
)  # fmt: skip
def test_what_does_not_hold_is_refused_with_its_place(design: Message, where: str) -> None:
    assert refused(plan(**design)) == ("json.wrong_schema", where)


def test_no_text_may_be_the_number_of_a_card_or_a_bank_account() -> None:
    assert refused(plan(name="4111 1111 1111 1111"))[0] == "plan.account_number"
    assert refused(plan("DE89370400440532013000"))[0] == "plan.account_number"


# --- the schema, and the page


TEXTS = ["", " 1", "x" * 81, "in", "2026-02-30", "2026-02-28"]
VALUES: list[Any] = [None, True, 0, -1, 101, CENTS_MAX + 1, *TEXTS, [], {}]


@st.composite
def slips(draw: st.DrawFn) -> Message:
    message = plan()
    design = message["design"]
    benefits = design["benefits"][0]
    parts = [message, design, design["premium"], design["open_enrolment"], benefits, benefits["deductible"]]
    shares = [benefits["shares"][0], benefits["shares"][0]["share"]]
    return draw(changed(message, [*parts, *shares], ["tier", "covered", "other"], VALUES))


@settings(max_examples=500)
@given(slips())
def test_our_reader_and_an_independent_validator_agree(message: Message) -> None:
    TOPIC.assert_reader_and_schema_agree(message)


def test_the_example_on_the_page_is_a_good_message() -> None:
    [example] = TOPIC.examples()
    understood(example)


def test_every_field_is_on_the_page() -> None:
    assert TOPIC.missing_on_the_page(TOPIC.fields() | set(Service)) == []
