"""`scripts/demo`: the shipped samples through the real commands, in one process, with a word on each."""

import sys

from rich.rule import Rule

from adapters.cli import claims, commands, show
from adapters.cli.__main__ import run
from adapters.cli.opened import opened

NEXT = """
  scripts/ledger claims --status denied        claims by status, member, payer or date of service
  scripts/ledger claim {claim}               the claim above; with --json every fact of every event
  scripts/ledger parked list                   what waits for a person, and why
  scripts/ledger ingest YOUR-FILE.835          a remittance of your own, or a folder of them
  scripts/ledger status                        positions, lags, and what runs underneath
  scripts/test                                 everything that is promised here, tested
"""


def demo() -> None:
    _chapter("1. A ledger: PostgreSQL starts, tables and keys are made where they are not there yet")
    commands.init()
    _chapter("2. Payers' remittances (X12 835) come in; a file that came before changes nothing")
    commands.ingest(["samples/835"])
    _chapter("3. The events are folded into tables")
    commands.project(once=True)
    _chapter("4. Where claims stand: the newest")
    claims.claims(limit=12)
    _chapter("5. One claim, and the events that made it")
    claim_id = _reversed_and_corrected()
    claims.claim(claim_id)
    _chapter("6. What could not be posted waits for a person; nothing is dropped")
    commands.parked_list()
    _chapter("What to try next")
    show.console.print(NEXT.format(claim=claim_id), highlight=False, soft_wrap=True)


def _reversed_and_corrected() -> str:
    """A claim with a story: paid, taken back, paid otherwise."""
    with opened() as ledger:
        found = claims.find(ledger)
    most = max(row["events"] for row in found)
    return str(min((str(row["processed_on"]), row["claim_id"]) for row in found if row["events"] == most)[1])[:8]


def _chapter(title: str) -> None:
    show.console.print()
    show.console.print(Rule(f"[bold]{title}[/]", align="left", style="dim"))


if __name__ == "__main__":
    sys.exit(run(demo))
