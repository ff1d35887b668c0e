"""Findings are values: an id gives the level, and they are told in the order in which one mends."""

from __future__ import annotations

import pytest

from dlq.diagnostics.finding import Finding, Rule, errors, in_reading_order
from dlq.diagnostics.rules import RULES
from dlq.types import Source


def test_a_rule_gives_its_id_and_level() -> None:
    place = Source("file", "special.py", 3, 15)
    assert Rule("W101", "", "").finding("said", place, "do") == Finding(
        "dlq.W101", "warning", "said", place, "do"
    )
    assert [Rule(code, "", "").level for code in ("E1", "W1", "I1")] == ["error", "warning", "info"]


def test_errors_are_told_from_the_rest() -> None:
    one, other = Rule("E1", "", "").finding("a"), Rule("W1", "", "").finding("b")
    assert errors([other, one]) == [one]


def test_findings_are_read_by_file_and_line_and_once() -> None:
    rule = Rule("E1", "", "")
    nowhere = rule.finding("nowhere")
    variable = rule.finding("variable", Source("environment", name="X"))
    early = rule.finding("early", Source("file", "a.py", 2))
    late = rule.finding("late", Source("file", "a.py", 10))
    other = rule.finding("other", Source("file", "b.py", 1))
    mixed = [other, nowhere, late, variable, early, late]
    assert in_reading_order(mixed) == [early, late, other, nowhere, variable]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_rule_can_be_explained(rule: Rule) -> None:
    assert rule.code[0] in "EWI"
    assert rule.code[1:].isdigit()
    assert not rule.title.endswith(".")
    assert rule.text.strip()
    assert rule.text.endswith("\n")


@pytest.mark.parametrize(
    ("source", "label", "position"),
    [
        (Source("default"), "default", "default"),
        (Source("django"), "Django settings", "Django settings"),
        (Source("file", "a.py"), "a.py", "a.py"),
        (Source("file", "a.py", 3), "a.py:3", "a.py:3"),
        (Source("file", "a.py", 3, 5, 9), "a.py:3", "a.py:3:5"),
        (Source("environment", name="X"), "$X", "$X"),
        (Source("option", name="--queue"), "--queue", "--queue"),
    ],
)
def test_a_source_says_as_much_as_is_known(source: Source, label: str, position: str) -> None:
    assert source.label == label
    assert source.location == position
