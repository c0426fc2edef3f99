"""`scripts/ledger compare-plans`; and what `what-if` and `estimate` begin with too."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

import msgspec
import typer

from adapters.cli import show, show_costs
from adapters.cli.claims import KnownAt, Member, position_of
from adapters.cli.members import coverages_of, states_of
from adapters.cli.money import PayerId, payer_of
from adapters.cli.opened import DAYS, Json, day_of, opened
from adapters.cli.plans import plans_of
from adapters.cli.seen import shown_claims
from adapters.cli.show import dollars
from application.claimed import History, history_of
from application.requests import Question, comparison_of
from application.streams import account_of, coverage_stream
from composition import Ledger
from domain.adjudication import Network
from domain.comparison import Compare, Kind, Option
from domain.consent import Area
from domain.directory import INITIAL as NOT_LISTED
from domain.directory import Provider
from domain.eligibility import Eligibility, eligibility, eligibility_under, persons, plan_on, tells_enrolment
from domain.enrolment import Coverage
from domain.facts import StreamId
from domain.person import Names, one_for_all
from domain.plan import BenefitDesign, Plan, design_on
from domain.pricing import Price, Served
from domain.under_plan import under_plan
from domain.what_if import Claimed
from domain.window import Window, twelve_months
from projections.cost_queries import CLAIMS, EARLIER, FOLDED, PATIENTS
from projections.directory import LISTED, provider_in

app = typer.Typer()


class Covers(StrEnum):
    """Whom a plan covers, as its premiums and limits tell them apart."""

    INDIVIDUAL = "individual"
    FAMILY = "family"


AsOf = Annotated[datetime | None, typer.Option(formats=DAYS, help="As things were on this day; today by default.")]
Whom = Annotated[Covers | None, typer.Option(help="Whom the plan covers; by default as coverage says, else claims.")]
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
    now: Mapping[str, str]
    """Who persons are known as by now whom the payer knew under other numbers, by their ids of then"""
    history: History
    """By what was said up to the day, of the persons as they are known by now: who got a new number goes on with the
    limits of the earlier one"""
    coverages: Sequence[Coverage]
    """Under the number of now, and then under earlier ones"""
    providers: Mapping[str, Provider]
    """Those of the history whom the directory lists, by their numbers"""

    @property
    def window(self) -> Window:
        return twelve_months(self.day)

    @property
    def current(self) -> str:
        """The plan that covers the member; where no enrolment is known the one that the latest claim names. Empty where
        nothing tells, and where coverage says that none does."""
        is_told = any(map(tells_enrolment, self.coverages))
        return self._covered_by(self.day) or ("" if is_told else self._last_claimed)

    def eligibility(self, person: StreamId) -> Eligibility | None:
        """Whether coverage covers a person on the day, under any of their numbers; None where no enrolment is known."""
        before = [StreamId(each) for each, now in self.now.items() if now == person]
        return eligibility_under(self.coverages, tuple(dict.fromkeys([person, *before])), self.day)

    def plan_of(self, claim: Claimed) -> str:
        """The plan that a claim was under: as it is told, else by coverage, else today's or the last one told."""
        return claim.plan_id or self._covered_by(claim.day) or self.current or self._last_claimed

    @property
    def _last_claimed(self) -> str:
        """The plan that the latest claim names; empty where none does."""
        told = [each for each in self.history.claims if each.plan_id and each.day <= self.day]
        latest = max(told, key=lambda each: (each.day, each.claim_id), default=None)
        return latest.plan_id if latest else ""

    def _covered_by(self, day: date) -> str:
        """The plan that covers the member on a day, by the number of now before earlier ones; empty where none does."""
        return next(filter(None, (plan_on(each, day) for each in self.coverages)), "")

    def is_family(self, covers: Covers | None) -> bool:
        """By coverage, else where claims tell of several persons."""
        covered = (
            sum(eligibility(each, person, self.day).covered for person in persons(each)) for each in self.coverages
        )
        known = next(filter(None, covered), 0) or len({each.person for each in self.history.claims})
        return covers is Covers.FAMILY if covers else known > 1

    def under_plan(self, served: Served, plan_id: str, *, is_told: bool = False) -> Served:
        provider = self.providers.get(served.provider, NOT_LISTED)
        return under_plan(served, provider, self.payer_id, plan_id, is_told=is_told)

    def claims_under(self, plan_id: str) -> list[Claimed]:
        """Those that were under a plan, as it sees them, up to the day."""
        return [
            each._replace(
                services=tuple(
                    self.under_plan(served, plan_id, is_told=each.is_network_told) for served in each.services
                )
            )
            for each in self.history.claims
            if each.day <= self.day and self.plan_of(each) == plan_id
        ]

    def design(self, plan_id: str) -> BenefitDesign | None:
        return design_on(self.plans[plan_id], self.day) if plan_id in self.plans else None


def asked_of(
    ledger: Ledger, member: str, payer: str | None, day: date, known_at: int | None, viewer: Names | None = None
) -> Asked:
    payer_id = payer_of(ledger, member, payer)
    with ledger.database.session() as cursor:
        [folded] = cursor.execute(FOLDED).fetchall()
        position = folded["position"] if known_at is None else min(known_at, folded["position"])
        wanted = {"member": member, "payer": payer_id, "known_at": position}
        claims = {StreamId(row["claim_id"]): row["events"] for row in cursor.execute(CLAIMS, wanted).fetchall()}
        patients = {
            StreamId(row["person_id"]): row["given_name"] for row in cursor.execute(PATIENTS, wanted).fetchall()
        }
        links = [(row["person_id"], row["earlier_id"]) for row in cursor.execute(EARLIER, wanted).fetchall()]
    now = one_for_all(links, patients)
    patients = {person: name for person, name in patients.items() if now.get(person, person) == person}
    if viewer is not None:
        shown = shown_claims(ledger, claims, viewer, Area.CLAIMS, day, known_at)  # by consent as it was known then
        claims = {claim_id: events for claim_id, events in claims.items() if claim_id in shown}
    plans = {plan_id: plan for (_, plan_id), plan in plans_of(ledger, payer_id, position).items()}
    history = history_of(ledger.log, ledger.mapper, claims, payer_id, day)
    history = history._replace(
        claims=tuple(each.of(StreamId(now.get(each.person, each.person))) for each in history.claims)
    )
    coverages = _coverages(ledger, payer_id, member, position)
    providers = providers_of(ledger, history.providers, position)
    return Asked(
        ledger,
        member,
        payer_id,
        day,
        position,
        plans,
        patients,
        now,
        history,
        coverages,
        providers,
    )


def _coverages(ledger: Ledger, payer_id: str, member: str, known_at: int) -> list[Coverage]:
    """Under the member's number, and then under the earlier ones."""
    own = coverage_stream(ledger.ids, payer_id, member)
    streams = dict.fromkeys(
        [own, *(stream for stream, payer in coverages_of(ledger, member, known_at).items() if payer == payer_id)]
    )
    found = states_of(ledger, list(streams), known_at)
    return [found.get(stream, Coverage()) for stream in streams]


def providers_of(ledger: Ledger, numbers: Collection[str], known_at: int) -> dict[str, Provider]:
    with ledger.database.session() as cursor:
        rows = {
            number: cursor.execute(LISTED, {"provider": number, "known_at": known_at}).fetchall() for number in numbers
        }
    return {number: provider_in(found) for number, found in rows.items()}


def keep(
    asked: Asked, key: str | None, question: Question, options: tuple[Option, ...], *, is_family: bool = False
) -> None:
    """What is shown, of a family's coverage or of one person's. Raises AccountNumber, IdempotencyConflict."""
    if key is None:
        return
    account = account_of(asked.ledger.ids, asked.payer_id, asked.member)
    shown = Compare(account, asked.payer_id, question.kind, asked.day, asked.position, is_family, options)
    asked.ledger.execute(comparison_of(asked.ledger.ids, key, question, shown))


def priced(price: Price) -> dict[str, Any]:
    served = price.served
    return {
        "number": served.number,
        "person_id": served.person,
        "day": served.day,
        "service": served.service,
        "network": served.network,
        "tier": served.tier or None,
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
        question = Question(Kind.BENEFITS, as_of and as_of.date(), known)
        keep(asked, record, question, tuple(map(Option, designs)))
    if as_json:
        for plan_id, design in designs.items():
            about = {"plan_id": plan_id, "current": plan_id == asked.current, "as_of": asked.day}
            show.line({**about, **msgspec.to_builtins(design)})
    elif not designs:
        show.console.print(NO_PLAN)
    else:
        show_costs.side_by_side(designs, asked.current, Network.OUT if out else Network.IN, asked.day)
