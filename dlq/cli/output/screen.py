"""Where words go: results to stdout, everything else to stderr, and how a table looks on each.

Piped, a table is plain columns as wide as they need to be. On a terminal it has bold heads, a rule
under them, and long values that fold; rich is imported only for that. What users wrote (names,
arguments, errors) is never markup, and control characters in it are shown escaped.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, TextIO, TypeAlias

from dlq.primitives.text import printable

if TYPE_CHECKING:
    from rich.console import Console

CELL_LIMIT = 2000
"""Characters of one cell. A table is to be read; machine formats carry the whole."""

FOLDED_WIDTH = 20
"""The least width of a column that folds: narrower, a dotted path becomes a ladder."""

GAP = 3
"""Between two columns of a rich table: a blank on each side, and where its rule would stand."""

Style: TypeAlias = Literal["", "bold", "error", "warning", "info", "dim", "good"]
Segment: TypeAlias = tuple[str, Style]
"""A piece of a line, and how it looks on a terminal."""

COLOURS: dict[Style, str] = {
    "bold": "bold",
    "error": "bold red",
    "warning": "bold yellow",
    "info": "bold cyan",
    "dim": "dim",
    "good": "green",
}


class Column(NamedTuple):
    """`fold`: on a narrow terminal this column gives way, and its values wrap. The others keep
    their width, for a name that is cut is no name."""

    head: str
    right: bool = False
    fold: bool = False


class Screen:
    """What a command speaks through. `color` None asks the terminal and NO_COLOR."""

    def __init__(
        self, out: TextIO | None = None, err: TextIO | None = None, *, color: bool | None = None
    ) -> None:
        self._out = out
        self._err = err
        self._color = color

    @property
    def out(self) -> TextIO:
        return self._out or sys.stdout

    @property
    def err(self) -> TextIO:
        return self._err or sys.stderr

    @property
    def is_terminal(self) -> bool:
        return self.out.isatty()

    @property
    def can_ask(self) -> bool:
        return sys.stdin is not None and sys.stdin.isatty()

    def print(self, text: str = "") -> None:
        """A result: one line, or several."""
        self.out.write(text + "\n")

    def note(self, text: str) -> None:
        """A warning, a prompt, progress: not part of the result."""
        self.out.flush()
        self.err.write(text + "\n")
        self.err.flush()

    def segments(self, lines: Iterable[Sequence[Segment]], *, to_err: bool = False) -> None:
        """Lines in pieces: styled on a terminal, and the bare text elsewhere."""
        stream = self.err if to_err else self.out
        if to_err:
            self.out.flush()
        if self._styled(stream):
            from rich.text import Text

            console = self._console(stream)
            for line in lines:
                text = Text.assemble(*((piece, COLOURS.get(style, "")) for piece, style in line))
                console.print(text, soft_wrap=True)
        else:
            for line in lines:
                stream.write("".join(piece for piece, _ in line) + "\n")
        stream.flush()

    def table(self, columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
        safe = [[printable(cell, CELL_LIMIT) for cell in row] for row in rows]
        if self.is_terminal:
            self._rich_table(columns, safe)
        else:
            for line in plain_table(columns, safe):
                self.out.write(line + "\n")

    def ask(self, question: str) -> bool:
        """A yes from the terminal; anything else is a no."""
        self.out.flush()
        self.err.write(f"{question} [y/N] ")
        self.err.flush()
        try:
            return input().strip().lower() in {"y", "yes"}
        except EOFError:
            self.err.write("\n")
            return False

    def _styled(self, stream: TextIO) -> bool:
        if self._color is not None:
            return self._color and stream.isatty()
        return stream.isatty() and not os.environ.get("NO_COLOR")

    def _console(self, stream: TextIO) -> Console:
        from rich.console import Console

        return Console(
            file=stream,
            color_system="auto" if self._styled(stream) else None,
            highlight=False,
            markup=False,
            emoji=False,
        )

    def _rich_table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
        from rich.box import SIMPLE_HEAD
        from rich.table import Table
        from rich.text import Text

        table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
        needed = GAP * (len(columns) - 1)
        for place, column in enumerate(columns):
            width = max([_width(column.head), *(_width(row[place]) for row in rows)])
            if column.fold:
                width = min(width, FOLDED_WIDTH)
            needed += width
            table.add_column(
                column.head,
                justify="right" if column.right else "left",
                no_wrap=not column.fold,
                overflow="fold",
                min_width=width,
            )
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        console = self._console(self.out)
        # Below its least width rich would cut names; the terminal's own wrapping does less harm.
        console.width = max(console.width, needed)
        console.print(table)


def plain_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> Iterable[str]:
    """As lines: two blanks between columns, none after the last."""
    widths = [
        max([_width(column.head), *(_width(row[place]) for row in rows)])
        for place, column in enumerate(columns)
    ]

    def line(cells: Sequence[str]) -> str:
        padded = []
        for cell, column, width in zip(cells, columns, widths, strict=True):
            blanks = " " * (width - _width(cell))
            padded.append(blanks + cell if column.right else cell + blanks)
        return "  ".join(padded).rstrip()

    yield line([column.head for column in columns])
    for row in rows:
        yield line(row)


def _width(text: str) -> int:
    """Cells on a terminal: ideographs take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.combining(letter)
        else 2
        if unicodedata.east_asian_width(letter) in "WF"
        else 1
        for letter in text
    )
