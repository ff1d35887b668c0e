"""Calls to a server that may be away, made until it answers.

One log line when the trouble begins, at most one per ten seconds while it lasts, and one when it is
over: a fleet of workers must not fill a disk with what one line says.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from dlq.errors import BackendUnavailable, NotOwner
from dlq.execution.describe import describe
from dlq.primitives.backoff import for_servers, jittered
from dlq.types import Logger

T = TypeVar("T")

LOG_EVERY = 10.0
OWNER_EVERY = 60.0
"""Seconds between two lines that name the owner of the number: it may be busy for days."""
OWNER_PAUSE = 1.0
"""Seconds between two attempts to get a number that another process has."""
SLICE = 0.1
"""Seconds. `time.sleep` goes on after a signal's handler has run, so a pause is slept in pieces."""


class ServerRetry:
    def __init__(self, name: str, logger: Logger) -> None:
        self._name = name
        self._logger = logger
        self._backoff = for_servers()
        self._since: float | None = None
        self._logged = 0.0

    @property
    def is_failing(self) -> bool:
        """Is true after a failed call until the next one that succeeds."""
        return self._since is not None

    def persist(self, call: Callable[[], T], gives_up: Callable[[Exception], bool]) -> T | None:
        """The answer of `call`. None where `gives_up`, asked after each failure and during each
        pause, says so first.

        Whatever else a backend raises counts as trouble with its server, too: backends of users
        raise what their client library raises.
        """
        while True:
            try:
                answer = call()
            except Exception as error:
                self._log_failure(error)
                if gives_up(error):
                    return None
                self._pause(error, gives_up)
            else:
                if self._since is not None:
                    self._log_recovery()
                return answer

    def _log_failure(self, error: Exception) -> None:
        now = time.monotonic()
        is_first = self._since is None
        if self._since is None:
            self._since = now
        every = OWNER_EVERY if isinstance(error, NotOwner) else LOG_EVERY
        if not is_first and now - self._logged < every:
            return
        self._logged = now
        if isinstance(error, NotOwner):
            self._logger.warning(
                "%s waits: its number belongs to %s",
                self._name,
                error.owner,
                extra={"action": "number_taken", "owner": error.owner},
            )
            return
        expected = isinstance(error, BackendUnavailable)
        self._logger.warning(
            "%s: %s; trying again%s",
            self._name,
            error if expected else describe(error),
            "" if is_first else f", for {now - self._since:.0f} s now",
            exc_info=None if expected or not is_first else error,
            extra={"action": "server_away"},
        )

    def _log_recovery(self) -> None:
        assert self._since is not None
        # Also a warning: where only those are seen, the end must be seen of what began as one.
        self._logger.warning(
            "%s resumed after %.1f s",
            self._name,
            time.monotonic() - self._since,
            extra={"action": "resumed"},
        )
        self._since = None
        self._backoff = self._backoff.worked()

    def _pause(self, error: Exception, gives_up: Callable[[Exception], bool]) -> None:
        if isinstance(error, NotOwner):
            pause = OWNER_PAUSE
        else:
            self._backoff = self._backoff.failed()
            pause = jittered(self._backoff.pause, random.random())
        end = time.monotonic() + pause
        while (left := end - time.monotonic()) > 0 and not gives_up(error):
            time.sleep(min(left, SLICE))
