"""What a command does first thing, before it imports anything: signals while there is nothing to
stop, and no collections of garbage while there is none. Standard library only.

As PID 1 of a container a process ignores TERM unless it has a handler, and a start may wait for a
server for as long as that is away.
"""

from __future__ import annotations

import gc
import os
import signal
from types import FrameType

PUT_OFF = 10_000_000
"""Added to the number of new objects after which Python looks for garbage."""


def exit_on_stop_signals() -> None:
    """TERM and INT end this process at once, with code 0: nothing has been started yet, so nothing
    is cut short. The supervisor's own handling takes their place."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)


def _leave(number: int, frame: FrameType | None) -> None:
    os._exit(0)


def put_off_collections() -> None:
    """Until `resume_collections`, or for good in a command that ends soon. Imports make 100,000
    objects that stay, and to look through them again and again takes a tenth of a start."""
    first, *others = gc.get_threshold()
    if 0 < first < PUT_OFF:
        gc.set_threshold(first + PUT_OFF, *others)


def resume_collections() -> None:
    """Set the threshold back. What the project has set since then is left alone."""
    first, *others = gc.get_threshold()
    if first >= PUT_OFF:
        gc.set_threshold(first - PUT_OFF, *others)
