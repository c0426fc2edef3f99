"""A person is recorded when first named, and again when named otherwise."""

from datetime import UTC, date, datetime

from hypothesis import given
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
    Sex,
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


@given(
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


def test_a_link_is_recorded_once_for_its_kind() -> None:
    join = Join("1078810412", StreamId("earlier"), Link.MERGED, MOMENT, "s")
    linked = PersonLinked("1078810412", StreamId("earlier"), Link.MERGED, MOMENT, "s")
    Given(person, identified()).when(join).then(linked)
    Given(person, linked, identified(), described()).when(join).then()
    other = Join("1078810412", StreamId("earlier"), Link.LINKED, MOMENT, "s")
    Given(person, linked).when(other).then(PersonLinked("1078810412", StreamId("earlier"), Link.LINKED, MOMENT, "s"))
