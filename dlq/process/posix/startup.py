"""The first steps of a command, before it imports anything: signals while there is nothing to stop,
and no collections of garbage while there is none. Standard library only.

As PID 1 of a container a process ignores TERM unless it has a handler, and a start may wait for a
server for as long as that is away.
"""

from __future__ import annotations

import gc
import os
import signal
from types import FrameType

from dlq.process.posix.signals import CHANGED_SIGNALS, STOPS, ignore, is_hangup_ignored

PUT_OFF = 10_000_000
"""Added to the number of new objects after which Python looks for garbage."""


def handle_early_signals() -> None:
    """Handle the signals of a runner from its first line on. Later calls change nothing.

    TERM and INT end this process at once, with code 0: nothing has been started yet, so nothing is
    cut short. HUP is kept until the supervisor handles it. No other signal ends the process."""
    if signal.getsignal(signal.SIGTERM) is _exit:
        return
    if not is_hangup_ignored():
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGHUP,))
    for number in CHANGED_SIGNALS:
        if number in STOPS:
            signal.signal(number, _exit)
        elif number not in (signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, ignore)


def _exit(number: int, frame: FrameType | None) -> None:
    os._exit(0)


def put_off_collections() -> None:
    """Put collections off until `resume_collections`, or for good in a command that ends soon.
    Imports make 100,000 objects that stay, and to look through them again and again takes a tenth
    of a start."""
    first, *others = gc.get_threshold()
    if 0 < first < PUT_OFF:
        gc.set_threshold(first + PUT_OFF, *others)


def resume_collections() -> None:
    """Set the threshold back. What the project has set since then is left alone."""
    first, *others = gc.get_threshold()
    if first >= PUT_OFF:
        gc.set_threshold(first - PUT_OFF, *others)
