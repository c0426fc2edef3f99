"""A person is recorded when first named, and again when named otherwise."""

from domain import person
from domain.person import Identify, Names, PersonIdentified
from tests.unit.scenario import Given

JANE = Names("MEMBER7", "DOE", "JANE")
MARRIED = Names("MEMBER7", "ROE", "JANE")


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
