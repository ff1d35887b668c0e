"""A wait that a stop request ends and that shows life, for children that sleep between turns."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from types import TracebackType

from dlq.process.posix.fork import STOP_SIGNAL
from dlq.process.posix.signals import SignalPipe

BEAT = 1.0
"""Seconds between two signs of life while waiting."""


class Interruptible:
    def __init__(self, supervisor: int, beat: Callable[[], None]) -> None:
        self._supervisor = supervisor
        self._beat = beat
        self._stopped = False
        self._signals = SignalPipe((signal.SIGTERM, signal.SIGINT, STOP_SIGNAL))

    def __enter__(self) -> Interruptible:
        self._signals.__enter__()
        self._beat()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._signals.__exit__(exc_type, exc_value, traceback)

    def stopped(self) -> bool:
        self._look(0.0)
        return self._stopped

    def wait(self, seconds: float) -> None:
        """Return after `seconds`, or as soon as this process is to stop."""
        end = time.monotonic() + seconds
        while not self._stopped and (left := end - time.monotonic()) > 0:
            self._look(min(left, BEAT))

    def _look(self, timeout: float) -> None:
        self._beat()
        if self._signals.wait(timeout) or os.getppid() != self._supervisor:
            self._stopped = True
