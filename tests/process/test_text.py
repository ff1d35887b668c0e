"""Text of others is shown escaped and cut."""

from __future__ import annotations

import pytest

from dlq.primitives.text import printable, printable_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("orders.tasks.confirm", "orders.tasks.confirm"),
        ("naïve 日本 🙂", "naïve 日本 🙂"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb\rc\td", "a\\nb\\rc\\td"),
        ("\x7f \x9b \u202e \u2066 \u2028", "\\x7f \\x9b \\u202e \\u2066 \\u2028"),
        ("\udc80", "\\udc80"),
        ("\U000e0001", "\\U000e0001"),
    ],
)
def test_what_does_not_print_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_it_is_cut_also_where_escaping_makes_it_longer() -> None:
    assert printable("x" * 300, 100) == "x" * 99 + "…"
    assert len(printable("\x1b" * 99, 100)) == 100


def test_lines_stay_lines_and_the_middle_is_cut() -> None:
    shown = printable_lines("begin\n\x1b\n" + "x" * 1000 + "\nend", 200)
    assert shown.startswith("begin\n\\x1b\n")
    assert shown.endswith("x\nend")
    assert "characters cut" in shown
    assert len(shown) < 300
