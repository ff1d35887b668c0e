"""Signals as input of a loop: handlers note them, the loop does the work.

Python writes each signal's number into a pipe (`signal.set_wakeup_fd`); a loop that waits for the
pipe misses none, whichever instruction it was at when the signal came.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # no stubs: a private module, see below
import os
import select
import signal
from collections.abc import Callable, Iterable, Sequence
from types import FrameType, TracebackType
from typing import Any

# `signal` wraps what these give in enum members: 64 of them for each mask, and five for each job.
handler_of: Callable[[int], Any] = _signal.getsignal
set_mask: Callable[[int, Iterable[int]], set[int]] = _signal.pthread_sigmask
set_timer: Callable[[int, float], tuple[float, float]] = _signal.setitimer
ALL_SIGNALS: set[int] = _signal.valid_signals()

STOPS = (signal.SIGTERM, signal.SIGINT)
"""Signals that ask a runner to stop."""
CHANGED_SIGNALS = (
    *STOPS,
    signal.SIGHUP,
    signal.SIGCHLD,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGALRM,
    signal.SIGVTALRM,
    signal.SIGPROF,
    signal.SIGIO,
)
"""Signals for which a process of dlq has a handler, or may have inherited one. A runner ignores
those that mean nothing to it: a stray one must not end it."""

_HANGUP_IGNORED = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
"""As this process was started; dlq installs no handler before this module is imported."""


def is_hangup_ignored() -> bool:
    """Whether this process was started so that HUP does nothing, as nohup does it: it must stay so,
    or a closed terminal would reload or end the runner."""
    return _HANGUP_IGNORED


def original_disposition(number: int) -> Any:
    """What the signal did when this process was started."""
    if number == signal.SIGHUP and _HANGUP_IGNORED:
        return signal.SIG_IGN
    return signal.SIG_DFL


def restore_dispositions() -> None:
    """Let signals do what they do in a process that Python has just started."""
    for number in CHANGED_SIGNALS:
        is_interrupt = number == signal.SIGINT
        signal.signal(
            number, signal.default_int_handler if is_interrupt else original_disposition(number)
        )


def ignore(number: int, frame: FrameType | None) -> None:
    """Do nothing on a signal. Unlike SIG_IGN, a handler is not inherited by other programs."""


class SignalPipe:
    """A context: the given signals arrive here and nowhere else while it lasts."""

    def __init__(self, signals: Iterable[int]) -> None:
        self._signals = tuple(signals)
        self._before: dict[int, Any] = {}
        self._reader = self._writer = -1

    def __enter__(self) -> SignalPipe:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in self._signals:
            self._before[number] = signal.signal(number, _noted)
        # What has come before this, a start handles now.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, self._signals)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(-1)
        self.close()

    @property
    def fds(self) -> tuple[int, int]:
        """Both ends. A child must close them: its parent would read what it writes there."""
        return self._reader, self._writer

    def close(self) -> None:
        for fd in self.fds:
            os.close(fd)

    def wait(self, timeout: float, also: Sequence[int] = ()) -> list[int]:
        """Wait for a signal, or for something to read on `also`, for at most `timeout` seconds.
        Return the signals in the order of their arrival; one that came twice is there twice."""
        select.select([self._reader, *also], [], [], max(timeout, 0.0))
        try:
            return list(os.read(self._reader, 65_536))
        except BlockingIOError:
            return []


def _noted(number: int, frame: FrameType | None) -> None:
    """The pipe has it."""
