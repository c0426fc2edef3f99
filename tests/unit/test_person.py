"""A person is recorded when first named, and again when named otherwise."""

from datetime import UTC, date, datetime

import hypothesis
from hypothesis import strategies as st

from domain import person
from domain.facts import StreamId
from domain.person import (
    Describe,
    Description,
    Identify,
    Join,
    Link,
    Names,
    PersonDescribed,
    PersonIdentified,
    PersonLinked,
    PersonUnlinked,
    Sex,
    Word,
    linked,
    word_of,
)
from tests.unit.scenario import Given

JANE = Names("MEMBER7", "DOE", "JANE")
MARRIED = Names("MEMBER7", "ROE", "JANE")


MOMENT = datetime(2026, 4, 10, tzinfo=UTC)


def identify(names: Names = JANE, content: str = "c1") -> Identify:
    return Identify("1078810412", names, content)


def identified(names: Names = JANE, content: str = "c1") -> PersonIdentified:
    return PersonIdentified(payer_id="1078810412", content=content, personal=names)


def test_a_person_is_recorded_when_first_named() -> None:
    Given(person).when(identify()).then(identified())


def test_the_same_names_again_are_no_news() -> None:
    Given(person, identified()).when(identify()).then()


def test_other_names_are_recorded() -> None:
    Given(person, identified()).when(identify(MARRIED, "c2")).then(identified(MARRIED, "c2"))


def test_a_name_that_was_given_up_is_news_when_it_comes_back() -> None:
    Given(person, identified(), identified(MARRIED, "c2")).when(identify()).then(identified())
    Given(person, identified(), identified(MARRIED, "c2")).when(identify(MARRIED, "c2")).then()


# --- described

BORN = Description(date(1980, 1, 1), Sex.FEMALE)
CORRECTED = Description(date(1980, 1, 2), Sex.FEMALE)


LATER = datetime(2026, 5, 10, tzinfo=UTC)


def describe(description: Description = BORN, content: str = "d1", at: datetime = MOMENT) -> Describe:
    return Describe("1078810412", description, content, at)


def described(description: Description = BORN, content: str = "d1", at: datetime | None = MOMENT) -> PersonDescribed:
    return PersonDescribed(payer_id="1078810412", content=content, personal=description, at=at)


def test_a_birth_date_is_recorded_once_and_again_when_it_is_corrected() -> None:
    Given(person, identified()).when(describe()).then(described())
    Given(person, described(), identified()).when(describe()).then()
    Given(person, described()).when(describe(CORRECTED, "d2", LATER)).then(described(CORRECTED, "d2", LATER))
    Given(person, identified(), described()).when(identify()).then()


def test_what_was_said_before_the_last_word_on_a_birth_date_is_no_news_however_late_it_comes() -> None:
    Given(person, described(CORRECTED, "d2", LATER)).when(describe()).then()


def test_the_same_birth_date_said_again_later_is_recorded_since_another_may_have_been_said_between() -> None:
    Given(person, described()).when(describe(at=LATER)).then(described(at=LATER))


def test_what_was_recorded_without_a_moment_was_said_before_all_else() -> None:
    Given(person, described(CORRECTED, "d2", None)).when(describe()).then(described())
    Given(person, described(CORRECTED, "d2", None), described()).when(describe(CORRECTED, "d2")).then(
        described(CORRECTED, "d2")
    )


MOMENTS = [MOMENT.replace(day=day) for day in (1, 2, 3)]


@hypothesis.given(
    st.lists(st.tuples(st.sampled_from(MOMENTS), st.sampled_from("abc")), min_size=1, max_size=6).flatmap(
        lambda said: st.tuples(st.permutations(said), st.permutations(said))
    )
)
def test_descriptions_in_any_order_end_in_the_same(orders: tuple[list[tuple[datetime, str]], ...]) -> None:
    """Also those of one moment: the hash of their content decides."""
    ends = set()
    for order in orders:
        state = described_before = person.evolve(person.INITIAL, described(content="z", at=None))
        for at, content in order:
            for event in person.decide(state, describe(content=content, at=at)):
                state = person.evolve(state, event)
        assert state != described_before
        ends.add((state.described_at, state.described))
    assert ends == {max(orders[0])}


# --- linked

OLD, OLDER = StreamId("earlier"), StreamId("first")


def join(link: Link = Link.LINKED, at: datetime = MOMENT, earlier: StreamId = OLD) -> Join:
    return Join("1078810412", earlier, link, at, "s")


def joined(link: Link = Link.LINKED, at: datetime = MOMENT) -> PersonLinked:
    return PersonLinked("1078810412", OLD, link, at, "s")


def unlinked(at: datetime = MOMENT) -> PersonUnlinked:
    return PersonUnlinked("1078810412", OLD, at, "s")


def test_a_link_is_recorded_once_for_its_kind() -> None:
    merged = joined(Link.MERGED)
    Given(person, identified()).when(join(Link.MERGED)).then(merged)
    Given(person, merged, identified(), described()).when(join(Link.MERGED)).then()
    Given(person, merged).when(join()).then(joined())


def test_that_a_link_was_a_mistake_is_recorded_and_that_it_was_none_after_all() -> None:
    Given(person, joined()).when(join(Link.UNLINKED, LATER)).then(unlinked(LATER))
    Given(person, joined(), unlinked(LATER)).when(join(Link.UNLINKED, LATER)).then()
    Given(person, joined(at=LATER)).when(join(Link.UNLINKED)).then(unlinked())
    after = LATER.replace(day=11)
    Given(person, joined(), unlinked(LATER)).when(join(at=after)).then(joined(at=after))


def test_a_link_that_was_said_before_one_that_is_known_is_no_news() -> None:
    Given(person, joined(at=LATER)).when(join()).then()
    Given(person, joined(), unlinked(LATER)).when(join(at=LATER)).then(joined(at=LATER))


def test_names_that_tell_who_it_is_and_no_more_name_nobody_whose_name_is_known() -> None:
    bare = Names("MEMBER7", given_name="JANE")
    first = Identify("1078810412", bare, "bare", only_if_unnamed=True)
    Given(person).when(first).then(identified(bare, "bare"))
    Given(person, identified()).when(first).then()
    Given(person, identified(bare, "bare")).when(identify()).then(identified())


NOW = StreamId("now")


def word(link: Link, at: datetime, now: StreamId = NOW, earlier: StreamId = OLD) -> Word:
    return Word(now, earlier, link, at)


def test_of_two_persons_the_last_word_holds_and_of_one_moment_that_they_are_not_one() -> None:
    link, unlink = word(Link.LINKED, MOMENT), word(Link.UNLINKED, LATER)
    assert linked([link]) == {(NOW, OLD)}
    assert linked([link, unlink]) == linked([word(Link.MERGED, LATER), unlink]) == set()
    assert linked([unlink, word(Link.LINKED, LATER.replace(day=11))]) == {(NOW, OLD)}
    assert linked([link, word(Link.UNLINKED, MOMENT)]) == set()


def test_it_is_said_of_both_whichever_of_them_is_called_the_earlier_one() -> None:
    assert linked([word(Link.LINKED, MOMENT), word(Link.UNLINKED, LATER, OLD, NOW)]) == set()


def test_whoever_a_person_was_all_who_the_person_became_were_as_well() -> None:
    first, second = word(Link.LINKED, MOMENT), word(Link.LINKED, MOMENT, OLD, OLDER)
    assert linked([first, second]) == {(NOW, OLD), (OLD, OLDER), (NOW, OLDER)}
    assert linked([first, second, word(Link.UNLINKED, LATER, OLD, OLDER)]) == {(NOW, OLD)}
    assert linked([first, second, word(Link.LINKED, MOMENT, NOW, OLDER), word(Link.UNLINKED, LATER)]) == {
        (OLD, OLDER), (NOW, OLDER),
    }  # fmt: skip
    back = word(Link.LINKED, MOMENT, OLD, NOW)
    assert linked([first, back]) == {(NOW, OLD), (OLD, NOW)}


WORDS = st.builds(word, st.sampled_from(Link), st.sampled_from(MOMENTS), st.just(NOW), st.sampled_from([OLD, OLDER]))


@hypothesis.given(
    st.lists(WORDS, max_size=8).flatmap(lambda said: st.tuples(st.permutations(said), st.permutations(said)))
)
def test_what_is_recorded_of_links_in_any_order_ends_in_the_same(orders: tuple[list[Word], ...]) -> None:
    """And in what all words together say: none that was left out could have changed it."""
    for order in orders:
        state, recorded = person.INITIAL, list[Word]()
        for heard, each in enumerate(order, 1):
            for event in person.decide(state, join(each.link, each.at, each.earlier)):
                state = person.evolve(state, event)
                assert isinstance(event, PersonLinked | PersonUnlinked)
                recorded.append(word_of(NOW, event))
            assert linked(recorded) == linked(order[:heard])
        assert linked(recorded) == linked(orders[0])
