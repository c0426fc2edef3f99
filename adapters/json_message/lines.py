"""Messages that say one thing, and files of them, one a line: each is read as if it came alone."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import TypeVar

from adapters.json_message.reader import Fault
from application.ahead_of_time import ahead_of_time
from application.ports import Buffer, NotUnderstood, OfOneStream, Translate, Understood

Read = TypeVar("Read")


def one(understand: Callable[[bytes], OfOneStream]) -> Translate:
    """The translation of a message that is understood as a whole or, with the Fault that this raises, not at all. What
    is told from the future is not understood until then."""

    def translate(data: Buffer) -> Iterator[Understood | NotUnderstood]:
        raw = bytes(data[:])
        try:
            said = understand(raw)
            if reason := ahead_of_time(said, datetime.now(UTC)):
                raise Fault(reason)
        except Fault as fault:
            yield NotUnderstood(fault.reason, "", fault.detail, 0, raw, raw)
        else:
            yield Understood(said, "", lambda: raw, raw)

    return translate


def keep(rules: Iterable[Callable[[Read], str]], read: Read) -> None:
    """Raises Fault for the first rule that is broken: each gives what breaks it, in the message's own names."""
    for rule in rules:
        if broken := rule(read):
            raise Fault("json.wrong_schema", broken)


def by_line(translate: Translate) -> Translate:
    """The same translation of a file that holds one message a line."""

    def translate_lines(data: Buffer) -> Iterator[Understood | NotUnderstood]:
        for number, line in lines(data):
            for part in translate(line):
                yield part._replace(where=f"line {number}")

    return translate_lines


def lines(data: Buffer) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, with their numbers from 1."""
    start, number = 0, 0
    while start < len(data):
        found = data.find(b"\n", start)
        end = len(data) if found < 0 else found
        number += 1
        if line := data[start:end].strip():
            yield number, line
        start = end + 1


def holds_lines(data: Buffer) -> bool:
    """Whether a file holds one message a line: a second line begins with a brace. One that is laid out for people to
    read, over many lines, indents the braces in it."""
    return data.find(b"\n{", data.find(b"{") + 1) >= 0
