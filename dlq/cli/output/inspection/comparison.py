"""A comparison of two plans on the screen."""

from __future__ import annotations

from dlq.cli.output.screen import Screen
from dlq.cli.output.tables import Column
from dlq.planning.comparison import Difference
from dlq.planning.comparison_formats import ROWS, hazard_lines, sections, summary, title

GIVING_WAY = {"OLD": 1, "NEW": 1, "SOURCE": 2, "OLD SOURCE": 2, "NEW SOURCE": 2}
"""Columns that give way on a narrow terminal, those with 2 first."""


def print_comparison(screen: Screen, difference: Difference) -> None:
    screen.segments([[(title(difference), "bold")]])
    if difference.is_empty:
        return
    screen.print(summary(difference))
    for name, columns, rows in sections(difference):
        screen.print()
        screen.segments([[(name, "bold")]])
        screen.table([Column(head, gives=GIVING_WAY.get(head, 0)) for head in columns], rows[:ROWS])
        if len(rows) > ROWS:
            screen.print(f"and {len(rows) - ROWS} more (--format json has them all)")
    if lines := list(hazard_lines(difference)):
        screen.print()
        screen.segments([[("While machines change one by one", "bold")]])
        for line in lines:
            screen.print(f"  {line}")
