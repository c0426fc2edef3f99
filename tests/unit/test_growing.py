"""A map that grows and never changes."""

from hypothesis import given
from hypothesis import strategies as st

from domain.growing import Growing


@given(st.lists(st.tuples(st.integers(0, 20), st.integers())))
def test_every_step_stays_as_it_was(entries: list[tuple[int, int]]) -> None:
    grown, plain = [Growing[int, int]()], [dict[int, int]()]
    for key, value in entries:
        grown.append(grown[-1].plus(key, value))
        plain.append(plain[-1] | {key: value})
    assert [each.merged() for each in grown] == plain
    assert [[each.get(key) for key in range(21)] for each in grown] == [
        [each.get(key) for key in range(21)] for each in plain
    ]


def test_it_stays_in_few_parts() -> None:
    grown = Growing[int, int]()
    for key in range(10_000):
        grown = grown.plus(key, key)
    assert len(grown._parts) <= 14
