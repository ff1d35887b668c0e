"""An exception of the user's code: in one line, and the line of the project that raised it."""

from __future__ import annotations

import sys
import sysconfig
import traceback
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from dlq.primitives.display_path import display_path
from dlq.primitives.text import printable
from dlq.types import Source

LONGEST = 500
"""Characters of an exception in a finding: its message may be a whole document."""


def last_line(error: BaseException) -> str:
    """The end of a traceback, on one line: `ImportError: cannot import name 'mial'`."""
    text = "".join(traceback.format_exception_only(error))
    if isinstance(error, SyntaxError):  # the lines before it show the place
        return text.strip().splitlines()[-1].strip()
    return printable(" ".join(text.split()), LONGEST)


def source_of_error(error: BaseException) -> Source | None:
    """The innermost line of the project's own code, or of an installed package where there is
    none."""
    return project_source_of_error(error) or raising_source(error)


def raising_source(error: BaseException) -> Source | None:
    """The line that raised, whosever it is; dlq's own lines aside."""
    return _innermost(_frames(error))


def project_source_of_error(error: BaseException) -> Source | None:
    """The innermost line of the project's own code that took part."""
    if isinstance(error, SyntaxError) and error.filename is not None:
        return at_syntax_error(Source("file", file=display_path(error.filename)), error)
    return _innermost([f for f in _frames(error) if not f.filename.startswith(_elsewhere())])


def at_syntax_error(source: Source, error: SyntaxError) -> Source:
    """The file with the line and the columns of the error, as far as Python knows them."""
    if error.lineno is None:
        return source
    column, end = error.offset or None, error.end_offset
    if column is None or end is None or end <= column or error.end_lineno != error.lineno:
        end = None
    return source.at(error.lineno, column, end)


def line_in(path: str | Path, error: BaseException) -> int | None:
    """The innermost line of one file that took part."""
    path = Path(path)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename) == path or Path(frame.filename).resolve() == path.resolve():
            return frame.lineno
    return None


@cache
def _elsewhere() -> tuple[str, ...]:
    """Where Python and installed packages live: a mistake is seldom there."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    return tuple({sysconfig.get_path(name) for name in names})


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    """The frames that took part, without those of dlq and of the import system."""
    return [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<frozen")
        and not frame.filename.endswith("importlib/__init__.py")
        and frame.lineno is not None
        and not _is_ours(frame.filename)
    ]


def _innermost(frames: Sequence[traceback.FrameSummary]) -> Source | None:
    """Return the source location of the innermost frame."""
    if not frames:
        return None
    return Source("file", file=display_path(frames[-1].filename), line=frames[-1].lineno)


def _is_ours(path: str) -> bool:
    package = Path(sys.modules["dlq"].__file__ or "").parent
    return package in Path(path).parents
