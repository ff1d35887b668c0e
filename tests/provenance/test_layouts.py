"""Each layout of settings gives the right lines, with both ways to observe them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.kit.environments import ROOT
from tests.provenance.interpreters import OTHERS
from tests.provenance.layouts import Layout, layouts, mistakes


@pytest.mark.parametrize("layout", layouts(), ids=lambda layout: layout.title)
def test_a_layout(tmp_path: Path, layout: Layout) -> None:
    assert mistakes(tmp_path, layout) == {}


@pytest.mark.parametrize("python", OTHERS)
def test_all_layouts_on_another_python(python: str) -> None:
    answer = subprocess.run(
        [python, "-m", "tests.provenance.layouts"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert json.loads(answer.stdout) == {}, answer.stderr
