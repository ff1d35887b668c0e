"""Isolation between jobs: what a job changes in its process is restored before the next one.

A job may change signal handlers, the directory, the umask, the locale, or close the standard
streams, on purpose or by a library. The next job must not notice. A closed descriptor 1 is the
worst of them: the next socket that is opened gets its number, and whatever is printed goes to that
server.

What Python keeps in context variables (the decimal context, Django's language and time zone,
structlog's fields) needs no restoring: each job runs in a copy of the worker's context.

The checks cost about 3.5 µs per job; what is found is restored and logged.
"""

from __future__ import annotations

import contextvars
import fcntl
import io
import locale
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

from dlq.process.posix.signals import handler_of, set_mask, set_timer

STANDARD = (0, 1, 2)
OUT_OF_REACH = 200
"""Descriptors from here on survive a job that closes everything below 100."""
_socket_timeout = socket.getdefaulttimeout
_flags, _GETFD = fcntl.fcntl, fcntl.F_GETFD
_BLOCK = int(signal.SIG_BLOCK)
_REAL_TIME = int(signal.ITIMER_REAL)
_WATCHED = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2, signal.SIGCHLD, signal.SIGPIPE)
_set_locale = locale._setlocale  # type: ignore[attr-defined]  # the wrapper costs twice as much
_ALL_CATEGORIES = locale.LC_ALL


class Isolation:
    """The state of the process when this is made. `close_connections` drops every connection of
    the process without a word to its server: one may have got the number of a standard stream."""

    def __init__(self, close_connections: Callable[[], None]) -> None:
        self._close_connections = close_connections
        self.is_damaged = False
        """Whether the process must end: what a job has closed cannot be opened again."""
        self.context = _context_of_jobs()
        """Each job runs in a copy of it: what the job sets there ends with it."""
        self._handlers: list[tuple[signal.Signals, Any]] = [
            (number, handler_of(number)) for number in _WATCHED
        ]
        self._blocked = set_mask(signal.SIG_BLOCK, ())
        self._umask = os.umask(0o22)
        os.umask(self._umask)
        self._directory = _out_of_reach(os.open(".", os.O_RDONLY | os.O_DIRECTORY))
        self._descriptors = [_out_of_reach(os.dup(fd)) for fd in STANDARD]
        self._stdout = _TextStream(sys.stdout or open(os.devnull, "w"), 1)  # noqa: SIM115 (stays open)
        self._stderr = _TextStream(sys.stderr or open(os.devnull, "w"), 2)  # noqa: SIM115 (stays open)
        sys.stdout, sys.stderr = self._stdout.stream, self._stderr.stream
        self._locale = _set_locale(_ALL_CATEGORIES, None)
        self._socket_timeout = _socket_timeout()

    def restore(self) -> list[str]:
        """Restore what has changed; return what that was, in words."""
        changed = []
        if not _standard_descriptors_untouched():
            self._close_connections()
            for fd, kept in zip(STANDARD, self._descriptors, strict=True):
                os.dup2(kept, fd)
            changed.append("standard streams")
        try:
            is_open = not (sys.stdout.closed or sys.stderr.closed)
        except (AttributeError, ValueError):
            # Not a file, or detached from its buffer.
            is_open = False
        if (
            not is_open
            or sys.stdout is not self._stdout.stream
            or sys.stderr is not self._stderr.stream
        ):
            sys.stdout, sys.stderr = self._stdout.reopened(), self._stderr.reopened()
            changed.append("sys.stdout or sys.stderr")
        for number, handler in self._handlers:
            if handler_of(number) is not handler:
                signal.signal(number, handler)
                changed.append(f"handler of {number.name}")
        if set_mask(_BLOCK, ()) != self._blocked:
            signal.pthread_sigmask(signal.SIG_SETMASK, self._blocked)
            changed.append("blocked signals")
        if set_timer(_REAL_TIME, 0)[0]:
            changed.append("alarm")
        if os.umask(self._umask) != self._umask:
            changed.append("umask")
        if _set_locale(_ALL_CATEGORIES, None) != self._locale:
            _set_locale(_ALL_CATEGORIES, self._locale)
            changed.append("locale")
        if _socket_timeout() != self._socket_timeout:
            socket.setdefaulttimeout(self._socket_timeout)
            changed.append("default timeout of sockets")
        # The directory is set and not compared: looking where we are costs more.
        try:
            os.fchdir(self._directory)
        except OSError:
            # Even those that are out of reach are closed, so all others are as well, and their
            # numbers may be files of the job by now.
            self._close_connections()
            self.is_damaged = True
            changed.append("file descriptors")
        return changed


class _TextStream:
    """One of `sys.stdout` and `sys.stderr`, and what is needed to open it again."""

    def __init__(self, stream: Any, fd: int) -> None:
        self.stream = stream
        self._fd = fd
        self._is_text = isinstance(stream, io.TextIOWrapper)
        self._encoding = getattr(stream, "encoding", None)
        self._errors = getattr(stream, "errors", None)

    def is_closed(self) -> bool:
        try:
            return bool(self.stream.closed)
        except (AttributeError, ValueError):
            # None where there is none; detached from its buffer.
            return self._is_text

    def reopened(self) -> Any:
        """The stream, open. It stays the same object: handlers of the log hold it."""
        if self._is_text and self.is_closed():
            raw = io.FileIO(self._fd, "w", closefd=False)
            self.stream.__init__(
                io.BufferedWriter(raw), self._encoding, self._errors, line_buffering=True
            )
        return self.stream


def _context_of_jobs() -> contextvars.Context:
    """A copy of this context without a decimal context: a job that asks for one then gets one of
    its own. It is made as Python's documentation says for threads, from `DefaultContext`, so what
    the project has set at import is set there."""
    base = contextvars.copy_context()
    decimal = sys.modules.get("decimal")
    if decimal is None:
        return base
    _keep_as_default(decimal)
    context = contextvars.Context()
    for variable, value in base.items():
        if variable.name != "decimal_context":
            context.run(variable.set, value)
    return context


def _keep_as_default(decimal: Any) -> None:
    ours, default = decimal.getcontext(), decimal.DefaultContext
    for name in ("prec", "rounding", "Emin", "Emax", "capitals", "clamp"):
        setattr(default, name, getattr(ours, name))
    for exception in default.traps:
        default.traps[exception] = ours.traps[exception]


def _standard_descriptors_untouched() -> bool:
    """Open, and not opened by Python code since: that sets close-on-exec, which the streams that a
    process was started with don't have. (A job that redirects them with dup2 has meant to.)"""
    try:
        return not (_flags(0, _GETFD) or _flags(1, _GETFD) or _flags(2, _GETFD))
    except OSError:
        return False


def _out_of_reach(fd: int) -> int:
    """The same file under a number that "close everything below 100" doesn't reach, as far as the
    limit on open files (`ulimit -n`) leaves room for that."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = OUT_OF_REACH
    if limit != resource.RLIM_INFINITY:
        lowest = max(3, min(OUT_OF_REACH, limit - 16))
    high = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, lowest)
    os.close(fd)
    return high
