"""Tables that are fitted to a terminal: no line is wider, and no letter is lost."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlq.cli.output.tables import Column, fitted_table, natural_table, text_width

COLUMNS = [Column("ID"), Column("QUEUE"), Column("TASK", gives=1), Column("ERROR", gives=2)]
ROW = ["7f3a91c2", "webhooks", "orders.tasks.confirm", "ValueError: no answer from a.example"]

cells = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z", "M"]), max_size=60)
words = st.lists(cells, max_size=6).map(" ".join)


def letters(lines: list[str]) -> Counter[str]:
    return Counter("".join(lines).replace(" ", ""))


@given(
    st.lists(st.tuples(words, words, words, words).map(list), min_size=1, max_size=5),
    st.integers(30, 130),
    st.permutations([0, 1, 2, 3]),
)
def test_it_fits_and_loses_nothing(rows: list[list[str]], width: int, gives: list[int]) -> None:
    columns = [c._replace(gives=number) for c, number in zip(COLUMNS, gives, strict=True)]
    heads, body = fitted_table(columns, rows, width)
    assert max(map(text_width, [*heads, *body])) <= width
    assert letters([*heads, *body]) == letters(list(natural_table(columns, rows)))


def test_wide_enough_is_as_in_a_pipe() -> None:
    heads, body = fitted_table(COLUMNS, [ROW], 200)
    assert [*heads, *body] == list(natural_table(COLUMNS, [ROW]))


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (
            70,
            [
                "ID        QUEUE     TASK                  ERROR",
                "7f3a91c2  webhooks  orders.tasks.confirm  ValueError: no answer from",
                "                                          a.example",
            ],
        ),
        (
            50,
            [
                "ID        QUEUE     TASK",
                "    ERROR",
                "7f3a91c2  webhooks  orders.tasks.confirm",
                "    ValueError: no answer from a.example",
            ],
        ),
    ],
)
def test_columns_give_way_in_their_order(width: int, expected: list[str]) -> None:
    heads, body = fitted_table(COLUMNS, [ROW], width)
    assert [*heads, *body] == expected
