"""Benefit designs and services, as short as they can be said."""

from datetime import date
from typing import Any

import msgspec
from hypothesis import strategies as st

from domain.adjudication import Design, Network
from domain.facts import StreamId
from domain.money import Money
from domain.plan import NO_LIMIT, BenefitDesign, Benefits, CostShare, Limit, Premium, Service, ServiceShare
from domain.pricing import Price, Served

ADA, BENITO, CARMEN = StreamId("ada"), StreamId("benito"), StreamId("carmen")


def cents(dollars: float) -> Money:
    return Money(round(dollars * 100))


def share(copay: float = 0, percent: int = 0, *, deductible: bool = False, covered: bool = True) -> CostShare:
    return CostShare(cents(copay), percent, deductible, covered)


def limit(individual: float | None, family: float | None = None) -> Limit:
    return Limit(None if individual is None else cents(individual), None if family is None else cents(family))


def benefits(
    shares: dict[Service, CostShare],
    deductible: Limit = NO_LIMIT,
    out_of_pocket: Limit = NO_LIMIT,
    network: Network = Network.IN,
) -> Benefits:
    return Benefits(network, tuple(ServiceShare(*each) for each in shares.items()), deductible, out_of_pocket)


def design(*within: Benefits, family: Design = Design.EMBEDDED, **otherwise: Any) -> BenefitDesign:
    made = BenefitDesign(
        name="Silver",
        effective_from=date(2026, 1, 1),
        effective_to=date(2026, 12, 31),
        zone="America/New_York",
        premium=Premium(cents(450), cents(1_200)),
        family=family,
        benefits=within,
    )
    return msgspec.structs.replace(made, **otherwise)


SILVER = design(
    benefits(
        {
            Service.PREVENTIVE: share(),
            Service.PRIMARY_CARE: share(25),
            Service.EMERGENCY: share(300, deductible=True),
            Service.BEHAVIORAL_HEALTH: share(covered=False),
            Service.OTHER: share(percent=20, deductible=True),
        },
        limit(500, 1_000),
        limit(2_000, 3_000),
    ),
    benefits({Service.OTHER: share(percent=50, deductible=True)}, limit(1_000), limit(None), Network.OUT),
)
"""A deductible of 500.00, then 20 percent, at most 2,000.00; 25.00 for primary care, without the deductible"""


def served(
    allowed: float,
    service: Service = Service.OTHER,
    *,
    person: StreamId = ADA,
    day: date = date(2026, 3, 2),
    number: str = "1",
    charge: float | None = None,
    **otherwise: Any,
) -> Served:
    """Charged is twice what is allowed, unless told otherwise."""
    charged = cents(2 * allowed if charge is None else charge)
    return Served(number, person, day, service, charged, cents(allowed), **otherwise)


def told(price: Price) -> list[tuple[str, float]]:
    """The steps with what they take, in dollars."""
    return [(step.part.value, step.cents / 100) for step in price.steps]


# --- any

_cents = st.integers(0, 200_000).map(Money)
_limits = st.builds(Limit, st.none() | _cents, st.none() | _cents)
_shares = st.builds(CostShare, st.integers(0, 20_000).map(Money), st.integers(0, 100), st.booleans(), st.booleans())
_services = st.sampled_from([Service.PRIMARY_CARE, Service.EMERGENCY, Service.OTHER])


def _within(network: Network) -> st.SearchStrategy[Benefits]:
    return st.builds(
        lambda shares, deductible, out_of_pocket: benefits(shares, deductible, out_of_pocket, network),
        st.dictionaries(_services, _shares),
        _limits,
        _limits,
    )


designs = st.builds(
    lambda inside, outside, family: design(inside, outside, family=family),
    _within(Network.IN),
    _within(Network.OUT),
    st.sampled_from(Design),
)
years = st.lists(
    st.builds(
        Served,
        st.just(""),
        st.sampled_from([ADA, BENITO, CARMEN]),
        st.dates(date(2026, 1, 1), date(2026, 1, 9)),
        _services,
        st.integers(0, 500_000).map(Money),
        st.integers(0, 300_000).map(Money),
        st.sampled_from([Network.IN, Network.OUT]),
        st.sampled_from(["one", "other"]),
    ),
    max_size=12,
).map(lambda services: [each._replace(number=f"{at:02}") for at, each in enumerate(services)])
