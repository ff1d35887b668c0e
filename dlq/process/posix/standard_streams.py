"""The standard streams of a process: there, and written line by line. Standard library only."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper


def open_missing_streams() -> None:
    """Open /dev/null for each standard stream that the process was started without (`dlq run >&-`).
    Otherwise the next file or socket gets its number, and Python has None in place of the stream.
    Called before anything else is opened."""
    for fd, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(fd)
        except OSError:
            null = os.open(os.devnull, os.O_RDONLY if mode == "r" else os.O_WRONLY)
            if null != fd:
                os.dup2(null, fd)
                os.close(null)
            os.set_inheritable(fd, True)
        if getattr(sys, name) is None:
            stream = open(fd, mode, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115 (open for the life of the process)
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)


def write_lines_at_once() -> None:
    """What tasks print is seen when they print it, also where our output is a pipe or a journal; in
    a buffer it would wait for hours, and be lost with a worker that is killed."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(line_buffering=True)
