"""Persons under several numbers over a real ledger: linked, merged, and taken back."""

from datetime import date
from itertools import pairwise, permutations
from typing import Any

from adapters.cli.claims import find
from adapters.cli.coverage import coverage_of
from adapters.cli.members import accounts_of
from adapters.cli.timeline import Fact, timeline
from application.streams import account_of
from composition import Ledger
from projections.account_queries import ACCUMULATORS, BALANCE
from tests.given import rows, value
from tests.integration.taking import take
from tests.unit.coverage import change
from tests.unit.notices import of_number

MEMBER = "TGV100000001"
DAY = date(2026, 3, 31)


# --- a new number


def claims_under(ledger: Ledger, member: str) -> int:
    return len(find(ledger, member=member))


def test_a_new_number_keeps_the_claims_of_the_earlier_ones_whichever_link_is_told_first(ledger: Ledger) -> None:
    for number, order in (("N", 1), ("M", -1)):
        middle, oldest = f"{number}-1", f"{number}-2"
        for each in (number, middle, oldest):
            take(ledger, of_number(each, f"C-{each}"))
        assert claims_under(ledger, number) == 1
        links = [(number, middle), (middle, oldest)]
        for now, earlier in links[::order]:
            told = change("linked", earlier_member_id=earlier) | {"member_id": now}
            [outcome] = take(ledger, told)
            assert (outcome.events, outcome.parked) == (1, [])
            assert [again.duplicates for again in take(ledger, told)] == [1]
        assert [claims_under(ledger, each) for each in (number.lower(), middle, oldest)] == [3, 2, 1]
    asked = "SELECT person_id, earlier_id, position FROM person_links ORDER BY 1, 2"
    before = rows(ledger.database, asked)
    assert len(before) == 6
    rebuilt = ledger.rebuild("people", limit=100)
    assert (rebuilt.only_in_old, rebuilt.only_in_new, rows(ledger.database, asked)) == (0, 0, before)


def test_what_an_earlier_number_owed_and_paid_is_found_under_the_new_one(ledger: Ledger) -> None:
    take(ledger, of_number("OLD1", "C-1"))
    take(ledger, change("enrolled") | {"member_id": "OLD1"}, change("enrolled", change_id="CH-2"))
    assert account_of(ledger.ids, "1078830634", "OLD1") not in accounts_of(ledger, MEMBER)
    assert len(coverage_of(ledger, MEMBER, DAY, None)) == 1
    take(ledger, change("linked"))
    assert account_of(ledger.ids, "1078830634", "OLD1") in accounts_of(ledger, MEMBER)
    assert len(coverage_of(ledger, MEMBER, DAY, None)) == 2


def test_a_new_card_shows_what_was_before_at_once(ledger: Ledger) -> None:
    """Before anything else names the new number; what names it later does so whole."""
    take(ledger, of_number("OLD1", "C-1"))
    assert [(outcome.events, outcome.parked) for outcome in take(ledger, word("merged", "NEW", "OLD1", 1))] == [(2, [])]
    assert claims_under(ledger, "NEW") == claims_under(ledger, "new") == 1
    take(ledger, of_number("NEW", "C-2"), word("merged", "NEW", "OLD1", 2))
    assert claims_under(ledger, "NEW") == 2
    assert value(ledger.database, "SELECT family_name FROM people WHERE member_id = 'NEW'") == "ABERNOLT"


# --- a link that was a mistake


def word(kind: str, now: str, earlier: str, day: int) -> Any:
    told = change(kind, f"2026-04-{day:02}T09:00:00-04:00", f"CH-{kind}-{day}", given_name="ADA")
    told["said"] |= {"earlier_member_id": earlier, "earlier_given_name": "ADA"}
    return told | {"member_id": now}


def links(ledger: Ledger) -> list[tuple[str, str]]:
    """Who is known as whom by now, by their numbers."""
    asked = """
        SELECT now.member_id AS now, earlier.member_id AS earlier FROM person_links link
        JOIN people now USING (person_id) JOIN people earlier ON earlier.person_id = link.earlier_id ORDER BY 1, 2
    """
    return [(row["now"], row["earlier"]) for row in rows(ledger.database, asked)]


HISTORY = "SELECT * FROM same_persons_history WHERE same_id <> person_id ORDER BY position, person_id, same_id"


def rebuilt_alike(ledger: Ledger, limit: int) -> bool:
    before = rows(ledger.database, HISTORY)
    rebuilt = ledger.rebuild("people", limit=limit)
    return (rebuilt.only_in_old, rebuilt.only_in_new, rows(ledger.database, HISTORY)) == (0, 0, before)


def test_a_link_that_was_a_mistake_shows_nobodys_claims_to_another_any_more(ledger: Ledger) -> None:
    take(ledger, of_number("N", "C-1"), of_number("OTHER", "C-2"))
    enrolled = change("enrolled") | {"member_id": "OTHER"}
    take(ledger, enrolled, change("enrolled", change_id="CH-2") | {"member_id": "N"})
    take(ledger, word("merged", "N", "OTHER", 1))
    linked_at = value(ledger.database, "SELECT max(position) FROM person_links")

    def found(known_at: int | None = None) -> list[int]:
        accounts = accounts_of(ledger, "N", known_at)
        asked = {"member": "N", "accounts": accounts, "as_of": None, "known_at": known_at}
        with ledger.database.session() as cursor:
            money = [len(cursor.execute(query, asked).fetchall()) for query in (BALANCE, ACCUMULATORS)]
        other = account_of(ledger.ids, "1078830634", "OTHER")
        return [
            len(find(ledger, member="N", **({} if known_at is None else {"known_at": known_at}))),
            *money,
            len(coverage_of(ledger, "N", DAY, known_at)),
            len({step.stream for step in timeline(ledger, "N", known_at) if step.fact is Fact.CLAIM}),
            accounts.count(other),
        ]

    assert found() == found(linked_at) == [2, 2, 2, 2, 2, 1]
    assert found(linked_at - 1) == [1, 1, 1, 1, 1, 0]
    [outcome] = take(ledger, word("unlinked", "N", "OTHER", 2))
    assert (outcome.events, outcome.parked) == (1, [])
    assert [again.duplicates for again in take(ledger, word("unlinked", "N", "OTHER", 2))] == [1]
    assert found() == [1, 1, 1, 1, 1, 0]
    assert found(linked_at) == [2, 2, 2, 2, 2, 1]
    assert links(ledger) == []
    assert rows(ledger.database, "SELECT * FROM same_persons WHERE same_id <> person_id") == []
    take(ledger, word("linked", "N", "OTHER", 3))
    assert found() == [2, 2, 2, 2, 2, 1]
    assert rebuilt_alike(ledger, limit=3)


def test_linked_unlinked_and_linked_again_in_any_order_and_batches_ends_in_what_was_said_last(ledger: Ledger) -> None:
    last = {"linked": ["linked", "unlinked", "linked"], "unlinked": ["unlinked", "merged", "unlinked"]}
    expected = []
    for name, kinds in last.items():
        for number, order in enumerate(permutations(enumerate(kinds, 1))):
            now, earlier = f"{name}-{number}", f"{name}-{number}-before"
            take(ledger, of_number(now, now), of_number(earlier, earlier))
            words = [word(kind, now, earlier, day) for day, kind in order]
            for batch in (words[: number % 3], words[number % 3 :]):
                take(ledger, *batch)
            expected += [(now, earlier)] if name == "linked" else []
    assert links(ledger) == sorted(expected)
    assert rebuilt_alike(ledger, limit=4)
    assert rebuilt_alike(ledger, limit=1000)


def test_of_one_moment_that_two_are_not_one_holds_and_of_two_numbers_either_may_be_named_the_earlier(
    ledger: Ledger,
) -> None:
    for number in "ABCDEF":
        take(ledger, of_number(number, number))
    take(ledger, word("linked", "A", "B", 1), word("unlinked", "A", "B", 1))
    take(ledger, word("unlinked", "C", "D", 1), word("linked", "C", "D", 1))
    take(ledger, word("linked", "E", "F", 1))
    assert links(ledger) == [("E", "F")]
    take(ledger, word("unlinked", "F", "E", 2))
    assert links(ledger) == []


def test_what_followed_from_a_link_that_is_taken_back_goes_with_it_and_nothing_else(ledger: Ledger) -> None:
    numbers = ["N0", "N1", "N2", "N3"]
    for each in numbers:
        take(ledger, of_number(each, each))
    chain = [word("linked", now, earlier, 1) for now, earlier in pairwise(numbers)]
    take(ledger, *chain)
    known_at = value(ledger.database, "SELECT max(position) FROM person_links")
    assert [claims_under(ledger, each) for each in numbers] == [4, 3, 2, 1]
    take(ledger, word("unlinked", "N1", "N2", 2))
    assert links(ledger) == [("N0", "N1"), ("N2", "N3")]
    assert [claims_under(ledger, each) for each in numbers] == [2, 1, 2, 1]
    assert [len(find(ledger, member=each, known_at=known_at)) for each in numbers] == [4, 3, 2, 1]
    take(ledger, word("linked", "N0", "N2", 1))  # by another way
    assert [claims_under(ledger, each) for each in numbers] == [4, 1, 2, 1]
    take(ledger, word("merged", "N1", "N2", 3))
    assert [claims_under(ledger, each) for each in numbers] == [4, 3, 2, 1]
    for limit in (1, 2, 1000):
        assert rebuilt_alike(ledger, limit)
