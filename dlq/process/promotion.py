"""Delayed jobs whose time has come, for workers that wait: a step of the heartbeat process.

A worker that takes a job looks for delayed jobs that are due. One that waits already cannot hear of
a job that another process put off, so the heartbeat process wakes it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from dlq.backends.delayed import BackendWithDelayedJobs
from dlq.process.scoreboard import Scoreboard, State
from dlq.process.worker.worker import WorkerSpec
from dlq.runtime import Runtime
from dlq.types import QueueName

LOOK_EVERY = 2.0
"""Seconds. How late a job may be at worst, where its delay was shorter than that."""


class Promotion:
    """Promotes for all queues of a runner. Asks a backend every LOOK_EVERY, and when the next job
    is due."""

    def __init__(
        self, workers: Sequence[WorkerSpec], scoreboard: Scoreboard, runtime: Runtime
    ) -> None:
        self._scoreboard = scoreboard
        self._slots: dict[BackendWithDelayedJobs, dict[QueueName, list[int]]] = {}
        self._look_at = 0.0
        for worker in workers:
            backend = runtime.backend(worker.queue)
            if isinstance(backend, BackendWithDelayedJobs):
                queues = self._slots.setdefault(backend, {})
                queues.setdefault(worker.queue, []).append(worker.slot)

    def step(self, persist: Callable[[Callable[[], None]], bool]) -> float:
        """Promote what is due. `persist` makes one attempt of a call to a server. Return the
        seconds until the next step."""
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + LOOK_EVERY
            persist(self._promote)
        return max(0.0, self._look_at - time.monotonic())

    def _promote(self) -> None:
        for backend, queues in self._slots.items():
            waiting = {queue: self._waiting(slots) for queue, slots in queues.items()}
            due_in = backend.promote(waiting)
            if due_in is not None:
                self._look_at = min(self._look_at, time.monotonic() + due_in)

    def _waiting(self, slots: Sequence[int]) -> int:
        return sum(self._scoreboard.state(slot) is State.WAITING for slot in slots)
