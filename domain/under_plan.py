"""How a plan sees a service, by the provider directory: whether its provider is in the plan's network, in which tier,
and whether an office visit is a specialist's. Of a provider whom no directory lists all stays as the claim has it.
"""

from domain.adjudication import Network
from domain.code_ranges import is_among
from domain.directory import Provider, in_network
from domain.plan import Service
from domain.pricing import Served

PRIMARY_CARE = (
    "207Q00000X 207QA0505X 207R00000X 208000000X 208D00000X 261QF0400X 261QP2300X 261QR1300X 363A00000X 363AM0700X "
    "363L00000X 363LA2200X 363LF0000X 363LP0200X 363LP2300X"
)
"""NUCC taxonomy codes: family, internal and general medicine, paediatrics, their nurse practitioners and physician
assistants, health centres. Whoever has another one is a specialist"""


def under_plan(served: Served, provider: Provider, payer_id: str, plan_id: str, *, is_told: bool) -> Served:
    """What a payer told of the network under this plan holds, whatever the directory says. In an emergency a member
    pays as in network (45 CFR 149.110(b)(3))."""
    if served.service is Service.EMERGENCY:
        served = served._replace(network=Network.IN)
    latest = max(provider.listed, key=lambda each: each.revision, default=None)
    if latest is None:
        return served
    if served.service is Service.PRIMARY_CARE and not is_among(latest.listing.specialty, PRIMARY_CARE):
        served = served._replace(service=Service.SPECIALIST)
    found = in_network(provider, payer_id, plan_id, served.day)
    if is_told:
        return served._replace(tier=found.tier) if served.network is Network.IN else served
    is_in = found.is_in or served.service is Service.EMERGENCY
    return served._replace(network=Network.IN if is_in else Network.OUT, tier=found.tier)
