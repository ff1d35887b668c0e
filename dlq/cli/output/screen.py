"""Where words go: results to stdout, everything else to stderr, and how a table looks on each.

Piped, a table is plain columns as wide as they need to be. On a terminal it has bold heads with a
rule under them, and fits the width; rich is imported only for styles. What users wrote (names,
arguments, errors) is never markup, and control characters in it are shown escaped.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal, TextIO, TypeAlias

from dlq.cli.output.tables import Column, fitted_table, natural_table, text_width
from dlq.primitives.text import printable

__all__ = ["Column", "Screen", "Segment", "Style"]

if TYPE_CHECKING:
    from rich.console import Console

CELL_LIMIT = 2000
"""Characters of one cell. A table is to be read; machine formats carry the whole."""

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


class Screen:
    """The streams of a command. `color` None follows the terminal and NO_COLOR."""

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
    def width(self) -> int:
        """Columns of the terminal."""
        return shutil.get_terminal_size().columns

    @property
    def height(self) -> int:
        """Lines of the terminal."""
        return shutil.get_terminal_size().lines

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
        """Print rows of text under heads: plain in a pipe, fitted to the width of a terminal."""
        self.segments(self.table_lines(columns, rows))

    def table_lines(
        self, columns: Sequence[Column], rows: Iterable[Sequence[str]]
    ) -> Iterator[list[Segment]]:
        """The lines that `table` prints."""
        safe = [[printable(cell, CELL_LIMIT) for cell in row] for row in rows]
        if not self.is_terminal:
            yield from _in_style(natural_table(columns, safe), "")
            return
        heads, body = fitted_table(columns, safe, self.width)
        yield from _in_style(heads, "bold")
        rule = "─" if "utf" in (self.out.encoding or "").lower() else "-"
        yield [(rule * min(self.width, max(map(text_width, [*heads, *body]))), "dim")]
        yield from _in_style(body, "")

    def ask(self, question: str) -> bool:
        """Ask for a yes; anything else is a no."""
        return self.answer(question) or False

    def answer(self, question: str) -> bool | None:
        """Ask on stderr and read a line of stdin; None where it has ended."""
        self.out.flush()
        self.err.write(f"{question} [y/N] ")
        self.err.flush()
        line = sys.stdin.readline()
        if not line:
            self.err.write("\n")
            return None
        return line.strip().lower() in {"y", "yes"}

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


def _in_style(lines: Iterable[str], style: Style) -> Iterator[list[Segment]]:
    return ([(line, style)] for line in lines)
