"""Signals while a runner starts, before there is anything to stop. Standard library only, so that a
command can call this first thing.

As PID 1 of a container a process ignores TERM unless it has a handler, and a start may wait for a
server for as long as that is away.
"""

from __future__ import annotations

import os
import signal
from types import FrameType


def leave_on_stop_signals() -> None:
    """TERM and INT end this process at once, with code 0: nothing has been started yet, so nothing
    is cut short. The master's own handling takes their place."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)


def _leave(number: int, frame: FrameType | None) -> None:
    os._exit(0)
