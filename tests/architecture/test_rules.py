"""Every rule is documented, raised by the code and seen by a test. Counts all three."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dlq.diagnostics.rules import RULES

ROOT = Path(__file__).parents[2]
SHORTEST = 120
"""Characters of a text that says what was found, why it matters and what to do."""


def _sources(directory: str) -> dict[Path, str]:
    paths = (path for path in (ROOT / directory).rglob("*.py") if path != Path(__file__))
    return {path: path.read_text(encoding="utf-8") for path in paths}


CODE = {path: text for path, text in _sources("dlq").items() if path.parent.name != "rules"}
TESTS = _sources("tests")


@pytest.mark.parametrize("code", sorted(RULES))
def test_a_rule_is_documented_raised_and_tested(code: str) -> None:
    assert len(RULES[code].text.strip()) >= SHORTEST, f"dlq explain {code} says too little"
    word = re.compile(rf"\b{code}\b")
    assert any(word.search(text) for text in CODE.values()), f"no code raises {code}"
    assert any(word.search(text) for text in TESTS.values()), f"no test asks for {code}"


def test_no_id_is_made_up() -> None:
    """What the code and the tests call a rule is one."""
    named = {
        code
        for text in CODE.values()
        for code in re.findall(r"\brules?\.([EWI]\d{3})\b|\"([EWI]\d{3})\"", text)
        for code in code
        if code
    }
    assert named <= set(RULES), sorted(named - set(RULES))


def test_no_id_is_used_twice() -> None:
    """The later of two definitions would take the place of the other, without a word."""
    rules = (ROOT / "dlq/diagnostics/rules").glob("*.py")
    codes = [
        code
        for path in rules
        for code in re.findall(r"^([EWI]\d{3}) = Rule", path.read_text(), re.MULTILINE)
    ]
    assert len(codes) > 50
    assert [code for code in codes if codes.count(code) > 1] == []
