"""The command line as a user meets it: real processes, their output and their exit status."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.main import get_command

from adapters.cli.commands import app
from composition import PROJECTIONS
from samples import generator
from tests.conftest import new_database
from tests.given import paid, remittance
from tests.unit.notices import adjudicated, encoded, report

CHECKOUT = Path(__file__).parents[2]
SAMPLES = CHECKOUT / "samples" / "835"

Run = Callable[..., subprocess.CompletedProcess[bytes]]


def command_line(database: str, keys: Path) -> Run:
    """`scripts/ledger` over a database and keys of its own, writing to a file and not to this terminal."""
    terminal = ("COLUMNS", "LINES")
    environment = {n: value for n, value in os.environ.items() if n not in terminal and not n.startswith("LEDGER_")}
    environment |= {"LEDGER_DSN": database, "LEDGER_KEYS": str(keys), "PYTHONPATH": str(CHECKOUT)}

    def run(*arguments: str, stdin: bytes = b"", **settings: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "adapters.cli", *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, env=environment | settings, timeout=60)

    return run


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    return command_line(database, tmp_path / "keys")


@pytest.fixture(scope="module")
def filled(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A ledger that holds the shipped samples, projected. Shared: tests of this module leave it as it is."""
    with new_database(server) as database:
        run = command_line(database, tmp_path_factory.mktemp("filled") / "keys")
        for command in (["init"], ["ingest", str(SAMPLES)], ["project", "--once"]):
            assert run(*command).returncode == 0
        yield run


def lines(answer: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    assert answer.returncode in (0, 1), answer.stderr.decode()
    return [json.loads(line) for line in answer.stdout.splitlines()]


def test_a_folder_is_taken_in_once_and_again_it_is_all_duplicates(run: Run) -> None:
    assert run("init").returncode == 0
    first = lines(run("ingest", str(SAMPLES), "--json"))
    assert [Path(answer["file"]).name for answer in first] == sorted(
        (path.name for path in SAMPLES.glob("*.835")), key=str
    ) + sorted(path.name for path in (SAMPLES / "bad").iterdir())
    for answer in first:
        assert list(answer) == ["file", "format", "messages", "claims", "events", "duplicates", "parked"]
        assert all({"reason", "detail", "where"} <= part.keys() for part in answer["parked"])
    events = sum(answer["events"] for answer in first)
    (status,) = lines(run("status", "--json"))
    assert status["position"] == events

    second = lines(run("ingest", str(SAMPLES), "--json"))
    assert sum(answer["events"] for answer in second) == 0
    assert [a["claims"] for a in second] == [a["claims"] for a in first]
    assert [len(a["parked"]) for a in second] == [len(a["parked"]) for a in first]
    assert lines(run("status", "--json"))[0]["position"] == events


def test_stdin_and_files_are_the_same_message(run: Run) -> None:
    run("init")
    sample = SAMPLES / "2024-02-northfield-health.835"
    (answer,) = lines(run("ingest", "-", "--json", stdin=sample.read_bytes()))
    assert (answer["file"], answer["format"], answer["claims"], answer["duplicates"]) == ("-", "x12-835", 24, 0)
    (again,) = lines(run("ingest", str(sample), "--json", "--format", "x12-835"))
    assert (again["events"], again["duplicates"]) == (0, 24)


def test_notices_as_json_are_taken_in_from_files_of_one_or_of_one_a_line(run: Run, tmp_path: Path) -> None:
    run("init")
    one, many, bad = tmp_path / "one.json", tmp_path / "many.ndjson", tmp_path / "many-bad.ndjson"
    one.write_text("\n" + json.dumps(report("received"), indent=2))
    many.write_bytes(encoded(report("received")) + b"\n" + encoded(report("pended")) + b"\n\n" + encoded(adjudicated()))
    bad.write_bytes(b'{"schema": 2}\n{"schema": 3}')
    answers = [lines(run("ingest", str(path), "--json"))[0] for path in (one, many, bad)]
    figures = ("format", "messages", "claims", "duplicates")
    assert [tuple(answer[name] for name in figures) for answer in answers] == [
        ("json-claim", 1, 1, 0),
        ("json-claim-lines", 3, 3, 1),
        ("json-claim-lines", 2, 0, 0),
    ]
    parked = [(part["reason"], part["where"]) for part in answers[2]["parked"]]
    assert parked == [("json.unknown_version", "line 1"), ("json.unknown_version", "line 2")]


def test_a_stated_format_is_not_doubted(run: Run) -> None:
    run("init")
    for stated, reason in (
        ("x12-835", "x12.no_isa"),
        ("json-claim", "json.unknown_version"),
        ("auto", "json.unknown_version"),
    ):
        (answer,) = lines(run("ingest", "-", "--json", "--format", stated, stdin=b" {}"))
        assert [part["reason"] for part in answer["parked"]] == [reason]
    (answer,) = lines(run("ingest", "-", "--json", "--format", "json-claim", stdin=b"ISA*00*"))
    assert [part["reason"] for part in answer["parked"]] == ["json.not_json"]


def test_strict_tells_by_its_exit_status_that_something_was_parked(run: Run) -> None:
    run("init")
    bad, good = str(SAMPLES / "bad" / "not-x12.835"), str(SAMPLES / "2024-02-northfield-health.835")
    assert run("ingest", bad, "--strict").returncode == 1
    assert run("ingest", bad).returncode == 0
    assert run("ingest", good, "--strict").returncode == 0


def test_claims_are_found_by_member_status_payer_and_dates(filled: Run) -> None:
    everything = lines(filled("claims", "--json"))
    assert len(everything) > 300
    one = everything[0]
    of_member = lines(filled("claims", "--json", "--member", one["member_id"].lower()))
    assert of_member == [row for row in everything if row["member_id"] == one["member_id"]]
    denied = lines(filled("claims", "--json", "--status", "denied"))
    assert denied == [row for row in everything if row["status"] == "denied"]
    assert denied
    of_payer = lines(filled("claims", "--json", "--payer", "northfield"))
    assert of_payer == [row for row in everything if "NORTHFIELD" in row["payer"]]
    in_2025 = lines(filled("claims", "--json", "--from", "2025-01-01", "--to", "2025-12-31"))
    assert in_2025 == [row for row in everything if (row["service_from"] or "")[:4] == "2025"]
    assert len(lines(filled("claims", "--json", "--limit", "3"))) == 3
    assert b"claim" in filled("claims").stdout


def test_one_claim_is_shown_with_the_events_that_made_it(filled: Run) -> None:
    row = max(lines(filled("claims", "--json")), key=lambda row: row["events"])
    (claim,) = lines(filled("claim", row["claim_id"][:8], "--json"))
    assert len(claim["events"]) == row["events"]
    assert claim["events"][-1]["after"]["status"] == row["status"]
    assert claim["events"][-1]["position"] == row["position"]
    assert claim["events"][0]["personal"]["patient_control_number"]
    assert claim["events"][0]["trace_number"]
    assert filled("claim", "ffffffff-0000").returncode == 2
    assert row["claim_id"].encode() in filled("claim", row["claim_id"]).stdout


def test_parked_items_are_listed_shown_retried_and_discarded(run: Run) -> None:
    run("init")
    run("ingest", str(SAMPLES / "bad"))
    items = lines(run("parked", "list", "--json"))
    assert {item["reason"] for item in items} >= {"claim.unknown_status", "x12.no_isa", "message.empty"}
    letter = next(item for item in items if item["reason"] == "x12.no_isa")
    assert run("parked", "show", letter["parked_id"], "--raw").stdout == (SAMPLES / "bad" / "not-x12.835").read_bytes()
    assert lines(run("parked", "show", letter["parked_id"][:8], "--json"))[0]["parked_id"] == letter["parked_id"]

    assert lines(run("parked", "retry", letter["parked_id"], "--json")) == [
        {"parked_id": letter["parked_id"], "released": False}
    ]
    assert run("parked", "retry", "--all", "--strict").returncode == 1
    assert run("parked", "retry").returncode == 2
    assert run("parked", "discard", letter["parked_id"], "--reason", " ").returncode == 2
    assert run("parked", "discard", letter["parked_id"][:8], "--reason", "a letter", "--actor", "me").returncode == 0
    assert letter["parked_id"] not in {item["parked_id"] for item in lines(run("parked", "list", "--json"))}
    (shown,) = [
        item for item in lines(run("parked", "list", "--all", "--json")) if item["parked_id"] == letter["parked_id"]
    ]
    assert shown["state"] == "discarded"
    assert run("parked", "discard", letter["parked_id"], "--reason", "again").returncode == 2


def test_status_tells_positions_lags_and_whether_roles_have_force(filled: Run) -> None:
    (status,) = lines(filled("status", "--json"))
    assert {row["projection"] for row in status["projections"]} == {each.NAME for each in PROJECTIONS}
    assert all(row["lag_events"] == 0 and row["lag_seconds"] == 0 for row in status["projections"])
    assert status["database"] == {"kind": "server", "version": "18.6", "roles_enforced": False}
    assert status["kafka"] == "not set"
    assert b"lag events" in filled("status").stdout
    (down,) = lines(filled("status", "--json", LEDGER_KAFKA="127.0.0.1:1"))
    assert down["kafka"] == "down"


def test_status_tells_how_far_projections_are_behind(run: Run) -> None:
    run("init")
    run("ingest", "-", stdin=b"something new")
    (status,) = lines(run("status", "--json"))
    assert all(row["lag_events"] == 1 and row["lag_seconds"] > 0 for row in status["projections"])


def test_a_projection_is_rebuilt_and_listed(run: Run) -> None:
    run("init")
    run("ingest", str(SAMPLES))
    run("project", "--once")
    (status,) = lines(run("status", "--json"))
    (rebuilt,) = lines(run("projections", "rebuild", "people", "--json"))
    rows = rebuilt.pop("rows")
    wanted = {"projection": "people", "generation": 2, "events": status["position"], "only_in_old": 0, "only_in_new": 0}
    assert rebuilt == wanted
    told = run("projections", "rebuild", "people")
    assert f"Generation 3 of people is live: {rows} rows; 0 only in the old one" in told.stdout.decode()
    assert b"Rebuilding people" in told.stderr
    listed = lines(run("projections", "list", "--json"))
    assert listed == lines(run("status", "--json"))[0]["projections"]
    assert {row["projection"] for row in listed if row["generation"] != 1} == {"people"}
    assert {row["state"] for row in listed} == {"live"}
    assert b"people" in run("projections", "list").stdout


def test_a_projection_that_is_not_there_is_named_in_one_line(filled: Run) -> None:
    answer = filled("projections", "rebuild", "nothing", "--json")
    assert (answer.returncode, answer.stdout) == (2, b"")
    assert answer.stderr == b"ledger: no projection is called nothing: see `scripts/ledger projections list`\n"


@pytest.mark.parametrize(
    ("arguments", "settings", "status", "says"),
    [
        (["claims"], {}, 2, "run `scripts/ledger init` first"),
        (["ingest", "no-such-file"], {}, 2, "no such file or folder"),
        (["ingest"], {}, 2, "Missing argument"),
        (["claims", "--status", "lost"], {}, 2, "lost"),
        (["claims", "--from", "yesterday"], {}, 2, "yesterday"),
        (["no-such-command"], {}, 2, "No such command"),
        (["claims"], {"LEDGER_DSN": "postgresql://127.0.0.1:1/nothing"}, 3, "PostgreSQL does not answer"),
        (["claims"], {"LEDGER_MAX_MESSAGE_MB": "none"}, 2, "LEDGER_MAX_MESSAGE_MB"),
        (["claims"], {"LEDGER_DSN": "nonsense hunter2"}, 2, "check LEDGER_DSN"),
    ],
)
def test_what_is_wrong_is_said_in_a_line_with_its_own_exit_status(
    run: Run, arguments: list[str], settings: dict[str, str], status: int, says: str
) -> None:
    answer = run(*arguments, **settings)
    assert answer.returncode == status
    assert says in answer.stderr.decode()
    assert "Traceback" not in answer.stderr.decode()
    assert "hunter2" not in answer.stderr.decode()
    assert answer.stdout == b""


def test_consuming_needs_a_broker_that_is_set_and_up(filled: Run) -> None:
    assert filled("consume").returncode == 2
    down = filled("consume", LEDGER_KAFKA="127.0.0.1:1")
    assert down.returncode == 3
    assert "Kafka does not answer" in down.stderr.decode()


def test_a_database_that_lacks_what_this_version_made_is_sent_to_init(run: Run, database: str) -> None:
    run("init")
    with psycopg.connect(database) as connection:
        connection.execute("DROP VIEW claim_freshness")
    answer = run("status", "--freshness")
    assert (answer.returncode, answer.stdout) == (2, b"")
    assert answer.stderr.decode().endswith("tables are those of another version: run `scripts/ledger init`\n")
    assert run("init").returncode == 0
    assert run("status", "--freshness").returncode == 0


def test_the_keys_of_another_ledger_are_refused(run: Run, tmp_path: Path) -> None:
    run("init")
    assert run("claims", LEDGER_KEYS=str(tmp_path / "elsewhere")).returncode == 3
    assert run("init", LEDGER_KEYS=str(tmp_path / "elsewhere")).returncode == 3
    assert not (tmp_path / "elsewhere").exists()
    (tmp_path / "keys" / "installation.secret").write_bytes(bytes(32))
    answer = run("claims")
    assert answer.returncode == 2
    assert "belong to another ledger" in answer.stderr.decode()


def commands() -> Iterator[tuple[str, Any]]:
    group = get_command(app)
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        if hasattr(command, "commands"):
            yield from ((f"{name} {inner}", each) for inner, each in command.commands.items())
        else:
            yield name, command


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_every_command_has_help_with_an_example(name: str, command: Any) -> None:
    assert command.help
    assert f"scripts/ledger {name}" in command.epilog
    options = {option for parameter in command.params for option in parameter.opts}
    assert "--json" in options


def test_a_remittance_is_shown_with_how_its_sum_comes_about(filled: Run) -> None:
    (claim,) = [row for row in lines(filled("claims", "--json")) if row["remittance_id"] and row["events"] == 3][:1]
    (told,) = lines(filled("remittance", claim["remittance_id"][:12], "--json"))
    assert told["remittance_id"] == claim["remittance_id"]
    assert claim["claim_id"] in {row["claim_id"] for row in told["claims"]}
    assert len(told["claims"]) == told["claims_posted"] == told["claims_stated"]
    amounts = [row["amount"] for row in told["adjustments"]]
    assert round(sum(row["paid"] for row in told["claims"]) - sum(amounts), 2) == told["total"]
    (again,) = lines(filled("remittance", told["trace_number"], "--json"))
    assert again == told
    assert filled("remittance", "ffffffff").returncode == 2
    assert filled("remittance", "no such number").returncode == 2


def test_what_a_remittance_put_off_is_named_and_its_references_are_opened(run: Run) -> None:
    run("init")
    put_off, taken = (
        generator.Remittance(
            *(generator.PAYERS[0], generator.PAYEES[0], f"T{day}", date(2026, 3, day), date(2026, 3, day)),
            (paid(f"{day}"),),
            (generator.ProviderAdjustment("WO", "NHP00000500001", cents), generator.ProviderAdjustment("L6", "", -50)),
        )
        for day, cents in ((1, -3_000), (2, 1_000))
    )
    run("ingest", "-", stdin=generator.render([put_off, taken]))
    run("project", "--once")
    (told,) = lines(run("remittance", "T1", "--json"))
    amounts = {name: told[name] for name in ("total", "claims_paid", "interest", "carried", "outstanding")}
    assert amounts == {"total": 110.5, "claims_paid": 80, "interest": 0.5, "carried": 30, "outstanding": 20}
    assert told["settlement"] == "open"
    assert [(row["reason"], row["reference"], row["amount"]) for row in told["adjustments"]] == [
        ("WO", "NHP00000500001", -30),
        ("L6", "", -0.5),
    ]
    [balance] = told["balances"]
    assert (balance["opened"], balance["settled"], balance["outstanding"], balance["remittances"]) == (30, 10, 20, 2)
    shown = run("remittance", "T1").stdout.decode()
    for text in ("20.00 of 30.00 that it put off", "overpayment taken back", "1 of 1 claims pay", "110.50", "ABERNOLT"):
        assert text in shown
    shown = run("remittance", "T2").stdout.decode()
    assert "it put nothing off" in shown


def test_a_trace_number_of_several_payments_is_answered_with_their_ids(run: Run) -> None:
    run("init")
    sent = [remittance(1, paid("1")), replace(remittance(2, paid("2")), trace_number="NHPT000000001")]
    run("ingest", "-", stdin=generator.render(sent))
    run("project", "--once")
    answer = run("remittance", "NHPT000000001")
    assert answer.returncode == 2
    assert "2026-03-02" in answer.stderr.decode()
    assert "2026-03-03" in answer.stderr.decode()


def test_status_tells_how_fresh_claims_are(filled: Run) -> None:
    (told,) = lines(filled("status", "--freshness", "--json"))
    assert list(told) == ["zone", "overall", "payers", "latest"]
    claims = lines(filled("claims", "--json"))
    assert told["overall"]["claims"] == len(claims) == sum(payer["claims"] for payer in told["payers"])
    undated = [row for row in claims if row["service_from"] is None]
    assert told["overall"]["visibility"]["undated"]["claims"] == len(undated) > 0
    shown = filled("status", "--freshness").stdout.decode()
    assert "without a day of service" in shown
    assert "NORTHFIELD" in shown
