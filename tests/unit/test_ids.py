"""Opaque ids and content hashes."""

import hmac
import uuid
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from adapters.x12.translate import translate
from application.ids import Ids
from application.ports import Understood
from domain.adjudication import ClaimPayment
from samples import generator
from samples.generator import render
from tests.given import ADA, BENITO, IDS, paid, remittance

OTHER_SECRET = bytes(range(1, 33))
PARTS = st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), max_size=4)


@for_all(PARTS)
def test_every_id_is_a_uuid_of_version_8(parts: list[str]) -> None:
    text = IDS.stream("claim", *parts)
    parsed = uuid.UUID(text)
    assert str(parsed) == text
    assert parsed.version == 8
    assert parsed.variant == uuid.RFC_4122


@for_all(PARTS, PARTS)
def test_ids_are_the_same_exactly_where_the_keys_are(one: list[str], other: list[str]) -> None:
    assert (IDS.stream("claim", *one) == IDS.stream("claim", *other)) == (one == other)


def test_an_id_never_changes() -> None:
    # A ledger is read for ever with the ids it was written with: this value is for eternity.
    assert IDS.stream("claim", "1078810412", "payer", "0001") == "3a2ce2ba-7d2e-81c2-95af-137b0835dc99"


@for_all(st.sampled_from([32, 64, 65, 200]).flatmap(lambda size: st.binary(min_size=size, max_size=size)), PARTS)
def test_an_id_is_the_hmac_of_its_natural_key(secret: bytes, parts: list[str]) -> None:
    mac = hmac.digest(secret, b"stream\0" + "\0".join(("claim", *parts)).encode(), "sha256")
    shaped = uuid.UUID(bytes=mac[:16]).int & ~(0xF << 76 | 0x3 << 62) | 0x8 << 76 | 0x2 << 62
    assert Ids(secret).stream("claim", *parts) == str(uuid.UUID(int=shaped))


def test_parts_are_unambiguous() -> None:
    assert IDS.stream("claim", "a", "bc") != IDS.stream("claim", "ab", "c")
    assert IDS.stream("claim", "a", "") != IDS.stream("claim", "a")
    assert IDS.stream("claim", "", "a") != IDS.stream("claim", "a", "")
    assert IDS.stream("claima") != IDS.stream("claim", "a")
    assert IDS.stream("person", "a") != IDS.stream("claim", "a")


def test_nobody_without_the_secret_finds_an_id() -> None:
    other = Ids(OTHER_SECRET)
    assert IDS.stream("claim", "a") != other.stream("claim", "a")
    payment = payments(remittance(1, paid("1")))[0]
    assert IDS.content(payment) != other.content(payment)


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Ids(bytes(31))


# --- content


def payments(*remittances: generator.Remittance, data: bytes | None = None) -> tuple[ClaimPayment, ...]:
    understood = translate(data or render(remittances))
    return tuple(claim for part in understood if isinstance(part, Understood) for claim in part.remittance.claims)


def changed(fact: object) -> Iterator[tuple[str, object]]:
    """The fact once for each value inside it, with that value changed."""
    match fact:
        case msgspec.Struct():
            for name in fact.__struct_fields__:
                for where, other in changed(getattr(fact, name)):
                    yield f"{name}.{where}", msgspec.structs.replace(fact, **{name: other})
        case tuple():
            yield "+", (*fact, *fact[-1:]) if fact else ("1",)
            for at, item in enumerate(fact):
                for where, other in changed(item):
                    yield f"{at}.{where}", (*fact[:at], other, *fact[at + 1 :])
        case str():
            yield "text", f"{fact}1"
        case int():
            yield "number", fact + 1
        case None:
            yield "none", "20260101"
        case _:
            yield "day", None


def test_the_content_hash_changes_with_every_value() -> None:
    [payment] = payments(remittance(1, paid("1")))
    variants = dict(changed(payment))
    assert len(variants) > 25
    hashes = {where: IDS.content(other) for where, other in variants.items()}  # type: ignore[arg-type]
    assert IDS.content(payment) not in hashes.values()
    assert len(set(hashes.values())) == len(hashes)


def test_the_content_hash_does_not_change_with_how_an_amount_is_written() -> None:
    data = render(remittance(1, paid("1", cents=8_000)))
    again = data.replace(b"*100*80*", b"*100.00*080.0*").replace(b"CO*45*20", b"CO*45*20.").replace(b"*80*", b"*80.00*")
    assert again != data
    assert [IDS.content(claim) for claim in payments(data=again)] == [
        IDS.content(claim) for claim in payments(data=data)
    ]


def test_the_content_hash_does_not_change_with_the_envelope() -> None:
    one, other = paid("1"), paid("2", BENITO)
    alone = payments(remittance(1, one))[0]
    delimiters = generator.Delimiters(element="|", component=">", repetition="!", terminator="'", line_break="")
    data = render([remittance(9, paid("8", ADA)), remittance(1, other, one)], control=77, delimiters=delimiters)
    assert IDS.content(alone) in {IDS.content(claim) for claim in payments(data=data)}


def test_the_way_of_hashing_is_marked() -> None:
    assert IDS.content(payments(remittance(1, paid("1")))[0]).startswith("1:")
