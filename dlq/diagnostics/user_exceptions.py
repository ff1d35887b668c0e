"""An exception of the user's code: in one line, and the line of the project that raised it."""

from __future__ import annotations

import sys
import sysconfig
import traceback
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from dlq.primitives.display_path import display_path
from dlq.types import Source


@cache
def _elsewhere() -> tuple[str, ...]:
    """Where Python and installed packages live: a mistake is seldom there."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    return tuple({sysconfig.get_path(name) for name in names})


def last_line(error: BaseException) -> str:
    """The last line of a traceback: `ImportError: cannot import name 'mial'`."""
    return "".join(traceback.format_exception_only(error)).strip().splitlines()[-1].strip()


def source_of_error(error: BaseException) -> Source | None:
    """The innermost line of the project's own code, or of any code where there is none."""
    return project_source_of_error(error) or _innermost(_frames(error))


def project_source_of_error(error: BaseException) -> Source | None:
    """The innermost line of the project's own code that took part."""
    if isinstance(error, SyntaxError) and error.filename is not None:
        source = Source("file", file=display_path(error.filename))
        if error.lineno is None:
            return source
        end = error.end_offset if error.end_lineno == error.lineno else None
        return source.at(error.lineno, error.offset or None, end or None)
    own = [frame for frame in _frames(error) if not frame.filename.startswith(_elsewhere())]
    return _innermost([frame for frame in own if not _is_ours(frame.filename)])


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    return [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<frozen") and frame.lineno is not None
    ]


def _innermost(frames: Sequence[traceback.FrameSummary]) -> Source | None:
    """Return the source location of the innermost frame."""
    if not frames:
        return None
    return Source("file", file=display_path(frames[-1].filename), line=frames[-1].lineno)


def _is_ours(path: str) -> bool:
    package = Path(sys.modules["dlq"].__file__ or "").parent
    return package in Path(path).parents
