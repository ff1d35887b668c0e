"""The short form of `python -m tests.provenance.random_settings`."""

from __future__ import annotations

import subprocess

import pytest

from tests.kit.environments import ROOT
from tests.provenance.interpreters import OTHERS
from tests.provenance.random_settings import run

ANSWERS = 3000
"""Fewer say little about the share: one computed `exec` takes the lines of a whole package."""
SEED = 20


def test_the_line_of_a_value_is_the_one_that_wrote_it() -> None:
    tally = run(ANSWERS, SEED)
    assert tally.wrong == []
    assert tally.answers["without a line"] <= 0.03 * ANSWERS


@pytest.mark.parametrize("python", OTHERS)
def test_the_line_is_right_on_another_python(python: str) -> None:
    command = [python, "-m", "tests.provenance.random_settings"]
    answer = subprocess.run(
        [*command, "--answers", str(ANSWERS), "--seed", str(SEED)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert " 0 wrong lines" in answer.stdout, answer.stdout + answer.stderr
