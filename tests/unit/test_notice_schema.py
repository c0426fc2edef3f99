"""The published schema of the JSON message: what the code makes, and what others can check messages with."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from adapters.claim_notice.translate import read
from adapters.json_message.reader import Fault
from adapters.json_message.schema import PUBLISHED, file, schema
from domain.money import CENTS_MAX
from tests.unit.notices import Message, encoded, notices
from tests.unit.test_docs import CHECKOUT

SCHEMA = json.loads(file("claim-notice-1").read_bytes())
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=FormatChecker(["date"]))


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_committed_schema_is_what_the_code_makes(name: str) -> None:
    assert file(name).read_bytes() == schema(name)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(json.loads(schema(name)))


@given(notices())
def test_an_independent_validator_finds_every_good_message_good(message: Message) -> None:
    VALIDATOR.validate(message)


def other_values() -> st.SearchStrategy[Any]:
    """What is put in another value's place: another type, another size, another form."""
    return st.sampled_from(
        [None, True, False, 0, -1, CENTS_MAX + 1, -CENTS_MAX - 1, "", " ", " 1", "1 ", "x" * 81, "A7:562", "2026-02-30",
         "22", "CO", "HC:99213", "MA01", "45", "1.5", "member", "other", "upheld", [], [""], {}, {"kind": "voided"}]
    )  # fmt: skip


@st.composite
def changed(draw: st.DrawFn) -> Message:
    """A good message in which something is left out, added or put in another's place."""
    message = draw(notices())
    part: Any = message
    while True:
        keys = list(part) if isinstance(part, dict) else list(range(len(part)))
        key = draw(st.sampled_from(keys))
        inner = part[key]
        if not isinstance(inner, dict | list) or not inner or draw(st.integers(0, 3)) == 0:
            break
        part = inner
    match draw(st.sampled_from(["left out", "added", "replaced"])):
        case "left out":
            del part[key]
        case "added" if isinstance(part, dict):
            part[draw(st.sampled_from(["other", "schema", "cents", "due_on", "level"]))] = draw(other_values())
        case _:
            part[key] = draw(other_values())
    return message


@settings(max_examples=1000)
@given(changed())
def test_our_reader_and_an_independent_validator_agree(message: Message) -> None:
    """But for times of day, whose form JSON Schema leaves open."""
    said = message.get("said")
    if isinstance(said, dict) and "at" in said:
        said["at"] = "2026-02-20T10:00:00-05:00"
    assert (refusal(message) is None) == VALIDATOR.is_valid(message), refusal(message)


def refusal(message: Message) -> Fault | None:
    try:
        read(encoded(message))
    except Fault as fault:
        return fault
    return None


# --- the page


PAGE = (CHECKOUT / "docs" / "messages.md").read_text()
SECTION = PAGE[PAGE.index("## The JSON message") : PAGE.index("### Kinds")]
EXAMPLES = [json.loads(part.partition("\n```")[0]) for part in SECTION.split("```json\n")[1:]]


def test_the_examples_on_the_page_are_good_messages() -> None:
    assert {example["said"]["kind"] for example in EXAMPLES} == {"adjudicated", "pended"}
    for example in EXAMPLES:
        VALIDATOR.validate(example)
        read(encoded(example))


def names(part: dict[str, Any]) -> set[str]:
    """Every name of a field in a schema."""
    found = set(part.get("properties", ()))
    return found.union(*(names(inner) for inner in part.values() if isinstance(inner, dict)))


def test_every_field_is_on_the_page_and_no_other() -> None:
    fields = PAGE[PAGE.index("### Fields") : PAGE.index("### Rules")]
    rows = [row.split("|")[1] for row in fields.splitlines() if row.startswith("| `")]
    assert {name for row in rows for name in row.split("`")[1::2]} == names(SCHEMA) - {"kind"}


def test_every_kind_and_word_is_on_the_page() -> None:
    kinds = SCHEMA["$defs"]["ClaimNotice"]["properties"]["said"]["discriminator"]["mapping"]
    words = {word for part in SCHEMA["$defs"].values() for word in part.get("enum", ())}
    assert [word for word in words.union(kinds) if f"`{word}`" not in PAGE] == []
