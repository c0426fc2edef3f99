"""`scripts/ledger what-if`: a year of services under each plan, and what was owed of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec
import typer

from adapters.cli import show, show_costs
from adapters.cli.claims import KnownAt, Member, position_of
from adapters.cli.costs import NO_PLAN, Asked, AsOf, Covers, Record, Whom, asked_of, keep, priced
from adapters.cli.money import PayerId, cents_of
from adapters.cli.opened import Json, day_of, opened
from adapters.cli.seen import SeenBy, viewer_of
from adapters.cli.show import dollars
from application.requests import Question
from domain.comparison import Kind, Option
from domain.plan import INITIAL as NO_DESIGN
from domain.plan import Service, design_on
from domain.pricing import Served
from domain.what_if import Claimed, Compared, Costs, Use, compared, is_ruled, typed_year, what_if

app = typer.Typer()


def _use(value: str) -> Use:
    try:
        service, count, allowed = value.split(":")
        return msgspec.convert({"service": service, "count": int(count), "allowed_cents": cents_of(allowed)}, Use)
    except (ValueError, msgspec.ValidationError):
        known = ", ".join(Service)
        raise typer.BadParameter(f"SERVICE:COUNT:ALLOWED is wanted, primary_care:4:150.00; services: {known}") from None


_USES: msgspec.json.Decoder[list[Use]] = msgspec.json.Decoder(Annotated[list[Use], msgspec.Meta(min_length=1)])


def _uses_in(path: Path) -> list[Use]:
    try:
        return _USES.decode(path.read_bytes())
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise typer.BadParameter(f"a list of uses is wanted, as docs/what-plans-cost.md has it: {error}") from None


@app.command("what-if", epilog="Example: scripts/ledger what-if NHP131023432 --use primary_care:4:150.00")
def show_what_if(
    member: Member,
    payer: PayerId = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    covers: Whom = None,
    use: Annotated[
        list[Any] | None,
        typer.Option(parser=_use, metavar="SERVICE:COUNT:ALLOWED", help="Instead of the member's own year."),
    ] = None,
    scenario: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="The same, as a file.")] = None,
    lines: Annotated[
        str | None, typer.Option(metavar="PLAN", help="Every service under this plan, step by step.")
    ] = None,
    record: Record = None,
    seen_by: SeenBy = None,
    as_json: Json = False,
) -> None:
    """What a member's last twelve months, or a typed year, would have cost under each plan, and why."""
    uses = (*(use or ()), *(_uses_in(scenario) if scenario else ()))
    with opened() as ledger:
        with ledger.database.snapshot():
            known = position_of(ledger, known_at)
            viewer = None if seen_by is None else viewer_of(seen_by)
            asked = asked_of(ledger, member, payer, day_of(ledger, as_of), known, viewer)
        is_family = asked.is_family(Covers.INDIVIDUAL if uses and covers is None else covers)
        answer = year_of(asked, is_family, uses)
        if viewer is not None:  # what does not show used limits too, and would show as a difference
            answer = answer._replace(owed={}, unruled=())
        if lines is not None and lines not in {each.plan_id for each in answer.costs}:
            raise typer.BadParameter("no plan of this id holds on that day", param_hint="--lines")
        kind = Kind.TYPED_YEAR if uses else Kind.OWN_YEAR
        options = tuple(Option(each.plan_id, each.member_cents, each.premium_cents) for each in answer.costs)
        asks_family = None if covers is None else covers is Covers.FAMILY
        question = Question(kind, as_of and as_of.date(), known, asks_family, uses, seen_by or "")
        keep(asked, record, question, options, is_family=is_family)
    if as_json:
        for each in answer.told():
            show.line(each)
    elif not answer.costs:
        show.console.print(NO_PLAN)
    else:
        show_costs.year(answer.told(), asked.window, lines, is_scenario=bool(uses))


class Year(NamedTuple):
    """A year under each plan, and beside what was owed."""

    asked: Asked
    is_family: bool
    costs: Sequence[Costs]
    owed: Mapping[str, Sequence[Compared]] = {}
    """Claims of the year by the plan that they were under"""
    unruled: Sequence[Claimed] = ()
    """Those of which no design of their plan tells what the rules make"""

    def told(self) -> list[dict[str, Any]]:
        """The plans to choose from, and then those that hold no more and that claims of the year were under."""
        held = {each.plan_id for each in self.costs}
        ended = [plan_id for plan_id, claims in self.owed.items() if claims and plan_id not in held]
        return [*map(self._plan, self.costs), *map(self._ended, ended)]

    def _plan(self, costs: Costs) -> dict[str, Any]:
        asked, steps = self.asked, Counter[str]()
        for each in costs.prices:
            for step in each.steps:
                steps[step.part] += step.cents
        return {
            "plan_id": costs.plan_id,
            "name": costs.design.name,
            "holds": True,
            "current": costs.plan_id == asked.current,
            "as_of": asked.day,
            "known_at": asked.position,
            "covers": Covers.FAMILY if self.is_family else Covers.INDIVIDUAL,
            **{name: dollars(steps[name]) for name in show_costs.STEPS},
            "you_pay": dollars(costs.member_cents),
            "plan_pays": dollars(steps["plan_pays"]),
            "premium": dollars(costs.premium_cents),
            "together": dollars(costs.together_cents),
            "beyond_cheapest": dollars(costs.together_cents - self.costs[0].together_cents),
            "services": [priced(each) | {"patient": asked.patients.get(each.served.person)} for each in costs.prices],
            "claims": [_compared(each) for each in self.owed.get(costs.plan_id, ())],
            "left_out": dict(asked.history.left_out),
            "not_compared": {each.claim_id: "no_design" for each in self.unruled},
            "network_assumed": sum(not each.is_network_told for each in asked.history.claims),
        }

    def _ended(self, plan_id: str) -> dict[str, Any]:
        claims = self.owed[plan_id]
        design = design_on(self.asked.plans[plan_id], claims[-1].claim.counts_on)
        return {
            "plan_id": plan_id,
            "name": design.name if design else plan_id,
            "holds": False,
            "current": plan_id == self.asked.current,
            "as_of": self.asked.day,
            "known_at": self.asked.position,
            "claims": [_compared(each) for each in claims],
        }


def year_of(asked: Asked, is_family: bool, uses: Sequence[Use] = ()) -> Year:
    if uses:
        typed = typed_year(uses, asked.day)
        return Year(asked, is_family, what_if(typed, asked.plans, asked.day, is_family=is_family))
    window, claims = asked.window, [each for each in asked.history.claims if each.day <= asked.day]
    of = {served.number: (each, asked.plan_of(each)) for each in claims for served in each.services}

    def under_plan(served: Served, plan_id: str) -> Served:
        claim, own = of[served.number]
        return asked.under_plan(served, plan_id, is_told=claim.is_network_told and plan_id == own)

    services, before = (
        [served for each in claims if (each.day >= window.first) is inside for served in each.services]
        for inside in (True, False)
    )
    costs = what_if(services, asked.plans, asked.day, is_family=is_family, before=before, under_plan=under_plan)
    owed = {
        plan_id: compared(asked.claims_under(plan_id), plan, window, is_family=is_family)
        for plan_id, plan in asked.plans.items()
    }
    unruled = [
        each
        for each in claims
        if window.first <= each.day and not is_ruled(each, asked.plans.get(asked.plan_of(each), NO_DESIGN))
    ]
    return Year(asked, is_family, costs, owed, unruled)


def _compared(each: Compared) -> dict[str, Any]:
    return {
        "claim_id": each.claim.claim_id,
        "day": each.claim.day,
        "owed": dollars(each.owed_cents),
        "by_the_rules": dollars(each.member_cents),
        "difference": dollars(each.difference_cents),
        "explained": each.explained,
        "unexplained": {name: dollars(cents) for name, cents in each.unexplained},
    }
