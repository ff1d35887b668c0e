"""The wait for servers before the first child of a runner is started, with signals handled.

A server may be away for hours. TERM and INT end the wait at once, also in the middle of an attempt
to connect; HUP checks the configuration, which may name another server by now, and becomes it.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from dlq.errors import BackendUnavailable, ExitCode
from dlq.primitives.backoff import for_servers
from dlq.process.posix.signals import STOPS, SignalPipe
from dlq.process.supervisor.exit_status import ExitStatus
from dlq.process.supervisor.reload import Hangup, Reload
from dlq.process.supervisor.supervisor import Ended
from dlq.types import Logger

LOG_EVERY = 10.0
"""Seconds."""


class Interrupted(BaseException):
    """A signal ends the wait. Not an Exception: no library may take it for an error of a server."""

    def __init__(self, ended: Ended) -> None:
        self.ended = ended


class ServerWait:
    """A context. Raises Interrupted."""

    def __init__(self, signals: SignalPipe, reload: Reload, logger: Logger) -> None:
        self._signals = signals
        self._reload = reload
        self._logger = logger
        self._hangup = Hangup()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> ServerWait:
        for number in STOPS:
            self._before[number] = signal.signal(number, _interrupt)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def until_available(self, call: Callable[[], object], what: str) -> None:
        """Call until the server answers."""
        backoff = for_servers()
        logged = -LOG_EVERY
        while True:
            try:
                call()
                return
            except BackendUnavailable as error:
                now = time.monotonic()
                if now - logged >= LOG_EVERY:
                    logged = now
                    self._logger.warning(
                        "%s: %s; waiting for it", what, error, extra={"action": "server_away"}
                    )
                backoff = backoff.failed()
                self._pause(backoff.pause)

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            for number in self._signals.wait(left):
                if number == signal.SIGHUP:
                    self._handle_hangup()
                elif number == signal.SIGCHLD:
                    self._reap()

    def _handle_hangup(self) -> None:
        if self._hangup.is_stop():
            raise Interrupted(Ended(ExitCode.DONE, False))
        try:
            self._reload.check()
        except OSError as error:
            self._log_refusal(f"the check cannot be run: {error}")

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self._reload.pid:
                refusal = self._reload.outcome(ExitStatus(status))
                if refusal is None:
                    raise Interrupted(Ended(ExitCode.DONE, True))
                self._log_refusal(f"the configuration is refused: {refusal}")

    def _log_refusal(self, text: str) -> None:
        self._logger.error("HUP: %s", text, extra={"action": "reload_refused"})


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise Interrupted(Ended(ExitCode.DONE, False))
