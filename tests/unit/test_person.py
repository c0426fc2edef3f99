"""A person is recorded when first named, and again when named otherwise."""

from datetime import UTC, date, datetime

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


def describe(description: Description = BORN, content: str = "d1") -> Describe:
    return Describe("1078810412", description, content)


def described(description: Description = BORN, content: str = "d1") -> PersonDescribed:
    return PersonDescribed(payer_id="1078810412", content=content, personal=description)


def test_a_birth_date_is_recorded_once_and_again_when_it_is_corrected() -> None:
    Given(person, identified()).when(describe()).then(described())
    Given(person, described(), identified()).when(describe()).then()
    Given(person, described()).when(describe(CORRECTED, "d2")).then(described(CORRECTED, "d2"))
    Given(person, identified(), described()).when(identify()).then()


# --- linked


def test_a_link_is_recorded_once_for_its_kind() -> None:
    join = Join("1078810412", StreamId("earlier"), Link.MERGED, MOMENT, "s")
    linked = PersonLinked("1078810412", StreamId("earlier"), Link.MERGED, MOMENT, "s")
    Given(person, identified()).when(join).then(linked)
    Given(person, linked, identified(), described()).when(join).then()
    other = Join("1078810412", StreamId("earlier"), Link.LINKED, MOMENT, "s")
    Given(person, linked).when(other).then(PersonLinked("1078810412", StreamId("earlier"), Link.LINKED, MOMENT, "s"))
