"""The pages say what the code does: settings, commands, reasons, events."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from adapters.cli.commands import app
from adapters.settings import Settings
from application.topics import TOPICS
from domain.parking import REASONS

CHECKOUT = Path(__file__).parents[2]
PAGES = [*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md")]


def test_every_setting_is_documented_and_no_other() -> None:
    readme = (CHECKOUT / "README.md").read_text()
    table = set(re.findall(r"^\| `(LEDGER_\w+)`", readme, re.MULTILINE))
    assert table == {f"LEDGER_{name.upper()}" for name in Settings.model_fields}


def test_every_command_is_documented() -> None:
    readme = (CHECKOUT / "README.md").read_text()
    documented = set(re.findall(r"^\| `([\w-]+)", readme, re.MULTILINE)) - {
        f"LEDGER_{name.upper()}" for name in Settings.model_fields
    }
    assert documented == set(get_command(app).commands)  # type: ignore[attr-defined]


def test_every_reason_is_explained_in_the_words_of_the_code() -> None:
    page = (CHECKOUT / "docs" / "domain.md").read_text()
    assert dict(re.findall(r"^\| `([\w.]+)` \| (.+) \|$", page, re.MULTILINE)).items() >= REASONS.items()


def test_every_event_is_listed() -> None:
    page = (CHECKOUT / "docs" / "domain.md").read_text()
    assert all(f"| `{topic.name}` |" in page for topic in TOPICS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_every_link_and_file_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text()
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (page.parent / target).exists(), target
    for target in re.findall(
        r"(?<![\w/.])((?:docs|domain|application|adapters|tests|scripts|samples)/[\w./-]*\w)", text
    ):
        assert (CHECKOUT / target).exists(), target
