"""The table of this folder's docstring is true."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from tests import faults

TESTS = Path(__file__).parents[1]
REFERENCE = re.compile(r"(\w+/test_\w+)::(test_\w+)")


@pytest.mark.parametrize("reference", sorted(set(REFERENCE.findall(faults.__doc__ or ""))))
def test_a_test_that_is_named_exists(reference: tuple[str, str]) -> None:
    module, name = reference
    assert re.search(rf"^def {name}\(", (TESTS / f"{module}.py").read_text(), re.M)


def test_each_fault_has_a_test() -> None:
    """And each test of this folder is in the table."""
    lines = (faults.__doc__ or "").splitlines()
    start = lines.index("Processes")
    end = next(index for index, line in enumerate(lines) if line.startswith("What no test"))
    rows = lines[start:end]
    titles = {"Processes", "The server", "Data", "Time and cron", "Fleet", "Safety", ""}
    for row, after in pairwise(rows):
        if row not in titles and not row.startswith(" "):
            assert after.startswith("    "), row
    named = {name for _, name in REFERENCE.findall(faults.__doc__ or "")}
    here = {
        name
        for path in Path(__file__).parent.glob("test_*.py")
        if path.name != Path(__file__).name
        for name in re.findall(r"^def (test_\w+)\(", path.read_text(), re.M)
    }
    assert here - named == {"test_the_text_is_hostile"}
