"""`scripts/demo`: the shipped samples through the real commands, in one process, with a word on each."""

import sys
from datetime import datetime

from rich.rule import Rule

from adapters.cli import (
    accounts,
    accumulators,
    alerts,
    claims,
    commands,
    coverage,
    logins,
    money,
    premiums,
    show,
    what_if,
)
from adapters.cli import family as relatives
from adapters.cli.__main__ import run
from adapters.cli.opened import opened
from domain import account
from domain.money import Money
from samples import family, household


def _day(month: int, day: int) -> datetime:
    """Of the samples' year, so that the demo says the same next year."""
    return datetime(2026, month, day)  # noqa: DTZ001 a day, as the command line gives it


MARCH, AUTUMN = _day(3, 31), _day(10, 31)

NEXT = """
  scripts/ledger history {member} --all      the same member, whatever the claim's age; --filter "only prescriptions"
  scripts/ledger claim {claim}               the claim above, each code in plain language; --json for every fact
  scripts/ledger accumulators {member}       what counts toward the deductible; balance {member}: bill by bill
  scripts/ledger account NHP200000026          the family above; payments, premiums, statement, alerts NHP200000026
  scripts/ledger claims --status denied        claims by status, member, payer or date of service
  scripts/ledger remittance NHPT000000005      one payment: its claims, what it put off, and its sum written out
  scripts/ledger status --freshness            how soon claims were to be seen after service and payment
  scripts/ledger parked list                   what waits for a person, and why
  scripts/ledger projections rebuild people    a table made anew beside the live one, compared and exchanged
  scripts/ledger ingest YOUR-FILE.835          a remittance of your own, or a folder of them
  scripts/test                                 everything that is promised here, tested
"""


def demo() -> None:
    _chapter("1. A ledger: PostgreSQL starts, tables and keys are made where they are not there yet")
    commands.init()
    _chapter("2. Payers' remittances (X12 835) and notices (JSON) come in; a file that came before changes nothing")
    commands.ingest(["samples/835", "samples/notices"])
    _chapter("3. The events are folded into tables")
    commands.project(once=True)
    member, claim, march = _reversed_and_corrected()
    _chapter(f"4. One member's three years, as of {AUTUMN:%d %B %Y}")
    claims.history(member, as_of=AUTUMN)
    _chapter(f"5. The same question as of {MARCH:%d %B %Y}, with what the ledger knew then (position {march})")
    claims.history(member, as_of=MARCH, known_at=str(march))
    _chapter("6. Where a claim's figures come from: paid, taken back, paid otherwise, objected to")
    claims.replay(claim)
    _chapter("7. What the member owes and why: every entry of the account")
    accounts.account(member)
    _chapter("8. A family's year in money: claims, a second payer, premiums, instalments, a reversal after payment")
    _family()
    _chapter("9. The same family at the portal: locked out and back, of age, another plan after a birth")
    _household()
    _chapter("10. All four kinds of facts of the family on one line of time")
    claims.replay(family.MEMBER_ID)
    _chapter("11. Whether all sums hold, over all members")
    accounts.check()
    _chapter("12. What could not be posted waits for a person; nothing is dropped")
    commands.parked_list()
    _chapter("What to try next")
    show.console.print(NEXT.format(member=member, claim=claim), highlight=False, soft_wrap=True)


def _family() -> None:
    """Step by step, as it went: what a payment pays depends on what is owed by then."""
    winter, *summer, august = (f"samples/family/{name}" for name in family.build())
    show.console.quiet = show.errors.quiet = True
    try:
        commands.ingest([winter])
        commands.project(once=True)
        money.statement(family.MEMBER_ID, issue=True, as_of=_day(2, 28), due=_day(3, 31))
        for each in summer:
            commands.ingest([each])
            commands.project(once=True)
        money.apply_credits(family.MEMBER_ID, on=_day(7, 15))
        commands.ingest([august])
        commands.project(once=True)
        _dispute(_day(9, 1), _day(9, 21))
        commands.project(once=True)
    finally:
        show.console.quiet = show.errors.quiet = False
    accounts.account(family.MEMBER_ID)
    accounts.balance(family.MEMBER_ID)
    money.statement(family.MEMBER_ID)
    accumulators.accumulators(family.MEMBER_ID)
    premiums.show_premiums(family.MEMBER_ID)
    alerts.alerts(family.MEMBER_ID, all_=True)


def _household() -> None:
    show.console.quiet = show.errors.quiet = True
    try:
        commands.ingest([f"samples/household/{name}" for name in household.build()])
        commands.project(once=True)
    finally:
        show.console.quiet = show.errors.quiet = False
    logins.logins(family.MEMBER_ID)
    _say("Dana is a child still: her mother sees all that is not sensitive, and Ben what her mother allowed for her.")
    relatives.show_family(family.MEMBER_ID, as_of=_day(5, 13))
    _say("On her 18th birthday both end. Six days later she lets her mother see her coverage:")
    relatives.show_family(family.MEMBER_ID, as_of=_day(5, 14))
    relatives.show_family(family.MEMBER_ID, as_of=_day(5, 20))
    _say("In September she takes it back:")
    relatives.show_family(family.MEMBER_ID, as_of=_day(9, 1))
    _say("After Cleo's birth, what would the other plan have cost?")
    what_if.show_what_if(family.MEMBER_ID, as_of=_day(10, 20))
    _say("It is asked for within 60 days of the birth. In spring, without such an event, it had been refused:")
    coverage.show_coverage(family.MEMBER_ID, as_of=_day(11, 1))


def _say(words: str) -> None:
    show.console.print()
    show.console.print(f"[bold]{words}[/]")


def _dispute(opened_on: datetime, decided_on: datetime) -> None:
    """The test of August was never made; the clinic agrees."""
    with opened() as ledger:
        found = claims.find(ledger, member=family.MEMBER_ID)
    [test] = [row["claim_id"] for row in found if str(row["service_from"]) == "2026-08-17"]
    amount, actor = Money(4_500), "demo"
    money.open_(test, amount, account.DisputeReason.NOT_RECEIVED, actor, "D-26", opened_on)
    money.resolve(test, "D-26", account.Resolution.FOR_MEMBER, actor, decided_on)


def _reversed_and_corrected() -> tuple[str, str, int]:
    """The member and the claim with the longest story, and the last position before anything paid after March."""
    with opened() as ledger:
        found = max(claims.find(ledger), key=lambda row: (row["events"], row["claim_id"]))
        later = "SELECT min(position) - 1 AS march FROM claim_history WHERE remittance_id IS NOT NULL AND day > %s"
        with ledger.database.session() as cursor:
            row = cursor.execute(later, [MARCH.date()]).fetchone()
    assert row is not None
    return found["member_id"], found["claim_id"][:8], row["march"]


def _chapter(title: str) -> None:
    show.console.print()
    show.console.print(Rule(f"[bold]{title}[/]", align="left", style="dim"))


if __name__ == "__main__":
    sys.exit(run(demo))
