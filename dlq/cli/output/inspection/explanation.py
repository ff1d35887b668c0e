"""Explanations on the screen: a title, facts in two columns, prose."""

from __future__ import annotations

from dlq.cli.output.screen import Screen, Style
from dlq.operations.inspection.explanation import Explanation
from dlq.primitives.text import printable


def print_explanation(screen: Screen, explanation: Explanation) -> None:
    level = explanation.content.get("level", "bold")
    style: Style = level if level in ("error", "warning", "info") else "bold"
    screen.segments([[(printable(explanation.title, 500), style)]])
    width = max((len(fact.label) for fact in explanation.facts), default=0)
    for label, text in explanation.facts:
        screen.print(f"  {label:{width}}  {printable(text, 2000)}")
    if explanation.text:
        if explanation.kind == "finding":
            screen.print()
            screen.print(explanation.text.rstrip("\n"))
        else:
            screen.print(f"  {explanation.text}")
