"""`scripts/ledger status --freshness`: how soon claims are to be seen, as a table."""

from collections.abc import Mapping
from typing import Any

from adapters.cli.show import console, new_table, text

_RULES = {
    "visibility": {
        "early": "shown before the 7th day after service",
        "in_window": "shown on the 7th to 14th day",
        "late": "shown after the 14th day",
        "undated": "without a day of service",
    },
    "alarm": {
        "not_processed": "alarm: not processed 21 days after service",
        "seen_late": "alarm: first shown after 21 days",
        "processed_late": "alarm: was processed after 21 days",
    },
    "one_business_day": {
        "kept": "shown within a business day of processing",
        "broken": "shown later than that",
        "unknown": "outside of the calendar",
    },
}


def freshness(answer: Mapping[str, Any]) -> None:
    groups = [("all payers", answer["overall"])]
    if len(answer["payers"]) > 1:
        groups += [(each["payer"] or each["payer_id"], each) for each in answer["payers"]]
    for name, figures in groups:
        _group(f"{name}: {figures['claims']:,} claims", figures)
    console.print(f"Days are those of {answer['zone']}. A share of the one-business-day rule is of processed claims.")
    if answer["latest"]:
        table = new_table("claim", "service", "status", "alarm", "days", right=("days",), title="Waiting longest")
        for row in answer["latest"]:
            words = (row["status"] or "", row["alarm"].replace("_", " "))
            table.add_row(row["claim_id"][:8], text(row["service_from"]), *map(text, words), text(row["alarm_days"]))
        console.print(table)


def _group(title: str, figures: Mapping[str, Any]) -> None:
    table = new_table("rule", "claims", "share", right=("claims", "share"), title=title)
    for measure, words in _RULES.items():
        for word, meaning in words.items():
            told = figures[measure][word]
            share = "–" if told["share"] is None else f"{told['share']:.1%}"
            table.add_row(meaning, text(told["claims"]), share)
        table.add_section()
    for measure, meaning in (("days_to_visible", "days from service"), ("business_days_to_visible", "business days")):
        for percentile, days in figures[measure].items():
            table.add_row(f"{meaning} until shown, {percentile}", text(days), "")
    console.print(table)
