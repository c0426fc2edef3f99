"""`scripts/ledger estimate`: what one service would cost a member now."""

from enum import StrEnum
from statistics import median_low
from typing import Annotated, Any

import msgspec
import typer

from adapters.cli import show, show_costs
from adapters.cli.claims import KnownAt, Member, position_of
from adapters.cli.costs import Asked, AsOf, Covers, Outside, Whom, asked_of, priced, providers_of
from adapters.cli.money import PayerId, cents_of
from adapters.cli.opened import Json, day_of, opened
from domain.adjudication import Network, ServiceLine
from domain.directory import INITIAL as NOT_LISTED
from domain.directory import InNetwork, Why, in_network, is_npi
from domain.facts import StreamId
from domain.money import ZERO, Money
from domain.plan import BenefitDesign, Service
from domain.pricing import Served, Used, price_one
from domain.services import allowed_of, is_procedure, qualified, service_of
from domain.what_if import used_by
from domain.window import year_begin
from projections.cost_queries import ALLOWED

app = typer.Typer()


class NetworkBecause(StrEnum):
    """What tells the network of an estimate where the directory does not; else it is the directory's own reason."""

    TYPED = "typed"
    ASSUMED = "assumed"
    """The plan's own: no provider is named, or nothing is published of the one that is"""
    EMERGENCY = "emergency"
    """As in network, whoever gives it (45 CFR 149.110(b)(3))"""


class ServiceBecause(StrEnum):
    """What tells the type of service of an estimate."""

    TYPED = "typed"
    CODE = "code"
    NO_RULE = "no_rule"
    """No rule names the code, so it is any other service"""
    SPECIALTY = "specialty"
    """The provider's, by the directory"""


def _npi(value: str | None) -> str | None:
    if value is not None and not is_npi(value):
        raise typer.BadParameter("no NPI: ten digits, of which the last one checks the others")
    return value


def _service_or_code(value: str) -> str:
    if value not in list(Service) and not is_procedure(value):
        known = ", ".join(Service)
        raise typer.BadParameter(f"no code, 99213 or HC:99213, and no type of service; services: {known}")
    return value


@app.command(epilog="Example: scripts/ledger estimate NHP131023432 99213 --allowed 150.00")
def estimate(
    member: Member,
    what: Annotated[
        str,
        typer.Argument(
            metavar="PROCEDURE|SERVICE", callback=_service_or_code, help="A code, 99213, or a type: imaging."
        ),
    ],
    allowed: Annotated[
        Any, typer.Option(parser=cents_of, help="Allowed amount; the payer's median of a year by default.")
    ] = None,
    patient: Annotated[str | None, typer.Option(help="Given name, where the number covers several.")] = None,
    plan: Annotated[
        str | None,
        typer.Option(help="The plan's id; by default as coverage says, else the one that the latest claim names."),
    ] = None,
    payer: PayerId = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    covers: Whom = None,
    provider: Annotated[
        str | None,
        typer.Option(metavar="NPI", callback=_npi, help="Who gives it: network and tier by the directory."),
    ] = None,
    out: Outside = False,
    as_json: Json = False,
) -> None:
    """What a service would cost a member now, by their plan and what they have used of its limits this plan year."""
    with opened() as ledger, ledger.database.snapshot():
        asked = asked_of(ledger, member, payer, day_of(ledger, as_of), position_of(ledger, known_at))
        is_family = asked.is_family(covers)
        network, person = Network.OUT if out else Network.IN, _patient(asked, patient)
        plan_id = plan_for(asked, person, plan)
        answer = estimated(asked, what, allowed, person, plan_id, network, is_family, provider or "")
    if as_json:
        show.line(answer)
    else:
        show_costs.estimate(answer)


def plan_for(asked: Asked, person: StreamId, typed: str | None) -> str:
    """The plan that is typed, else the one that covers a person, else the one that claims name: empty where none does.

    Raises BadParameter where coverage says that none covers them on the day.
    """
    found = asked.eligibility(person)
    if typed or found is None:
        return typed or asked.current
    if not found.covered:
        why = show_costs.because(found.lines)
        raise typer.BadParameter(f"not covered on {asked.day}: {why}. Say under which plan", param_hint="--plan")
    return found.plan_id


def estimated(
    asked: Asked,
    what: str,
    allowed: Money | None,
    person: StreamId,
    plan_id: str,
    network: Network,
    is_family: bool,
    provider: str = "",
) -> dict[str, Any]:
    design = asked.design(plan_id)
    if design is None:
        problem = "this plan has no design for that day" if plan_id else "no claim names the member's plan"
        raise typer.BadParameter(f"{problem}: say which", param_hint="--plan")
    amounts = [] if allowed is not None else _allowed(asked, what)
    if allowed is None and not amounts:
        raise typer.BadParameter(
            "the ledger has no amounts that this payer allowed for it: say how much", param_hint="--allowed"
        )
    cents = median_low(amounts) if allowed is None else allowed
    used = _used(asked, plan_id, design)
    asked = asked._replace(providers=providers_of(asked.ledger, [provider], asked.position))
    service, service_because = _service(what)
    typed = Served("estimate", person, asked.day, service, cents, cents, network, provider)
    served = asked.under_plan(typed, plan_id)
    price = price_one(served, design, is_family=is_family, used=used)
    listed = in_network(asked.providers.get(provider, NOT_LISTED), asked.payer_id, plan_id, asked.day)
    found = asked.eligibility(person)
    return {
        "plan_id": plan_id,
        "name": design.name,
        "current": plan_id == asked.current,
        "as_of": asked.day,
        "known_at": asked.position,
        "covers": Covers.FAMILY if is_family else Covers.INDIVIDUAL,
        "covered": found.covered if found else None,
        "because": [line._asdict() for line in found.lines] if found else [],
        "what": what,
        "service_because": service_because if served.service is service else ServiceBecause.SPECIALTY,
        "allowed_from": "typed" if allowed is not None else "median",
        "amounts": len(amounts),
        "provider_id": provider or None,
        "network_because": _network_because(typed, listed),
        "listed_from": listed.decided_by and listed.decided_by.first_on,
        "listed_until": listed.decided_by and listed.decided_by.until,
        **priced(price),
    }


def _service(what: str) -> tuple[Service, ServiceBecause]:
    if what in list(Service):
        return Service(what), ServiceBecause.TYPED
    service = service_of(what)
    return (service, ServiceBecause.CODE) if service else (Service.OTHER, ServiceBecause.NO_RULE)


def _network_because(typed: Served, listed: InNetwork) -> Why | NetworkBecause:
    """As `under_plan` decides it."""
    if typed.service is Service.EMERGENCY and not listed.is_in:
        return NetworkBecause.EMERGENCY
    if listed.why is not Why.UNKNOWN:
        return listed.why
    return NetworkBecause.TYPED if typed.network is Network.OUT else NetworkBecause.ASSUMED


def _used(asked: Asked, plan_id: str, design: BenefitDesign) -> Used:
    """What the claims of the plan year left the member with, whoever told of the year and whoever did not."""
    begin = year_begin(design.effective_from, asked.day)
    return used_by(each for each in asked.claims_under(plan_id) if begin <= each.counts_on)


def _allowed(asked: Asked, what: str) -> list[Money]:
    """What the payer allowed for one unit of a procedure in twelve months."""
    first_day, last_day = asked.window
    procedure = qualified(what)
    wanted = {"payer": asked.payer_id, "first_day": first_day, "last_day": last_day, "known_at": asked.position}
    with asked.ledger.database.session() as cursor:
        rows = cursor.execute(ALLOWED, {**wanted, "procedure": f'"{procedure}'}).fetchall()
    found = (line for row in rows for line in msgspec.convert(row["lines"], list[ServiceLine]))
    same = (line for line in found if line.procedure.split(":")[:2] == procedure.split(":")[:2])
    return [cents for line in same if line.units in ("", "1") and (cents := allowed_of(line)) > ZERO]


def _patient(asked: Asked, name: str | None) -> StreamId:
    found = [person for person, given in asked.patients.items() if name is None or given.casefold() == name.casefold()]
    if len(found) != 1:
        raise typer.BadParameter("of whom? " + ", ".join(asked.patients.values()), param_hint="--patient")
    return found[0]
