"""`scripts/ledger remittance`: one payment, its claims, and how its sum comes about."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.table import Table

from adapters.cli import show
from adapters.cli.opened import Json, opened
from adapters.cli.show import console, new_table, text
from application.mapper import Unreadable
from composition import Ledger

app = typer.Typer()

BY_TRACE_NUMBER = "SELECT * FROM remittances WHERE trace_number = %(wanted)s ORDER BY paid_on, remittance_id LIMIT 10"

BY_ID = """
SELECT * FROM remittances WHERE remittance_id BETWEEN %(first_id)s AND %(last_id)s ORDER BY remittance_id LIMIT 10
"""

CLAIMS = """
SELECT said.claim_id::text, said.position, said.said, said.status_code, said.said_charge AS charge,
       said.said_paid AS paid, said.said_member AS member, now.service_from, now.status, person.member_id,
       concat_ws(' ', person.given_name, person.family_name) AS patient
FROM claim_history said
JOIN claim_status now ON now.claim_id = said.claim_id
LEFT JOIN people person ON person.person_id = said.person_id
WHERE said.claim_id = ANY(%(claim_ids)s) AND said.remittance_id = %(remittance_id)s
ORDER BY said.position
"""

ADJUSTMENTS = """
SELECT number, provider_id, fiscal_period_end, reason, amount, balance_id::text FROM provider_adjustments
WHERE remittance_id = %(remittance_id)s ORDER BY number
"""

BALANCES = """
SELECT balance_id::text, reason, opened, settled, outstanding, state, remittances, first_on, last_on
FROM provider_balances
WHERE balance_id IN (SELECT balance_id FROM provider_adjustments WHERE remittance_id = %(remittance_id)s)
ORDER BY first_on, balance_id
"""

MEANINGS = {
    "50": "charge for being late",
    "51": "penalty interest",
    "72": "the provider's refund, booked",
    "90": "discount for early payment",
    "AH": "fee for setting up the payment",
    "AM": "used for what the provider borrowed",
    "AP": "benefits paid ahead",
    "B2": "rebate",
    "B3": "allowance for recovery",
    "BD": "bad debts",
    "BN": "bonus",
    "C5": "allowance for the time being",
    "CR": "interest on capitation",
    "CS": "adjustment by the payer",
    "CT": "capitation",
    "CV": "capital costs, passed through",
    "CW": "nurse anesthetists, passed through",
    "DM": "medical education, passed through",
    "E3": "withheld by contract",
    "FB": "balance carried to or from another payment",
    "FC": "allotted from a fund",
    "GO": "graduate education, passed through",
    "HM": "clotting factor supplement",
    "IP": "premium for meeting a goal",
    "IR": "withheld for the tax office",
    "IS": "settlement for the time being",
    "J1": "not reimbursed",
    "L3": "penalty",
    "L6": "interest",
    "LE": "levy",
    "LS": "lump sum",
    "OA": "organ acquisition, passed through",
    "OB": "offset for an affiliated provider",
    "PI": "periodic payment on account",
    "PL": "last payment of a settlement",
    "RA": "contract changed for the past",
    "RE": "return on equity",
    "SL": "student loan repaid",
    "TL": "somebody else is liable",
    "WO": "overpayment taken back, or put off",
    "WU": "taken back, reason not given",
}
"""PLB reasons (code list 1032)"""

SETTLEMENTS = {
    "open": "{outstanding} of {carried} that it put off is still to be taken",
    "settled": "{carried} that it put off was taken since",
    "waiting": "it takes what is not known to have been put off; the remittance that did so is still to come",
    "nothing_carried": "it put nothing off",
}


@app.command(epilog="Example: scripts/ledger remittance NHPT000000001")
def remittance(
    wanted: Annotated[str, typer.Argument(metavar="ID|TRACE", help="Its id or first characters, or trace number.")],
    as_json: Json = False,
) -> None:
    """One payment: its claims, its changes of the provider's account, what it put off, and how its sum comes about."""
    with opened() as ledger:
        answer = _answer(ledger, wanted)
    if as_json:
        show.line(answer)
    else:
        _print(answer)


def _answer(ledger: Ledger, wanted: str) -> dict[str, Any]:
    with ledger.database.snapshot(), ledger.database.session() as cursor:
        found = cursor.execute(BY_TRACE_NUMBER, {"wanted": wanted}).fetchall()
        if not found and (ids := _id_range(wanted)) is not None:
            found = cursor.execute(BY_ID, ids).fetchall()
        if not found:
            raise typer.BadParameter(
                "no remittance has this id or trace number (is everything projected? `scripts/ledger status`)"
            )
        if len(found) > 1:
            ids_of_all = ", ".join(f"{row['remittance_id']} of {row['paid_on']}" for row in found)
            raise typer.BadParameter(f"several remittances have it: {ids_of_all}")
        [row] = found
        claims, adjustments, balances = (
            cursor.execute(question, row).fetchall() for question in (CLAIMS, ADJUSTMENTS, BALANCES)
        )
    references = _references(ledger, str(row["remittance_id"]))
    for adjustment in adjustments:
        adjustment["meaning"] = MEANINGS.get(adjustment["reason"], "")
        adjustment["reference"] = references[adjustment["number"] - 1] if references else None
    del row["claim_ids"]
    row["remittance_id"] = str(row["remittance_id"])
    return row | {"claims": claims, "adjustments": adjustments, "balances": balances}


def _id_range(wanted: str) -> dict[str, str] | None:
    """All ids that begin so, where it could be the beginning of one."""
    digits = wanted.replace("-", "").lower()
    if not digits or len(digits) > 32 or set(digits) - set("0123456789abcdef"):
        return None
    return {"first_id": digits.ljust(32, "0"), "last_id": digits.ljust(32, "f")}


def _references(ledger: Ledger, remittance_id: str) -> Sequence[str] | None:
    """The payer's references of the adjustments; they are sealed, and None where they cannot be opened."""
    [recorded] = ledger.log.history(remittance_id)
    try:
        references: Sequence[str] | None = ledger.mapper.unseal(recorded.stored, ledger.mapper.load(recorded.stored))
    except Unreadable:
        return None
    return references


def _print(answer: Mapping[str, Any]) -> None:
    console.print(f"[bold]Remittance {answer['remittance_id']}[/]")
    facts = Table(box=None, show_header=False, padding=(0, 2))
    settlement = SETTLEMENTS[answer["settlement"]]
    for name, value in (
        ("trace number", answer["trace_number"]),
        ("payer", f"{answer['payer']} ({answer['payer_id']})"),
        ("payee", f"{answer['payee']} ({answer['payee_id']})"),
        ("paid on", answer["paid_on"]),
        ("made on", answer["produced_on"]),
        ("method", f"{answer['method']}, handling {answer['handling'] or '–'}"),
        ("settlement", settlement.format(**{name: text(answer[name]) for name in ("outstanding", "carried")})),
        ("written by", answer["guide"]),
        ("source", answer["source"]),
        ("recorded at", answer["recorded_at"]),
    ):
        facts.add_row(name, text(value))
    console.print(facts)
    _claims(answer["claims"])
    if answer["adjustments"]:
        _adjustments(answer["adjustments"])
    if answer["balances"]:
        _balances(answer["balances"])
    _sum(answer)


def _claims(rows: Sequence[Mapping[str, Any]]) -> None:
    money = ("charge", "paid", "CLP05")
    columns = ("claim", "service", "patient", "said", "stands now", *money)
    table = new_table(*columns, right=money, folds=("patient",), title="Its claims")
    for row in rows:
        table.add_row(
            row["claim_id"][:8],
            text(row["service_from"]),
            f"{text(row['patient'])} [dim]{text(row['member_id'])}[/]",
            text(f"{row['said']} ({row['status_code']})"),
            show.status_words(row["status"]),
            *(text(row[name]) for name in ("charge", "paid", "member")),
        )
    console.print(table)


def _adjustments(rows: Sequence[Mapping[str, Any]]) -> None:
    title = "The provider's account (a positive amount lowers the payment)"
    columns = ("reason", "meaning", "reference", "balance", "amount")
    table = new_table(*columns, right=("amount",), folds=("meaning", "reference"), title=title)
    for row in rows:
        balance = (row["balance_id"] or "")[:8]
        table.add_row(*map(text, (row["reason"], row["meaning"], row["reference"], balance, row["amount"])))
    console.print(table)


def _balances(rows: Sequence[Mapping[str, Any]]) -> None:
    money = ("put off", "taken", "outstanding")
    columns = ("balance", "reason", "state", *money, "remittances", "first", "last")
    table = new_table(*columns, right=(*money, "remittances"), title="What is carried on, over all remittances")
    for row in rows:
        facts = ("reason", "state", "opened", "settled", "outstanding", "remittances", "first_on", "last_on")
        table.add_row(row["balance_id"][:8], *(text(row[name]) for name in facts))
    console.print(table)


def _sum(answer: Mapping[str, Any]) -> None:
    """Σ CLP04 - Σ PLB = BPR02, so that it can be checked by hand."""
    table = new_table("how the sum comes about", "amount", right=("amount",))
    posted, stated = answer["claims_posted"], answer["claims_stated"]
    table.add_row(f"{posted} of {stated} claims pay", text(answer["claims_paid"]))
    if posted < stated:
        table.add_row(f"{stated - posted} claims that are not posted: see `parked list`", text(answer["unposted"]))
    sums: dict[str, Decimal] = {}
    for row in answer["adjustments"]:
        sums[row["reason"]] = sums.get(row["reason"], Decimal(0)) - row["amount"]
    for reason, amount in sums.items():
        table.add_row(text(f"{reason} {MEANINGS.get(reason, '')}".strip()), text(amount))
    table.add_section()
    table.add_row("paid (BPR02)", text(answer["total"]))
    console.print(table)
