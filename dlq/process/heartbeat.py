"""The heartbeat process: reports to the server that this runner lives, and reclaims the jobs of
runners that are gone.

It is a child of its own, because the supervisor must not wait for a server, and because it outlives
the supervisor where it must: while a worker of a dead supervisor finishes its job, the worker's
number must not be given to another process.

It ignores stop signals (a signal to the whole group must not end it before the workers). It reads
the pipe from its supervisor instead: the message WITHDRAW, or the end of the pipe.
"""

from __future__ import annotations

import math
import os
import select
import signal
import time
from collections.abc import Callable, Collection, Sequence
from functools import cached_property

from dlq.backends.base import BackendWithRunners, QueueState
from dlq.backends.state import RunningJob
from dlq.diagnostics.rules import processes as running
from dlq.primitives.text import printable
from dlq.process.activity import ActivityLog
from dlq.process.posix.fork import STOP_SIGNAL, is_alive, kill_group
from dlq.process.promotion import Promotion
from dlq.process.scoreboard import GONE, Scoreboard, State
from dlq.process.server_retry import ServerRetry
from dlq.process.worker.worker import WorkerSpec
from dlq.runtime import Runtime
from dlq.types import Logger, QueueName, Runner

BEAT_EVERY = 2.0
"""Seconds. A runner counts as dead 10 s after its last heartbeat."""
ANSWER_LIMIT = 3.0
"""Seconds for each answer of a server. A connection that a network has forgotten must be noticed,
and a new one made, before the last heartbeat expires; the setting's 30 s are too long."""
RECLAIM_EVERY = 10.0
"""Seconds. A runner counts as gone 10 s after its last heartbeat; one pass notes that and the next
one acts. So its jobs are back on their queue within 30 s; the promise is a minute."""
RUNNING_LIMIT = 50
"""Running jobs that a heartbeat names, at most: it is sent every two seconds."""
WITHDRAW = b"withdraw\n"
"""From the supervisor: all workers have exited, so withdraw the runner and exit."""


class Heartbeat:
    def __init__(
        self,
        workers: Sequence[WorkerSpec],
        planned: Collection[QueueName],
        reader: int,
        scoreboard: Scoreboard,
        runner: Runner,
        runtime: Runtime,
        logger: Logger,
        plan_document: Callable[[], str] | None = None,
        *,
        show_life: Callable[[], None],
    ) -> None:
        """`planned`: the queues that have workers anywhere in the pool. `plan_document` makes the
        document that is published; it is called once, since it costs as much as `dlq plan`.
        `show_life` is called between any two calls of a server: the supervisor replaces a heartbeat
        process that hangs."""
        self._show_life = show_life
        self._specs = tuple(workers)
        self._activity = ActivityLog()
        self._workers = [worker.name for worker in workers]
        self._slots = [worker.slot for worker in workers]
        self._planned = planned
        self._reader = reader
        self._scoreboard = scoreboard
        self._runner = runner
        self._runtime = runtime
        self._logger = logger
        self._server_retry = ServerRetry("the heartbeat process", logger)
        self._has_supervisor = True
        self._promotion = Promotion(workers, scoreboard, runtime)
        self._plan_document = plan_document
        self._has_published = False
        self._queues: dict[BackendWithRunners, list[QueueName]] = {}
        for queue in sorted({worker.queue for worker in workers}):
            backend = runtime.backend(queue)
            if isinstance(backend, BackendWithRunners):
                self._queues.setdefault(backend, []).append(queue)

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, STOP_SIGNAL):
            signal.signal(number, signal.SIG_IGN)
        for backend in self._queues:
            backend.wait_at_most(ANSWER_LIMIT)
        reported = False
        beat_at = 0.0
        reclaim_at = time.monotonic() + BEAT_EVERY
        pause = 0.0
        while (message := self._listen(pause)) is None:
            if time.monotonic() >= beat_at:
                beat_at = time.monotonic() + BEAT_EVERY
                if not self._persist(self._beat):
                    # A server that rejects the heartbeat may still answer what only reads, and each
                    # such answer would be logged as the end of the outage.
                    pause = BEAT_EVERY
                    continue
                if not reported:
                    reported = self._persist(self._report_stranded)
                if time.monotonic() >= reclaim_at:
                    self._persist(self._publish_plan)
                    self._persist(self._reclaim)
                    reclaim_at = time.monotonic() + RECLAIM_EVERY
            promote_in = self._promotion.step(self._persist)
            pause = max(0.0, min(beat_at - time.monotonic(), promote_in))
        if message != WITHDRAW:
            self._outlive_the_supervisor()
        self._persist(self._withdraw)
        for backend in self._queues:
            backend.reset()
        return 0

    def _listen(self, timeout: float) -> bytes | None:
        """Wait for the supervisor's message; empty where it is gone."""
        self._show_life()
        readable, _, _ = select.select([self._reader], [], [], timeout)
        return os.read(self._reader, 64) if readable else None

    def _outlive_the_supervisor(self) -> None:
        """Wait for the last worker, and enforce the jobs' timeouts in the supervisor's place."""
        self._logger.error(
            "the supervisor is gone; waiting for its workers to finish",
            extra={"action": "master_gone"},
        )
        self._has_supervisor = False
        beat_at = 0.0
        while self._kill_overdue_orphans():
            if time.monotonic() >= beat_at:
                self._persist(self._beat)
                beat_at = time.monotonic() + BEAT_EVERY
            time.sleep(0.2)

    def _kill_overdue_orphans(self) -> bool:
        """Whether any are left."""
        alive = False
        for slot in self._slots:
            entry = self._scoreboard.read(slot)
            if entry.pid <= 0 or entry.has_left or not is_alive(entry.pid):
                continue
            alive = True
            if entry.is_running and entry.deadline < time.monotonic():
                kill_group(entry.pid)
        return alive

    def _persist(self, call: Callable[[], None]) -> bool:
        """Make one attempt; the next turn makes the next one. Whether it succeeded."""

        def attempt() -> bool:
            self._show_life()
            call()
            return True

        return self._server_retry.persist(attempt, lambda error: True) or False

    def _beat(self) -> None:
        busy = sum(self._scoreboard.state(slot) is State.RUNNING for slot in self._slots)
        slots = zip(self._workers, self._slots, strict=True)
        alive = [name for name, slot in slots if self._is_alive(slot)]
        self._activity.note(time.monotonic(), self._counts())
        activity = self._activity.activity()
        running = self._running()
        exits = {
            name: entry.reason
            for name, slot in zip(self._workers, self._slots, strict=True)
            if (entry := self._scoreboard.read(slot)).reason
        }
        for backend, queues in self._queues.items():
            own = {str(queue): activity[queue] for queue in queues if queue in activity}
            backend.renew_heartbeat(
                self._runner, alive, busy, running, own, exits, self._has_supervisor
            )

    def _counts(self) -> dict[str, tuple[int, int]]:
        """Sum the counters of each queue's slots."""
        counts: dict[str, tuple[int, int]] = {}
        for worker in self._specs:
            runs, failures = self._scoreboard.counts(worker.slot)
            before = counts.get(worker.queue, (0, 0))
            counts[worker.queue] = (before[0] + runs, before[1] + failures)
        return counts

    def _running(self) -> list[RunningJob]:
        """Return the jobs that run now, those that have run longest first."""
        wall, now = time.time(), time.monotonic()
        jobs = []
        for worker in self._specs:
            entry = self._scoreboard.read(worker.slot)
            if entry.is_running:
                timeout = entry.deadline - entry.started
                jobs.append(
                    RunningJob(
                        worker.name,
                        entry.path,
                        entry.pid,
                        wall - (now - entry.started),
                        timeout if math.isfinite(timeout) else None,
                    )
                )
        return sorted(jobs, key=lambda job: job.since)[:RUNNING_LIMIT]

    def _is_alive(self, slot: int) -> bool:
        """Whether that slot's worker lives, or will at once: it is being started, or has exited as
        planned and the next one follows. One that died young is missing meanwhile."""
        entry = self._scoreboard.read(slot)
        is_next = entry.pid == 0 or entry.has_left
        return self._has_supervisor if is_next else entry.pid != GONE and is_alive(entry.pid)

    def _publish_plan(self) -> None:
        """Publish the plan once, and again where the server has lost it."""
        document, pool_id = self._document, self._runner.pool_id
        if document is None:
            return
        for backend in self._queues:
            if not (self._has_published and backend.renew_plan(pool_id)):
                backend.publish_plan(pool_id, document)
        self._has_published = True

    @cached_property
    def _document(self) -> str | None:
        return None if self._plan_document is None else self._plan_document()

    def _withdraw(self) -> None:
        for backend in self._queues:
            backend.withdraw(self._runner)

    def _reclaim(self) -> None:
        for backend, queues in self._queues.items():
            for back in backend.reclaim(queues, self._runner):
                self._logger.warning(
                    "%d jobs of %s/%s, whose owner %s is gone, are back on their queue",
                    back.jobs,
                    back.queue,
                    back.number,
                    back.owner,
                    extra={"action": "reclaimed", "queue": back.queue, "jobs": back.jobs},
                )

    def _report_stranded(self) -> None:
        for backend in self._queues:
            for queue in backend.stored_queues():
                if queue not in self._planned:
                    self._report_if_stranded(backend.queue_state(queue))

    def _report_if_stranded(self, state: QueueState) -> None:
        if not (state.waiting or state.in_hand) or any(owner.alive for owner in state.owners):
            return
        self._logger.warning(
            "warning[%s]: %s",
            running.W403.id,
            f"queue {printable(state.queue)!r}: {state.waiting} waiting, {state.in_hand} in hand,"
            " no worker",
            extra={"action": "stranded_queue", "queue": state.queue, "waiting": state.waiting},
        )
