"""What a job may leave behind in its process, put right before the next one.

A job may change signal handlers, the directory, the umask, or close the standard streams, by
purpose or by a library. The next job must not notice. A closed fd 1 is the worst of them: the next
socket that is opened gets its number, and whatever is printed goes to that server.

The checks cost about 3 µs per job; what is found is put right and logged. (`_signal` is what
`signal` wraps: looking five handlers up as enum members would cost four times as much as all else.)
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # no stubs: a private module, see above
import fcntl
import os
import signal
from collections.abc import Callable
from typing import Any

STANDARD = (0, 1, 2)
_flags, _GETFD = fcntl.fcntl, fcntl.F_GETFD
_BLOCK = int(signal.SIG_BLOCK)
_REAL_TIME = int(signal.ITIMER_REAL)
_WATCHED = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2, signal.SIGCHLD, signal.SIGPIPE)


class Isolation:
    """The state of the process when this is made. `close_connections` drops every connection of
    the process without a word to its server: one may have got the number of a standard stream."""

    def __init__(self, close_connections: Callable[[], None]) -> None:
        self._close_connections = close_connections
        self._handlers: list[tuple[signal.Signals, Any]] = [
            (number, _signal.getsignal(number)) for number in _WATCHED
        ]
        self._blocked = _signal.pthread_sigmask(signal.SIG_BLOCK, ())
        self._umask = os.umask(0o22)
        os.umask(self._umask)
        self._cwd = os.getcwd()
        self._directory = _high(os.open(".", os.O_RDONLY | os.O_DIRECTORY))
        self._streams = [_high(os.dup(fd)) for fd in STANDARD]

    def restore(self) -> list[str]:
        """Restore what has changed; return what that was, in words."""
        changed = []
        if not _standard_streams_untouched():
            self._close_connections()
            for fd, kept in zip(STANDARD, self._streams, strict=True):
                os.dup2(kept, fd)
            changed.append("standard streams")
        for number, handler in self._handlers:
            if _signal.getsignal(number) is not handler:
                signal.signal(number, handler)
                changed.append(f"handler of {number.name}")
        if _signal.pthread_sigmask(_BLOCK, ()) != self._blocked:
            signal.pthread_sigmask(signal.SIG_SETMASK, self._blocked)
            changed.append("blocked signals")
        if _signal.setitimer(_REAL_TIME, 0)[0]:
            changed.append("alarm")
        if os.umask(self._umask) != self._umask:
            changed.append("umask")
        # The directory is set and not compared: looking where we are costs more.
        try:
            os.fchdir(self._directory)
        except OSError:
            os.chdir(self._cwd)
            changed.append("file descriptor of the directory")
            self._directory = _high(os.open(".", os.O_RDONLY | os.O_DIRECTORY))
        return changed


def _standard_streams_untouched() -> bool:
    """Open, and not opened by Python code since: that sets close-on-exec, which the streams that a
    process was started with don't have. (A job that redirects them with dup2 has meant to.)"""
    try:
        return not (_flags(0, _GETFD) or _flags(1, _GETFD) or _flags(2, _GETFD))
    except OSError:
        return False


def _high(fd: int) -> int:
    """The same file under a number that "close everything below 100" doesn't reach."""
    high = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 200)
    os.close(fd)
    return high
