"""`scripts/ledger codes` and `filters` as a user meets them."""

from pathlib import Path

import pytest

from adapters.codes import System, shipped
from tests.integration.test_cli import Run, command_line, lines


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    run = command_line(database, tmp_path / "keys")
    assert run("init").returncode == 0
    return run


def test_a_code_is_shown_from_its_list_and_a_list_is_loaded(run: Run, tmp_path: Path) -> None:
    text = shipped(System.CARC)["45"]
    assert run("codes", "show", "CARC", "45").stdout.decode().strip() == text
    shown = {"system": "carc", "code": "45", "text": text, "official": False}
    assert lines(run("codes", "show", "carc", "45", "--json")) == [shown]
    assert b"No text is known" in run("codes", "show", "clp02", "99").stdout

    file = tmp_path / "list.csv"
    file.write_text("code,description,stop\n45,Official,2020-12-31\n")
    assert lines(run("codes", "load", "carc", str(file), "--json")) == [{"system": "carc", "codes": 1, "replaced": 0}]
    (again,) = lines(run("codes", "load", "CARC", "-", "--json", stdin=file.read_bytes()))
    assert again == {"system": "carc", "codes": 1, "replaced": 1}
    official = shown | {"text": "Official", "official": True}
    assert lines(run("codes", "show", "carc", "45", "--json")) == [official]
    assert lines(run("codes", "show", "carc", "45", "--on", "2020-12-31", "--json")) == [official]
    assert lines(run("codes", "show", "carc", "45", "--on", "2021-01-01", "--json")) == [shown]


def test_filters_are_listed_shown_saved_and_removed(run: Run) -> None:
    assert {"name": "emergency visits", "shipped": True, "rules": 5} in lines(run("filters", "list", "--json"))
    saved = run(
        *("filters", "save", "My Visits", "--type", "pharmacy", "--revenue", "0450-0459", "--revenue", "981"),
        *("--procedure", "99281-99285", "--place-of-service", "23", "--bill-type", "13", "--qualifier", "n4"),
        *("--from", "2025-01-01", "--to", "2025-12-31", "--json"),
    )
    assert lines(saved) == [{"name": "my visits", "rules": 7}]
    (shown,) = lines(run("filters", "show", "my visits", "--json"))
    assert [(rule["system"], rule["code_from"], rule["code_to"]) for rule in shown["rules"]] == [
        ("bill_type", "13", "13"),
        ("claim_type", "pharmacy", "pharmacy"),
        ("place_of_service", "23", "23"),
        ("procedure", "99281", "99285"),
        ("qualifier", "N4", "N4"),
        ("revenue", "0450", "0459"),
        ("revenue", "0981", "0981"),
    ]
    assert {(rule["valid_from"], rule["valid_to"]) for rule in shown["rules"]} == {("2025-01-01", "2025-12-31")}
    assert b"my visits" in run("filters", "list").stdout
    assert b"place of service" in run("filters", "show", "My visits").stdout
    assert lines(run("filters", "remove", "MY VISITS", "--json")) == [{"name": "my visits", "removed": True}]
    assert run("filters", "show", "my visits").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        (["codes", "load", "carc", "-"], b"code\n1\n", "line 1: there is no column description"),
        (["codes", "load", "carc", "-"], b"code,description\n1,a\n1,b\n", "line 3: the code stands in the file twice"),
        (["codes", "load", "carc", "-"], b"code,description\n1,\xff\n", "the file is not UTF-8"),
        (["codes", "load", "carc", "-"], b"code,description\n" + b"\n" * 10_000_000, "larger than 10 MB"),
        (["codes", "load", "carc", "no-such-file"], b"", "no-such-file"),
        (["codes", "load", "cpt", "-"], b"", "cpt"),
        (["filters", "show", "nothing"], b"", "no filter is named nothing"),
        (["filters", "remove", "dental"], b"", "dental comes with the ledger and cannot be removed"),
        (["filters", "save", "dental", "--type", "dental"], b"", "save yours under another name"),
        (["filters", "save", "mine"], b"", "needs something to look for"),
        (["filters", "save", "mine", "--revenue", "0459-0450"], b"", "the range ends before it begins"),
        (["filters", "save", "mine", "--type", "medical"], b"", "one of professional"),
        (["filters", "save", "[red]", "--type", "dental"], b"", "a filter's name is"),
    ],
    ids=range(13),
)
def test_what_is_wrong_is_said_in_a_line(run: Run, arguments: list[str], stdin: bytes, says: str) -> None:
    answer = run(*arguments, stdin=stdin)
    assert answer.returncode == 2
    assert says in answer.stderr.decode()
    assert "Traceback" not in answer.stderr.decode()
    assert answer.stdout == b""
