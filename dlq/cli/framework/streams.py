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
    closed = [(name, mode) for name, mode in STREAMS if getattr(sys, name) is None]
    if closed:
        _fill_descriptors()
    for name, mode in closed:
        setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 (stays open)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _fill_descriptors() -> None:
    """Open the descriptors of closed streams, the lowest first. Else the next file that is opened,
    a socket for instance, would get what is printed."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) < len(STREAMS):
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
