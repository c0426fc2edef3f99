"""What the tests of every JSON topic ask: what is read, what is refused, and whether schema, reader and page agree."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from adapters.json_message.reader import Fault
from adapters.json_message.schema import file
from application.ports import NotUnderstood, Translate, Understood
from tests.unit.notices import Message, encoded
from tests.unit.test_docs import CHECKOUT

Notice = TypeVar("Notice")


class Topic(Generic[Notice]):
    """One kind of message, which becomes one kind of notice."""

    def __init__(
        self, notice: type[Notice], translate: Translate, read: Callable[[bytes], Any], schema: str, section: str
    ) -> None:
        """`schema` is the published one's name, `section` the heading on the page of messages."""
        self._notice, self._translate, self._read = notice, translate, read
        self.schema = json.loads(file(schema).read_bytes())
        self._validator = Draft202012Validator(self.schema, format_checker=FormatChecker(["date"]))
        page = (CHECKOUT / "docs" / "messages.md").read_text()
        self._section = page.partition(f"\n## {section}\n")[2].partition("\n## ")[0]

    def understood(self, message: Message) -> Notice:
        [part] = self._translate(encoded(message))
        assert isinstance(part, Understood), part
        assert isinstance(part.said, self._notice)
        return part.said

    def refused(self, message: Message) -> tuple[str, str]:
        """Reason and detail."""
        [part] = self._translate(encoded(message))
        assert isinstance(part, NotUnderstood)
        return part.reason, part.detail

    def assert_reader_and_schema_agree(self, message: Message) -> None:
        """Whether it is a good one, by the ledger's reader and by an independent validator of the published schema."""
        try:
            self._read(encoded(message))
            fault = None
        except Fault as found:
            fault = found
        assert (fault is None) == self._validator.is_valid(message), fault

    def examples(self) -> list[Message]:
        """Those on the page; they follow the schema."""
        found = [json.loads(part.partition("\n```")[0]) for part in self._section.split("```json\n")[1:]]
        for example in found:
            self._validator.validate(example)
        return found

    def fields(self) -> set[str]:
        return {name for part in self.schema["$defs"].values() for name in part.get("properties", ())}

    def missing_on_the_page(self, words: Iterable[str]) -> list[str]:
        return [word for word in sorted(words) if f"`{word}`" not in self._section]


@st.composite
def changed(
    draw: st.DrawFn, message: Message, parts: Sequence[Any], names: Sequence[str], values: Sequence[Any]
) -> Message:
    """A good message in which something of one of its parts is left out, added or put in another's place."""
    part = draw(st.sampled_from(parts))
    name = draw(st.sampled_from([*sorted(part), *names]))
    if draw(st.booleans()):
        part.pop(name, None)
    elif name not in MOMENTS:
        part[name] = draw(st.sampled_from(values))
    return message


MOMENTS = ("at", "expires_at")
"""Whose form JSON Schema leaves open"""
