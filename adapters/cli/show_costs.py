"""What plans cost, as people read it: years, benefits side by side, estimates, each with how it comes to that."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from rich.markup import escape

from adapters.cli.coverage import WORDS as COVERAGE_WORDS
from adapters.cli.show import console, dollars, new_table, text
from domain.adjudication import Network
from domain.eligibility import Line
from domain.plan import BenefitDesign, CostShare, Limit, Service
from domain.pricing import Part
from domain.what_if import Explained
from domain.window import Window

STEPS = (Part.DEDUCTIBLE, Part.COPAY, Part.COINSURANCE, Part.NOT_COVERED)

NOTES = (
    "The same services under each plan, by day: deductible, then copay, then coinsurance, until the limit is met. "
    "Networks and specialties are the directory's; whom it does not list is taken as the claim has it."
)


def year(plans: Sequence[Mapping[str, Any]], window: Window, lines: str | None, *, is_scenario: bool) -> None:
    told, plans = plans, [each for each in plans if each["holds"]]
    first = plans[0]
    whose = "A typed year" if is_scenario else f"Services from {window.first} to {window.last}"
    title = f"{whose}, {first['covers']} coverage, with twelve months' premium"
    figures = ("deductible", "copay", "coins.", "not cov.", "you pay", "premium", "together")
    table = new_table("plan", *figures, right=figures, folds=("plan",), title=title)
    for each in plans:
        name = f"{escape(each['name'])} ({escape(each['plan_id'])})" + (", yours" if each["current"] else "")
        parts = (text(each[step]) if each[step] else "" for step in STEPS)
        sums = (text(each["you_pay"]), text(each["premium"]), f"[bold]{text(each['together'])}[/]")
        table.add_row(name, *parts, *sums)
    console.print(table)
    yours = next((each for each in plans if each["current"]), None)
    if len(plans) > 1:
        console.print(_why(first, yours if yours and yours is not first else plans[1]))
    for each in told:
        _owed(each)
    _left_out(first)
    if lines is not None:
        _lines(next(each for each in plans if each["plan_id"] == lines))
    console.print(NOTES)


def _why(cheapest: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """What makes the difference, in a sentence."""
    parts = [
        f"{text(abs(more))} {'more' if more > 0 else 'less'} {what}"
        for what, key in (("premium", "premium"), ("for services", "you_pay"))
        if (more := cheapest[key] - other[key])
    ]
    saved = text(other["together"] - cheapest["together"])
    because = f" ({', '.join(parts)})" if parts else ""
    return f"[bold]{escape(cheapest['name'])}[/] costs {saved} less than {escape(other['name'])}{because}."


def _owed(plan: Mapping[str, Any]) -> None:
    """What was owed of the claims that were under the plan, beside what its rules make of them."""
    claims = plan["claims"]
    if not claims:
        return
    owed, by_rules = (sum((each[key] for each in claims), Decimal(0)) for key in ("owed", "by_the_rules"))
    under = f"{escape(plan['name'])}{'' if plan['holds'] else ', which holds no more,'}"
    told = f"Of {len(claims)} claims under {under} {text(owed)} was owed; its rules make {text(by_rules)}."
    console.print(f"\n{told} They explain {sum(each['explained'] is not None for each in claims)} of them.")
    named = [each for each in claims if each["explained"] != Explained.BY_DAY]
    if named:
        figures = ("owed", "by the rules", "difference")
        table = new_table("claim", "day", *figures, "why", right=figures, folds=("why",))
        for each in named:
            beyond = ", ".join(f"{_words(name)} {text(cents)}" for name, cents in each["unexplained"].items())
            amounts = (text(each[name]) for name in ("owed", "by_the_rules", "difference"))
            why = WORDS[each["explained"]] if each["explained"] else f"not explained: {beyond} beyond the rules"
            table.add_row(each["claim_id"][:8], text(each["day"]), *amounts, why)
        console.print(table)


WORDS = {
    Explained.BEHIND_OWED: "right behind what was owed of claims before it",
    Explained.AS_PROCESSED: "right in the order of processing",
}


def _left_out(plan: Mapping[str, Any]) -> None:
    for words, claims in (("Not priced", plan["left_out"]), ("Not compared", plan["not_compared"])):
        for why in sorted(set(claims.values())):
            named = " ".join(sorted(claim_id[:8] for claim_id, each in claims.items() if each == why))
            console.print(f"{words}, {_words(why)}: {named}.")
    if plan["network_assumed"]:
        console.print(
            f"Of {plan['network_assumed']} claims no message tells the network: in network but for the directory."
        )


def _lines(plan: Mapping[str, Any]) -> None:
    figures = ("allowed", "you pay", "plan pays")
    whose = ("of",) if len({each["person_id"] for each in plan["services"]}) > 1 else ()
    columns = ("day", *whose, "service", *figures, "how")
    table = new_table(*columns, right=figures, folds=("how",), title=f"Under {plan['name']}")
    for each in plan["services"]:
        of = [text(each["patient"]) for _ in whose]
        amounts = (text(each[name]) for name in ("allowed", "you_pay", "plan_pays"))
        where = "" if each["network"] == Network.IN else " (out)"
        table.add_row(text(each["day"]), *of, f"{_words(each['service'])}{where}", *amounts, how(each["steps"]))
    console.print(table)


def how(steps: Sequence[Mapping[str, Any]]) -> str:
    """The steps in words that a member can follow."""
    return ", then ".join(filter(None, map(_step, steps))) or "nothing to pay"


def _step(step: Mapping[str, Any]) -> str:
    amount, of = text(step["amount"]), text(step["of"])
    match step["step"]:
        case Part.NOT_COVERED:
            return f"not covered: {amount}"
        case Part.DEDUCTIBLE:
            return f"deductible {amount} ({text(step['left'])} left)"
        case Part.COPAY:
            return f"copay {amount}"
        case Part.COINSURANCE:
            return f"{step['percent']}% of {of}: {amount}"
        case Part.LIMIT_MET:
            return f"limit met: {amount} less"
        case _:
            return ""


# --- benefits side by side


def side_by_side(designs: Mapping[str, BenefitDesign], current: str, network: Network, day: date) -> None:
    names = [f"{escape(each.name)}{' (yours)' if plan_id == current else ''}" for plan_id, each in designs.items()]
    where = "in network" if network is Network.IN else "out of network"
    table = new_table("", *names, folds=names, title=f"What a member pays {where}, by plans that hold on {day}")
    table.add_row("plan", *(escape(plan_id) for plan_id in designs))
    for what, pair in (
        ("premium a month", [(each.premium.individual_cents, each.premium.family_cents) for each in designs.values()]),
        ("deductible", [_limits(each.within(network).deductible) for each in designs.values()]),
        ("out-of-pocket limit", [_limits(each.within(network).out_of_pocket) for each in designs.values()]),
    ):
        table.add_row(what, *(f"{_amount(individual)} / {_amount(family)}" for individual, family in pair))
    table.add_row("a family meets it", *(each.family.value for each in designs.values()))
    table.add_section()
    for service in Service:
        table.add_row(_words(service), *(_shares(each, network, service) for each in designs.values()))
    console.print(table)
    console.print(
        "Two amounts are one person's / the family's. A copay is paid once for a service type, day and provider."
    )


def _limits(limit: Limit) -> tuple[int | None, int | None]:
    return limit.individual_cents, limit.family_cents


def _amount(cents: int | None) -> str:
    return "none" if cents is None else text(dollars(cents))


def _shares(design: BenefitDesign, network: Network, service: Service) -> str:
    """Of each tier that has a rule of its own."""
    benefits = design.within(network)
    tiers = dict.fromkeys(["", *(each.tier for each in benefits.shares if each.service is service)])
    return "\n".join(
        f"tier {escape(tier)}: {_share(benefits.share(service, tier))}" if tier else _share(benefits.share(service))
        for tier in tiers
    )


def _share(share: CostShare) -> str:
    if not share.covered:
        return "not covered"
    copay = text(dollars(share.copay_cents)) if share.copay_cents else ""
    parts = [copay, f"{share.coinsurance_percent}%" if share.coinsurance_percent else ""]
    pays = " + ".join(filter(None, parts)) or "nothing"
    return f"{pays} after deductible" if share.deductible_applies else pays


# --- estimate


def estimate(answer: Mapping[str, Any]) -> None:
    came = "as typed" if answer["allowed_from"] == "typed" else f"median of {answer['amounts']} in twelve months"
    service, plan, day = _words(answer["service"]), escape(answer["name"]), answer["as_of"]
    console.print(
        f"{escape(answer['what'])} is {service}, under {plan} on {day}: allowed {text(answer['allowed'])} ({came})."
    )
    pays = f"You pay [bold]{text(answer['you_pay'])}[/]: {how(answer['steps'])}."
    console.print(f"{pays} The plan pays {text(answer['plan_pays'])}.")
    for note in filter(None, (_taken_as(answer), _network(answer), _coverage(answer))):
        console.print(note)


def _taken_as(answer: Mapping[str, Any]) -> str:
    return "No rule names this code: taken as other." if answer["service_because"] == "no_rule" else ""


def _network(answer: Mapping[str, Any]) -> str:
    """In which network the provider is, and what tells it."""
    first_on, until = text(answer["listed_from"]), text(answer["listed_until"])
    unknown = "the directory does not list this provider" if answer["provider_id"] else "no provider is named"
    tier = f", tier {escape(answer['tier'])}" if answer["tier"] else ""
    words = {
        "typed": "Out of network, as typed.",
        "assumed": f"Assumed in network: {unknown}.",
        "emergency": "As in network: so an emergency counts whoever gives it.",
        "listed": f"In network{tier}: the directory lists this provider.",
        "not_listed": "Out of network: the directory lists this provider, and not in this plan's network.",
        "not_yet": f"Out of network: the directory lists this provider from {first_on} on.",
        "ended": f"Out of network: the directory lists this provider until {until}.",
    }
    return words[answer["network_because"]]


def _coverage(answer: Mapping[str, Any]) -> str:
    match answer["covered"]:
        case None:
            named = ": the plan is the one that the latest claim names" if answer["current"] else ""
            return f"No enrolment is known{named}."
        case False:
            why = because([Line(**line) for line in answer["because"]])
            return f"The patient is not covered on that day: {escape(why)}."
        case _:
            return ""


def because(lines: Sequence[Line]) -> str:
    """Why somebody is covered or not, in words."""
    return "; ".join(COVERAGE_WORDS[line.why].format(day=line.day, reason=line.reason) for line in lines)


def _words(name: str) -> str:
    return name.replace("_", " ")
