"""The shipped codes against other people's lists: each one exists and is in use, and no text of theirs is here."""

import csv
import re
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from adapters.codes import System, read_list, shipped

LISTS = Path(__file__).parents[3] / "shared" / "data" / "codes"

FILES = {
    System.CARC: ("cms_bfd_cc0/carc.csv", "cosyte_mit_subset/carc.csv"),
    System.RARC: ("pyx12_bsd/remark_code_codes_only.csv", "cosyte_mit_subset/rarc.csv"),
    System.GROUP: ("cms_bfd_cc0/cas_group.csv",),
    System.CLP02: ("stupidedi_bsd/clp02.csv", "cosyte_mit_subset/clp-status.csv"),
    System.CATEGORY: ("pyx12_bsd/claim_status_cat_codes_only.csv", "cosyte_mit_subset/claim-status-category.csv"),
}

ALIKE_MAX = 0.55
"""Of words that stand in the same order; two sentences on the same fact share some"""

there_are_lists = pytest.mark.skipif(not LISTS.exists(), reason="there is no folder of code lists at ../shared/data")


def official(system: System) -> list[tuple[str, str]]:
    """Code and description of each row of each list; some have codes only."""
    found = []
    for name in FILES[system]:
        with (LISTS / name).open(encoding="utf-8", newline="") as file:
            found += [(row["code"], row.get("description", "")) for row in csv.DictReader(file)]
    return found


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


@there_are_lists
@pytest.mark.parametrize("system", System)
def test_every_code_is_known_to_the_lists_and_in_use(system: System) -> None:
    listed = official(system)
    assert shipped(system).keys() <= {code for code, _ in listed}
    assert not shipped(system).keys() & {
        code for code, text in listed if text.upper().rstrip(". ").endswith("INACTIVE")
    }


@there_are_lists
@pytest.mark.parametrize("system", System)
def test_every_text_is_in_words_of_our_own(system: System) -> None:
    compared = 0
    for code, theirs in official(system):
        ours, theirs_words = words(shipped(system).get(code, "")), words(theirs)
        if ours and len(theirs_words) > 1:
            compared += 1
            alike = SequenceMatcher(None, ours, theirs_words, autojunk=False).ratio()
            assert alike <= ALIKE_MAX, (code, alike, shipped(system)[code], theirs)
            assert " ".join(theirs_words) not in " ".join(ours), (code, theirs)
            assert " ".join(ours) not in " ".join(theirs_words), (code, theirs)
    assert compared >= 5


@there_are_lists
@pytest.mark.parametrize(
    ("name", "codes"),
    [("cms_bfd_cc0/carc.csv", 407), ("cosyte_mit_subset/rarc.csv", 12), ("stupidedi_bsd/clp02.csv", 10)],
)
def test_a_list_of_another_project_is_read_as_it_is(name: str, codes: int) -> None:
    assert len(read_list((LISTS / name).read_bytes())) == codes
