"""The renewal of a runner's heartbeat on one server, from a thread of its own.

Invariant: the heartbeat of a living runner is never late by more than a third of its lifetime,
whatever other servers do, and however long anything takes that the heartbeat process does beside:
it reads through servers with millions of keys, and gives back the jobs of dead runners.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable

from dlq.process.server_retry import ServerRetry
from dlq.types import Logger


class Renewal:
    """Calls `renew` every so many seconds, also after an attempt that failed."""

    def __init__(self, renew: Callable[[], None], every: float, logger: Logger) -> None:
        self._renew = renew
        self._every = every
        self._retry = ServerRetry("the heartbeat process", logger)
        self._is_ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dlq heartbeat", daemon=True)
        self.has_succeeded = False
        """Whether the last attempt did."""

    def start(self) -> None:
        self._thread.start()

    def stop(self, limit: float) -> None:
        """Renew no more. Waits for an attempt under way, for at most `limit` seconds."""
        self._is_ended.set()
        self._thread.join(limit)

    def _run(self) -> None:
        # Signals are for the main thread.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while not self._is_ended.is_set():
            began = time.monotonic()
            self.has_succeeded = self._retry.persist(self._attempt, lambda error: True) or False
            self._is_ended.wait(began + self._every - time.monotonic())

    def _attempt(self) -> bool:
        self._renew()
        return True
