"""Tables as lines of text: as wide as they need to be, or fitted to a terminal. Pure.

A table that is too wide gives way in a set order: the columns with the highest `gives` become
narrower and wrap, then they move to lines of their own below each row, and at last the widest of
the others wrap too. No letter is lost.

    ID        QUEUE     FAILED     RAN          ID        QUEUE     FAILED     RAN    ERROR
        ERROR                             or    7f3a91c2  webhooks  4 min ago  0.2 s  ValueError: no
    7f3a91c2  webhooks  4 min ago  0.2 s                                              answer from a
        ValueError: no answer from a
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

GAP = 2
"""Blanks between two columns."""

INDENT = 4
"""Blanks before a value on its own line."""

NARROWEST = 16
"""Cells that a column which gives way keeps: narrower, a dotted path becomes a ladder."""


class Column(NamedTuple):
    """`gives`: on a narrow terminal the columns with the highest number give way first; those with
    0 keep their width as long as that is possible, for a name in pieces is hard to read."""

    head: str
    right: bool = False
    gives: int = 0


def natural_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Every column as wide as its longest value, and no blanks at the end of a line."""
    widths = [_natural_width(column, place, rows) for place, column in enumerate(columns)]
    for cells in [[column.head for column in columns], *rows]:
        yield from _lines(columns, cells, widths, ())


def fitted_table(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int
) -> tuple[list[str], list[str]]:
    """The lines of the heads, and those of the rows, none wider than `width`."""
    widths = [_natural_width(column, place, rows) for place, column in enumerate(columns)]
    giving = sorted(
        (place for place, column in enumerate(columns) if column.gives),
        key=lambda place: (-columns[place].gives, -place),
    )
    apart: list[int] = []
    _shrink(widths, giving, apart, width, lambda place: max(NARROWEST, len(columns[place].head)))
    for place in giving:
        if _excess(widths, apart, width) > 0 and len(apart) < len(columns) - 1:
            apart.append(place)
    if giving:
        # What has stayed may be wider again, now that others are on their own lines.
        for place in giving:
            if place not in apart:
                room = -_excess(widths, apart, width)
                natural = _natural_width(columns[place], place, rows)
                widths[place] = min(natural, widths[place] + max(0, room))
    widest = sorted(range(len(columns)), key=lambda place: -widths[place])
    _shrink(widths, widest, apart, width, lambda place: INDENT)
    apart.sort()
    heads = list(_lines(columns, [column.head for column in columns], widths, apart, width))
    body = [line for row in rows for line in _lines(columns, row, widths, apart, width)]
    return heads, body


def _shrink(
    widths: list[int],
    order: Sequence[int],
    apart: Sequence[int],
    width: int,
    least: Callable[[int], int],
) -> None:
    for place in order:
        excess = _excess(widths, apart, width)
        if place not in apart and excess > 0:
            widths[place] = min(widths[place], max(least(place), widths[place] - excess))


def _excess(widths: Sequence[int], apart: Sequence[int], width: int) -> int:
    """The cells by which the columns that are side by side are too wide."""
    kept = [each for place, each in enumerate(widths) if place not in apart]
    return sum(kept) + GAP * (len(kept) - 1) - width


def _lines(
    columns: Sequence[Column],
    cells: Sequence[str],
    widths: Sequence[int],
    apart: Sequence[int],
    width: int = 0,
) -> Iterator[str]:
    """One row: the cells side by side, wrapped, and below them those on their own lines."""
    beside = [place for place in range(len(columns)) if place not in apart]
    wrapped = [wrap(cells[place], widths[place]) for place in beside]
    for number in range(max(map(len, wrapped))):
        pieces = []
        for place, lines in zip(beside, wrapped, strict=True):
            text = lines[number] if number < len(lines) else ""
            blanks = " " * (widths[place] - text_width(text))
            pieces.append(blanks + text if columns[place].right else text + blanks)
        yield (" " * GAP).join(pieces).rstrip()
    for place in apart:
        if cells[place]:
            for text in wrap(cells[place], max(INDENT, width - INDENT)):
                yield " " * INDENT + text


def wrap(text: str, width: int) -> list[str]:
    """Break text into lines of `width` cells: at blanks where there are some, else anywhere."""
    lines = []
    rest = text
    while text_width(rest) > width:
        cut = _cells(rest, width)
        blank = rest.rfind(" ", 0, cut + 1)
        if blank > 0:
            lines.append(rest[:blank].rstrip())
            rest = rest[blank:].lstrip()
        else:
            lines.append(rest[:cut])
            rest = rest[cut:]
    return [*lines, rest]


def cut(text: str, width: int) -> str:
    """The beginning of text that fits into `width` cells, with an ellipsis where there is more."""
    if text_width(text) <= width:
        return text
    return text[: _cells(text, width - 1)] + "…" if width > 1 else ""


def _cells(text: str, width: int) -> int:
    """How many characters fit into `width` cells: at least one, or nothing would come to an end."""
    used = 0
    for place, character in enumerate(text):
        used += text_width(character)
        if used > width:
            return max(1, place)
    return len(text)


def _natural_width(column: Column, place: int, rows: Sequence[Sequence[str]]) -> int:
    return max([text_width(column.head), *(text_width(row[place]) for row in rows)])


def text_width(text: str) -> int:
    """Cells on a terminal: ideographs take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.combining(character)
        else 2
        if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in text
    )
