"""The standard streams as every command needs them: there, and able to write any text."""

from __future__ import annotations

import io
import os
import sys

STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))
"""In the order of their file descriptors."""


def prepare_streams() -> None:
    """Put /dev/null in the place of a stream that is closed (`dlq run >&-`), and have stdout write
    what its encoding lacks as backslash escapes."""
    for descriptor, (name, mode) in enumerate(STREAMS):
        if getattr(sys, name) is None:
            _fill(descriptor)
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 (stays open)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _fill(descriptor: int) -> None:
    """Or the next file that is opened, a socket for instance, would get what is printed."""
    try:
        os.fstat(descriptor)
    except OSError:
        opened = os.open(os.devnull, os.O_RDWR)
        if opened != descriptor:
            os.dup2(opened, descriptor)
            os.close(opened)
        os.set_inheritable(descriptor, True)
