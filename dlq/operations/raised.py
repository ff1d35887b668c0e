"""An exception of the user's code: in one line, and with the line of the project to blame."""

from __future__ import annotations

import sys
import sysconfig
import traceback
from pathlib import Path

from dlq.config.shown import shown_path
from dlq.types import Source

ELSEWHERE = tuple(
    {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
)
"""Where Python and installed packages live: a mistake is seldom there."""


def last_line(error: BaseException) -> str:
    """As the last line of a traceback: `ImportError: cannot import name 'mial'`."""
    return "".join(traceback.format_exception_only(error)).strip().splitlines()[-1].strip()


def place_of(error: BaseException) -> Source | None:
    """The deepest line of the project's own that took part, or of anybody's where there is none."""
    if isinstance(error, SyntaxError) and error.filename is not None:
        source = Source("file", file=shown_path(error.filename))
        if error.lineno is None:
            return source
        end = error.end_offset if error.end_lineno == error.lineno else None
        return source.at(error.lineno, error.offset or None, end or None)
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<frozen") and frame.lineno is not None
    ]
    own = [frame for frame in frames if not frame.filename.startswith(ELSEWHERE)]
    own = [frame for frame in own if not _is_ours(frame.filename)] or own or frames
    if not own:
        return None
    frame = own[-1]
    return Source("file", file=shown_path(frame.filename), line=frame.lineno)


def is_own(path: str) -> bool:
    return not path.startswith(ELSEWHERE)


def _is_ours(path: str) -> bool:
    package = Path(sys.modules["dlq"].__file__ or "").parent
    return package in Path(path).parents
