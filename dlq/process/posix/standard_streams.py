"""The standard streams of a process that runs for long. Standard library only."""

from __future__ import annotations

import sys
from io import TextIOWrapper


def write_lines_at_once() -> None:
    """What tasks print is seen when they print it, also where our output is a pipe or a journal; in
    a buffer it would wait for hours, and be lost with a worker that is killed."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(line_buffering=True)
