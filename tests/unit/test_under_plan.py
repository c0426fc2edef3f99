"""How plans see the same service, by the provider directory."""

from datetime import date
from typing import Any

import msgspec
import pytest

from domain.adjudication import Network
from domain.directory import INITIAL, Listing, Membership, Provider, ProviderListed
from domain.plan import Service
from domain.pricing import Served
from domain.under_plan import under_plan
from tests.unit.pricing import served

FIRST = date(2026, 1, 1)
VISIT = served(100, Service.PRIMARY_CARE, provider="1234567893")


def listed(*networks: Membership, specialty: str = "207Q00000X") -> Provider:
    return Provider((ProviderListed("content", "1234567893", 1, Listing("Lakeside", specialty, networks), "s"),))


IN_SILVER = Membership("payer", "SILVER", FIRST, tier="2")


def seen(visit: Served, provider: Provider, plan_id: str = "SILVER", *, is_told: bool = False) -> Served:
    return under_plan(visit, provider, "payer", plan_id, is_told=is_told)


def test_a_provider_is_in_the_network_of_those_plans_that_list_them() -> None:
    inside, outside = seen(VISIT, listed(IN_SILVER)), seen(VISIT, listed(IN_SILVER), "GOLD")
    assert (inside.network, inside.tier) == (Network.IN, "2")
    assert (outside.network, outside.tier) == (Network.OUT, "")
    before = VISIT._replace(day=date(2025, 12, 31))
    assert seen(before, listed(IN_SILVER)).network is Network.OUT


@pytest.mark.parametrize(
    ("told", "plan_id", "tier"), [(Network.IN, "SILVER", "2"), (Network.OUT, "SILVER", ""), (Network.IN, "GOLD", "")]
)
def test_what_the_payer_told_of_the_network_holds(told: Network, plan_id: str, tier: str) -> None:
    found = seen(VISIT._replace(network=told), listed(IN_SILVER), plan_id, is_told=True)
    assert (found.network, found.tier) == (told, tier)


def test_in_an_emergency_a_member_pays_as_in_network() -> None:
    visit = VISIT._replace(service=Service.EMERGENCY, network=Network.OUT)
    assert seen(visit, listed(IN_SILVER), "GOLD").network is Network.IN
    assert seen(visit, listed(IN_SILVER), is_told=True).network is Network.IN
    assert seen(visit, Provider(()), "GOLD").network is Network.IN


@pytest.mark.parametrize(
    ("specialty", "service", "expected"),
    [
        ("207Q00000X", Service.PRIMARY_CARE, Service.PRIMARY_CARE),
        ("363LF0000X", Service.PRIMARY_CARE, Service.PRIMARY_CARE),
        ("207RC0000X", Service.PRIMARY_CARE, Service.SPECIALIST),
        ("207RC0000X", Service.IMAGING, Service.IMAGING),
    ],
)
def test_an_office_visit_with_another_specialty_is_a_specialists(
    specialty: str, service: Service, expected: Service
) -> None:
    assert seen(VISIT._replace(service=service), listed(IN_SILVER, specialty=specialty)).service is expected


def test_the_highest_revision_of_the_directory_says_who_a_provider_is() -> None:
    first, second = (listed(IN_SILVER, specialty=each).listed[0] for each in ("207RC0000X", "207Q00000X"))
    second = msgspec.structs.replace(second, revision=2)
    for order in ((first, second), (second, first)):
        assert seen(VISIT, Provider(order)).service is Service.PRIMARY_CARE


@pytest.mark.parametrize("otherwise", [{}, {"network": Network.OUT}, {"service": Service.EMERGENCY}])
def test_of_whom_no_directory_lists_all_stays_as_it_is(otherwise: dict[str, Any]) -> None:
    visit = VISIT._replace(**otherwise)
    assert seen(visit, INITIAL) == visit
