"""`scripts/ledger premiums`: what a member owes the plan, and where coverage stands."""

from datetime import date, datetime
from itertools import groupby
from typing import Annotated, Any

import typer

from adapters.cli import show
from adapters.cli.claims import KnownAt, Member, position_of
from adapters.cli.members import accounts_of
from adapters.cli.opened import DAYS, Json, day_of, opened
from adapters.cli.show import console, dollars, new_table, text
from composition import Ledger
from domain.premium import Contract, Kind, premiums
from projections.premiums import FACTS, decode

app = typer.Typer()

AsOf = Annotated[datetime | None, typer.Option(formats=DAYS, help="Where it stood on this day; today by default.")]


@app.command("premiums", epilog="Example: scripts/ledger premiums NHP131023432 --as-of 2026-03-31")
def show_premiums(member: Member, as_of: AsOf = None, known_at: KnownAt = None, as_json: Json = False) -> None:
    """What a member's contracts cost and what was paid for them, and where coverage stands."""
    with opened() as ledger, ledger.database.snapshot():
        day = day_of(ledger, as_of)
        contracts = contracts_of(ledger, member, day, position_of(ledger, known_at))
    if as_json:
        for contract in contracts:
            show.line(contract)
    elif contracts:
        _table(contracts)
    else:
        console.print("No premiums. (Is everything projected? scripts/ledger status)")


def contracts_of(ledger: Ledger, member: str, day: date, known_at: int | None) -> list[dict[str, Any]]:
    """Each contract of a member as it stood on a day."""
    wanted = {"accounts": accounts_of(ledger, member, known_at), "known_at": known_at}
    with ledger.database.session() as cursor:
        facts = cursor.execute(FACTS, wanted).fetchall()
    return [
        _contract(contract_id, payer_id, Contract(tuple(decode(row["folded"]) for row in rows)), day)
        for (contract_id, payer_id), rows in groupby(facts, key=lambda row: (row["contract_id"], row["payer_id"]))
    ]


def _contract(contract_id: str, payer_id: str, contract: Contract, day: date) -> dict[str, Any]:
    stands = premiums(contract, day)
    said = [each for each in contract.said if each.on <= day]
    returned = {each.payment: each for each in said if each.kind is Kind.PAYMENT_RETURNED}
    return {
        "contract_id": contract_id,
        "payer_id": payer_id,
        "as_of": day,
        "standing": stands.standing,
        "grace_until": stands.grace_until,
        "open": dollars(sum(each.open_cents for each in stands.invoices)),
        "credit": dollars(stands.credit_cents),
        "invoices": [
            {
                "invoice_id": each.said.invoice,
                "period_from": each.said.period_from,
                "period_to": each.said.period_to,
                "due_on": each.due_on,
                "grace_until": each.said.grace_until,
                "amount": dollars(each.said.amount_cents),
                "open": dollars(each.open_cents),
                "standing": each.standing(day),
            }
            for each in stands.invoices
        ],
        "payments": [
            {
                "payment_id": each.payment,
                "paid_on": each.on,
                "amount": dollars(each.amount_cents),
                "invoice_id": each.invoice,
                "returned_on": returned[each.payment].on if each.payment in returned else None,
            }
            for each in sorted(said, key=lambda each: (each.on, each.payment or ""))
            if each.kind is Kind.PAID
        ],
    }


def _table(contracts: list[dict[str, Any]]) -> None:
    figures = ("amount", "open")
    table = new_table("", "for", "day", "grace until", *figures, "standing", right=figures, folds=("standing",))
    for contract in contracts:
        credit = f"credit {text(contract['credit'])}" if contract["credit"] else ""
        grace = text(contract["grace_until"]) if contract["grace_until"] else ""
        what, stands = f"[bold]contract {contract['contract_id'][:8]}[/]", f"[bold]{_words(contract['standing'])}[/]"
        table.add_row(what, credit, "", grace, "", text(contract["open"]), stands)
        for each in contract["invoices"]:
            period = f"{text(each['period_from'])} to {text(each['period_to'])}"
            days = (text(each["due_on"]), text(each["grace_until"]))
            amounts = (text(each["amount"]), text(each["open"]))
            table.add_row(f"invoice {each['invoice_id'][:8]}", period, *days, *amounts, _words(each["standing"]))
        for each in contract["payments"]:
            meant_for = f"invoice {each['invoice_id'][:8]}" if each["invoice_id"] else "the oldest invoice"
            returned = f"returned {text(each['returned_on'])}" if each["returned_on"] else ""
            what, day, amount = f"payment {each['payment_id'][:8]}", text(each["paid_on"]), text(each["amount"])
            table.add_row(what, meant_for, day, "", amount, "", returned)
        table.add_section()
    console.print(table)
    console.print(f"As of {text(contracts[0]['as_of'])}. Premiums are owed to the plan; cost share to providers.")


def _words(standing: str) -> str:
    return standing.replace("_", " ")
