"""`scripts/ledger pay`, `refund`, `apply-credits`, `dispute`, `write-off` and `statement`: what a member asks for.

Each takes a key: sent again with the same one it is done once, and answers the same. Without one it is a request of its
own.
"""

import secrets
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from string import ascii_lowercase
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from adapters.cli import show
from adapters.cli.accounts import AsOf
from adapters.cli.claims import ClaimId, Member, find_one, ids_from
from adapters.cli.members import accounts_of
from adapters.cli.opened import DAYS, Json, day_of, opened, progress
from adapters.cli.show import console, new_table, text
from adapters.openings import read_openings
from application import requests
from application.commands import Request
from application.openings import load
from application.streams import Member as MemberOf
from application.streams import account_of
from composition import Ledger
from domain import account, payment
from domain.facts import StreamId
from domain.money import CENTS_MAX, Money
from domain.request import Answer
from projections.account_queries import (
    MEMBERS_BILLS,
    PAYERS_OF,
    PAYMENT_IDS,
    PAYMENTS_OF,
    STATEMENT_IDS,
    STATEMENT_LINES,
    STATEMENTS,
)

app = typer.Typer()
dispute_app = typer.Typer(help="Say that an amount is not owed: open, file evidence, resolve.", no_args_is_help=True)
app.add_typer(dispute_app, name="dispute")


def cents_of(value: str) -> Money:
    try:
        cents = Decimal(value) * 100
    except InvalidOperation:
        cents = Decimal(0)
    if cents != cents.to_integral_value() or not 0 < cents <= CENTS_MAX:
        raise typer.BadParameter("an amount in dollars is wanted, more than nothing and in whole cents: 12.50")
    return Money(int(cents))


def _any_key() -> str:
    """Of letters: no digits that could be taken for the number of a card."""
    return "".join(secrets.choice(ascii_lowercase) for _ in range(24))


def _not_empty(value: str) -> str:
    if not value.strip():
        raise typer.BadParameter("it is empty")
    return value


Amount = Annotated[Any, typer.Argument(parser=cents_of, metavar="AMOUNT", help="In dollars: 12.50.")]
Key = Annotated[str, typer.Option("--key", default_factory=_any_key, show_default="any", help="Of the request.")]
Actor = Annotated[str, typer.Option(help="Who does it.")]
On = Annotated[datetime | None, typer.Option("--on", formats=DAYS, help="The day of it; today by default.")]
PayerId = Annotated[str | None, typer.Option("--payer", help="The payer's number, where the member has several.")]
Number = Annotated[
    str, typer.Option("--number", default_factory=_any_key, show_default="any", help="By which it is known.")
]


@app.command(epilog="Example: scripts/ledger pay NHP131023432 40.00 --token tok_1a2b --method card")
def pay(
    member: Annotated[
        str, typer.Argument(metavar="MEMBER", callback=_not_empty, help="The number on the member's card.")
    ],
    amount: Amount,
    token: Annotated[
        str, typer.Option(callback=_not_empty, help="The processor's, of card or account; never a number of either.")
    ],
    method: Annotated[payment.Method, typer.Option(help="What it is paid with.")],
    key: Key,
    claim: Annotated[
        list[str] | None, typer.Option(help="A claim that it is for; the oldest bills by default.")
    ] = None,
    statement: Annotated[list[str] | None, typer.Option(help="A statement that it is for.")] = None,
    payer: PayerId = None,
    as_json: Json = False,
) -> None:
    """Start a payment. It is collected, and pays bills, when the processor says that it posted (topic `payments`)."""
    with opened() as ledger:
        said = payment.Reported(
            payment.Kind.INITIATED,
            datetime.now(ZoneInfo(ledger.settings.zone)),
            amount_cents=amount,
            method=method,
            claims=tuple(StreamId(find_one(ledger, each)["claim_id"]) for each in claim or ()),
            statements=tuple(_one(ledger, "statement", STATEMENT_IDS, each) for each in statement or ()),
        )
        notice = payment.PaymentNotice(payer_of(ledger, member, payer), member, payment.References(key, token), said)
        _answer(ledger, requests.payment_of(ledger.ids, key, notice), as_json, "Payment {} is started.")


@app.command(epilog="Example: scripts/ledger refund 3f2a9c1e 12.50")
def refund(
    payment_id: Annotated[str, typer.Argument(metavar="PAYMENT", help="The payment's id, or its first characters.")],
    amount: Amount,
    key: Key,
    on: On = None,
    as_json: Json = False,
) -> None:
    """Give some of a payment back: first what waits of it as credit, then what bills got last."""
    with opened() as ledger:
        stream = _one(ledger, "payment", PAYMENT_IDS, payment_id)
        known = ledger.log.history(stream)[0].stored
        event: Any = ledger.mapper.load(known)
        references = ledger.mapper.unseal(known, event)
        if references is None:
            raise typer.BadParameter("the member's key was destroyed: nothing is recorded of them any more")
        asked = requests.refund_of(ledger.ids, key, stream, event, references, amount, day_of(ledger, on))
        _answer(ledger, asked, as_json, "Refunded of payment {}.")


@app.command("apply-credits", epilog="Example: scripts/ledger apply-credits NHP131023432")
def apply_credits(member: Member, payer: PayerId = None, on: On = None, as_json: Json = False) -> None:
    """Let what waits as a member's credit pay what they owe by now, the oldest bills first."""
    with opened() as ledger:
        whose = MemberOf(payer_of(ledger, member, payer), member)
        with ledger.database.session() as cursor:
            own = {"account": account_of(ledger.ids, *whose)}
            streams = [StreamId(row["payment_id"]) for row in cursor.execute(PAYMENTS_OF, own)]
        work = ledger.work()
        events = requests.apply_credits(work, streams, ledger.bills.owed_by({whose})[whose], day_of(ledger, on))
        work.append()
    show.out({"events": events}, as_json, f"{events:,} entries made." if events else "Nothing to apply.")


@app.command("write-off", epilog="Example: scripts/ledger write-off 3f2a9c1e 4.20 --reason small_balance --actor ada")
def write_off(
    claim_id: ClaimId,
    amount: Amount,
    reason: Annotated[account.WriteOffReason, typer.Option(help="Why.")],
    actor: Actor,
    number: Number,
    on: On = None,
    as_json: Json = False,
) -> None:
    """Waive what is owed of a claim's bill, up to an amount."""
    with opened() as ledger:
        command = account.WriteOff(number, amount, reason, day_of(ledger, on), actor)
        _on_bill(ledger, claim_id, f"write-off {number}", command, as_json, "Waived of bill {}.")


@dispute_app.command(
    "open", epilog="Example: scripts/ledger dispute open 3f2a9c1e 40.00 --reason wrong_amount --actor member"
)
def open_(
    claim_id: ClaimId,
    amount: Amount,
    reason: Annotated[account.DisputeReason, typer.Option(help="Why.")],
    actor: Actor,
    number: Number,
    on: On = None,
    as_json: Json = False,
) -> None:
    """Hold an amount of a claim's bill until it is decided whether it is owed."""
    with opened() as ledger:
        command = account.Dispute(number, amount, reason, day_of(ledger, on), actor)
        _on_bill(ledger, claim_id, f"dispute {number}", command, as_json, f"Dispute {number} is open on bill {{}}.")


@dispute_app.command("file", epilog="Example: scripts/ledger dispute file 3f2a9c1e D1 receipt doc-77 --actor member")
def file(
    claim_id: ClaimId,
    number: Annotated[str, typer.Argument(metavar="DISPUTE", help="The dispute's number.")],
    kind: Annotated[account.Evidence, typer.Argument(help="What it is.")],
    document: Annotated[str, typer.Argument(help="Where the portal keeps it: an opaque reference.")],
    actor: Actor,
    on: On = None,
    as_json: Json = False,
) -> None:
    """Add evidence to a dispute."""
    with opened() as ledger:
        command = account.File(number, kind, document, day_of(ledger, on), actor)
        _on_bill(ledger, claim_id, f"dispute {number} {document}", command, as_json, "Filed on bill {}.")


@dispute_app.command("resolve", epilog="Example: scripts/ledger dispute resolve 3f2a9c1e D1 for_member --actor billing")
def resolve(
    claim_id: ClaimId,
    number: Annotated[str, typer.Argument(metavar="DISPUTE", help="The dispute's number.")],
    resolution: Annotated[account.Resolution, typer.Argument(help="Whether the amount is waived, or owed again.")],
    actor: Actor,
    on: On = None,
    as_json: Json = False,
) -> None:
    """Decide a dispute."""
    with opened() as ledger:
        command = account.Resolve(number, resolution, day_of(ledger, on), actor)
        _on_bill(ledger, claim_id, f"dispute {number} resolved", command, as_json, "Decided on bill {}.")


@app.command(epilog="Example: scripts/ledger statement NHP131023432 --issue --due 2026-04-30")
def statement(
    member: Member,
    issue: Annotated[bool, typer.Option("--issue", help="Freeze what is owed today in a new one.")] = False,
    due: Annotated[datetime | None, typer.Option(formats=DAYS, help="Until when the new one is due.")] = None,
    payer: PayerId = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """A member's statements, and how much of each is owed still."""
    with opened() as ledger:
        day = day_of(ledger, as_of)
        if issue:
            if due is None:
                raise typer.BadParameter("until when is it due?", param_hint="--due")
            _answer(ledger, _statement(ledger, member, payer, day, due.date()), as_json, "Statement {} is issued.")
            return
        asked = {"accounts": accounts_of(ledger, member), "as_of": day}
        with ledger.database.session() as cursor:
            rows = cursor.execute(STATEMENTS, asked).fetchall()
            lines = {
                row["statement_id"]: cursor.execute(STATEMENT_LINES, {"statement": row["statement_id"]}).fetchall()
                for row in rows
            }
    if as_json:
        for row in rows:
            show.line({**row, "lines": lines[row["statement_id"]]})
        return
    if not rows:
        console.print("No statements. (Is everything projected? scripts/ledger status)")
        return
    figures = ("owed", "minimum", "owed still")
    table = new_table("statement", "day", "due", "bill", "served", "claims", *figures, "standing", right=figures)
    for row in rows:
        head = (row["statement_id"][:8], text(row["day"]), text(row["due_on"]), f"{row['bills']} bills", "", "")
        amounts = (text(row[name]) for name in ("total", "minimum", "still_owed"))
        table.add_row(*head, *amounts, row["standing"])
        for line in lines[row["statement_id"]]:
            bill = (line["bill_id"][:8], text(line["served_on"]), line["claims"] or "")
            table.add_row("", "", "", *bill, text(line["amount"]), "", "", "")
    console.print(table)


@app.command("load-openings", epilog="Example: scripts/ledger load-openings opening-balances.csv")
def load_openings(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with control totals: docs/accounts.md.")],
    as_json: Json = False,
) -> None:
    """Take over what is owed from other books: all of a file, or nothing where its control totals are wrong."""
    data = path.read_bytes()
    found = read_openings(data)
    with opened() as ledger, progress(quiet=as_json) as bar:
        task = bar.add_task("Loading", total=len(found))
        source = "file:" + ledger.ids.digest(data)[:16]
        loaded = load(ledger.log, ledger.mapper, ledger.ids, found, source, lambda bills: bar.advance(task, bills))
    answer = {"opened": loaded.opened, "known": loaded.known, "conflicts": loaded.conflicts}
    text_ = f"{loaded.opened:,} bills taken over, {loaded.known:,} were known."
    if loaded.conflicts:
        text_ += f" Refused, because other amounts were taken over before: bills {loaded.conflicts}"
    show.out(answer, as_json, text_)
    if loaded.conflicts:
        raise typer.Exit(1)


# --- helpers


def _statement(ledger: Ledger, member: str, payer: str | None, day: date, due_on: date) -> Request:
    whose = MemberOf(payer_of(ledger, member, payer), member)
    with ledger.database.session() as cursor:
        found = cursor.execute(
            MEMBERS_BILLS, {"member": member, "payer": whose.payer_id, "account": account_of(ledger.ids, *whose)}
        ).fetchall()
    own = [StreamId(row["bill_id"]) for row in found]
    key = f"statement {ledger.ids.stream('account', *whose)} {day}"
    return requests.statement_of(ledger.work(), ledger.ids, key, whose, own, day, due_on)


def _on_bill(ledger: Ledger, claim_id: str, key: str, command: account.Command, as_json: bool, done: str) -> None:
    bill = find_one(ledger, claim_id)["bill_id"]
    if bill is None:
        raise typer.BadParameter("no bill is known of this claim", param_hint="CLAIM")
    _answer(ledger, requests.of_bill(ledger.ids, f"{bill} {key}", StreamId(bill), command), as_json, done)


def _answer(ledger: Ledger, asked: Request, as_json: bool, done: str) -> None:
    answer = ledger.execute(asked)
    if isinstance(answer, StrEnum):
        show.out({"refused": answer}, as_json, f"Refused: {answer}")
        raise typer.Exit(1)
    assert isinstance(answer, Answer)
    told = {"stream": answer.stream, "version": answer.version, "events": answer.events}
    show.out(told, as_json, done.format(answer.stream))


def payer_of(ledger: Ledger, member: str, payer: str | None) -> str:
    """The one by whom the member is known; asked for where there are several, and believed where there is none."""
    if payer is not None:
        return payer
    with ledger.database.session() as cursor:
        known = [row["payer_id"] for row in cursor.execute(PAYERS_OF, {"member": member})]
    if len(known) != 1:
        problem = "several payers know this member" if known else "no payer knows this member yet"
        raise typer.BadParameter(f"{problem}: say which", param_hint="--payer")
    return str(known[0])


def _one(ledger: Ledger, kind: str, question: str, prefix: str) -> StreamId:
    """The one whose id begins so."""
    first, last = ids_from(prefix)
    with ledger.database.session() as cursor:
        found = cursor.execute(question, {"first": first, "last": last}).fetchall()
    if len(found) != 1:
        problem = f"several {kind}s begin with this id" if found else f"no {kind} has this id"
        hint = f"{problem} (is everything projected? `scripts/ledger status`)"
        raise typer.BadParameter(hint, param_hint=kind.upper())
    return StreamId(found[0]["id"])
