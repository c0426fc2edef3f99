"""`scripts/ledger compare-plans`; and what `what-if` and `estimate` begin with too."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

import msgspec
import typer

from adapters.cli import show, show_costs
from adapters.cli.claims import KnownAt, Member, position_of
from adapters.cli.money import PayerId, payer_of
from adapters.cli.opened import DAYS, Json, day_of, opened
from adapters.cli.plans import plans_of
from adapters.cli.show import dollars
from application.claimed import History, history_of
from application.identification import account_of
from application.requests import Question, comparison_of
from composition import Ledger
from domain.adjudication import Network
from domain.comparison import Compare, Kind, Option
from domain.facts import StreamId
from domain.plan import BenefitDesign, Plan, design_on
from domain.pricing import Price
from domain.window import Window, twelve_months
from projections.cost_queries import CLAIMS, PATIENTS

app = typer.Typer()


class Covers(StrEnum):
    INDIVIDUAL = "individual"
    FAMILY = "family"


AsOf = Annotated[datetime | None, typer.Option(formats=DAYS, help="As things were on this day; today by default.")]
Whom = Annotated[
    Covers | None, typer.Option(help="Whom the plan covers; a family where claims tell of several persons.")
]

Outside = Annotated[bool, typer.Option("--out-of-network", help="What holds there; in network by default.")]

Record = Annotated[str | None, typer.Option(metavar="KEY", help="Keep what is shown, once for this key.")]
NO_PLAN = "No plan of this payer holds on that day. (Is everything projected? scripts/ledger status)"


class Asked(NamedTuple):
    """For whom it is asked, and what is known of them."""

    ledger: Ledger
    member: str
    payer_id: str
    day: date
    position: int
    plans: Mapping[str, Plan]
    patients: Mapping[StreamId, str]
    """Given names of all whom the payer knows under the member's number"""
    history: History

    @property
    def window(self) -> Window:
        return twelve_months(self.day)

    @property
    def current(self) -> str:
        """The plan that the latest claim names; empty where none does."""
        told = [each for each in self.history.claims if each.plan_id and each.day <= self.day]
        return max(told, key=lambda each: (each.day, each.claim_id)).plan_id if told else ""

    def is_family(self, covers: Covers | None) -> bool:
        return covers is Covers.FAMILY if covers else len({each.person for each in self.history.claims}) > 1

    def design(self, plan_id: str) -> BenefitDesign | None:
        return design_on(self.plans[plan_id], self.day) if plan_id in self.plans else None


def asked_of(ledger: Ledger, member: str, payer: str | None, day: date, known_at: int | None) -> Asked:
    payer_id = payer_of(ledger, member, payer)
    with ledger.database.session() as cursor:
        head = cursor.execute("SELECT position FROM head").fetchone()
        position = known_at if known_at is not None else head["position"] if head else 0
        wanted = {"member": member, "payer": payer_id, "known_at": position}
        claims = {StreamId(row["claim_id"]): row["events"] for row in cursor.execute(CLAIMS, wanted).fetchall()}
        patients = {
            StreamId(row["person_id"]): row["given_name"] for row in cursor.execute(PATIENTS, wanted).fetchall()
        }
    plans = {plan_id: plan for (_, plan_id), plan in plans_of(ledger, payer_id, position).items()}
    history = history_of(ledger.log, ledger.mapper, claims, payer_id, day)
    return Asked(ledger, member, payer_id, day, position, plans, patients, history)


def keep(asked: Asked, key: str | None, question: Question, options: tuple[Option, ...]) -> None:
    """What is shown, where a key is given. Raises AccountNumber, IdempotencyConflict."""
    if key is None:
        return
    account = account_of(asked.ledger.ids, asked.payer_id, asked.member)
    shown = Compare(account, asked.payer_id, question.kind, asked.day, asked.position, question.is_family, options)
    asked.ledger.execute(comparison_of(asked.ledger.ids, key, question, shown))


def priced(price: Price) -> dict[str, Any]:
    served = price.served
    return {
        "number": served.number,
        "person_id": served.person,
        "day": served.day,
        "service": served.service,
        "network": served.network,
        "charge": dollars(served.charge_cents),
        "allowed": dollars(served.allowed_cents),
        "you_pay": dollars(price.member_cents),
        "plan_pays": dollars(price.plan_cents),
        "steps": [
            {
                "step": step.part,
                "amount": dollars(step.cents),
                "of": dollars(step.of_cents),
                "percent": step.percent,
                "left": None if step.left_cents is None else dollars(step.left_cents),
            }
            for step in price.steps
        ],
    }


@app.command("compare-plans", epilog="Example: scripts/ledger compare-plans NHP131023432 --out-of-network")
def compare_plans(
    member: Member,
    payer: PayerId = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    out: Outside = False,
    record: Record = None,
    as_json: Json = False,
) -> None:
    """The plans that a member's payer has on a day, side by side: premiums, limits, and what each service costs."""
    with opened() as ledger:
        with ledger.database.snapshot():
            known = position_of(ledger, known_at)
            asked = asked_of(ledger, member, payer, day_of(ledger, as_of), known)
        designs = {plan_id: design for plan_id in asked.plans if (design := asked.design(plan_id))}
        question = Question(Kind.BENEFITS, asked.day, known, is_family=False)
        keep(asked, record, question, tuple(map(Option, designs)))
    if as_json:
        for plan_id, design in designs.items():
            about = {"plan_id": plan_id, "current": plan_id == asked.current, "as_of": asked.day}
            show.line({**about, **msgspec.to_builtins(design)})
    elif not designs:
        show.console.print(NO_PLAN)
    else:
        show_costs.side_by_side(designs, asked.current, Network.OUT if out else Network.IN, asked.day)
