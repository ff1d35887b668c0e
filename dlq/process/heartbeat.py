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
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial
from typing import NamedTuple

from dlq.backends.base import BackendWithRunners, QueueState
from dlq.backends.eviction import eviction_findings
from dlq.backends.state import KillRequest, QueueActivity, RunningJob
from dlq.diagnostics.rules import processes as running
from dlq.primitives.text import printable
from dlq.process.activity import ActivityLog
from dlq.process.posix.fork import STOP_SIGNAL, is_alive, kill_group
from dlq.process.promotion import Promotion
from dlq.process.renewal import Renewal
from dlq.process.scoreboard import GONE, Scoreboard, State
from dlq.process.server_retry import ServerRetry
from dlq.process.worker.worker import WorkerSpec
from dlq.runtime import Runtime
from dlq.types import Logger, QueueName, Runner

SAME_RUN = 0.5
"""Seconds by which two reports of a run's start may differ: the wall clock is corrected."""
BEAT_EVERY = 2.0
"""Seconds. A runner counts as dead 10 s after its last heartbeat."""
ANSWER_LIMIT = 3.0
"""Seconds for each answer of a server. A connection that a network has forgotten must be noticed,
and a new one made, before the last heartbeat expires; the setting's 30 s are too long."""
RECLAIM_EVERY = 10.0
"""Seconds. A runner counts as gone 10 s after its last heartbeat; one pass notes that and the next
one acts. So its jobs are back on their queue within 30 s; the promise is a minute."""
MOST_RECLAIM_EVERY = 20.0
"""Seconds, where a pass takes long: it is to be a small part of the time."""
STRANDED_LIMIT = 20
"""Queues that are reported by name."""
RUNNING_LIMIT = 50
"""Running jobs that a heartbeat names, at most: it is sent every two seconds."""
WITHDRAW = b"withdraw\n"
"""From the supervisor: all workers have exited, so withdraw the runner and exit."""


class _Observation(NamedTuple):
    """What a heartbeat says. Replaced as a whole, since other threads read it."""

    alive: list[str]
    busy: int
    running: list[RunningJob]
    activity: Mapping[str, QueueActivity]
    exits: Mapping[str, str]


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
        self._care_retry = ServerRetry("the heartbeat process", logger)
        self._has_supervisor = True
        self._is_ending = threading.Event()
        self._promotion = Promotion(workers, scoreboard, runtime)
        self._plan_document = plan_document
        self._has_published = False
        self._queues: dict[BackendWithRunners, list[QueueName]] = {}
        for queue in sorted({worker.queue for worker in workers}):
            backend = runtime.backend(queue)
            if isinstance(backend, BackendWithRunners):
                self._queues.setdefault(backend, []).append(queue)
        self._renewals = [
            Renewal(partial(self._renew, backend), BEAT_EVERY, logger) for backend in self._queues
        ]

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, STOP_SIGNAL):
            signal.signal(number, signal.SIG_IGN)
        for backend in self._queues:
            backend.wait_at_most(ANSWER_LIMIT)
        self._observe()
        for renewal in self._renewals:
            renewal.start()
        threading.Thread(target=self._care, name="dlq reclaim", daemon=True).start()
        observe_at = pause = 0.0
        while (message := self._listen(pause)) is None:
            if time.monotonic() >= observe_at:
                observe_at = time.monotonic() + BEAT_EVERY
                self._observe()
            pause = observe_at - time.monotonic()
            if self._is_renewed():
                pause = min(pause, self._promotion.step(self._persist))
        self._is_ending.set()
        if message != WITHDRAW:
            self._outlive_the_supervisor()
        for renewal in self._renewals:
            # Or the heartbeat would come back after it was withdrawn.
            renewal.stop(ANSWER_LIMIT)
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
        observe_at = 0.0
        while self._kill_overdue_orphans():
            if time.monotonic() >= observe_at:
                observe_at = time.monotonic() + BEAT_EVERY
                self._observe()
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

    def _is_renewed(self) -> bool:
        """Whether each server has accepted the last heartbeat. One that rejects it may still answer
        what only reads, and each such answer would be logged as the end of the outage."""
        return all(renewal.has_succeeded for renewal in self._renewals)

    def _care(self) -> None:
        """Look after what others have left, from a thread of its own: on a large server that takes
        long. The first time also report what is wrong with the server."""
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        has_reported = False
        pause = BEAT_EVERY
        while not self._is_ending.wait(pause):
            pause = BEAT_EVERY
            if not self._is_renewed():
                continue
            began = time.monotonic()
            has_reported = has_reported or self._attempt(self._report)
            self._attempt(self._publish_plan)
            self._attempt(self._reclaim)
            pause = max(RECLAIM_EVERY, min(MOST_RECLAIM_EVERY, 5 * (time.monotonic() - began)))

    def _attempt(self, call: Callable[[], None]) -> bool:
        """Make one attempt in the thread that cares; whether it succeeded."""

        def attempt() -> bool:
            try:
                call()
            except Exception:
                # The connections are closed under it when the process ends.
                if not self._is_ending.is_set():
                    raise
            return True

        return self._care_retry.persist(attempt, lambda error: True) or False

    def _observe(self) -> None:
        """Look at the scoreboard, for the next heartbeats."""
        busy = sum(self._scoreboard.state(slot) is State.RUNNING for slot in self._slots)
        slots = zip(self._workers, self._slots, strict=True)
        alive = [name for name, slot in slots if self._is_alive(slot)]
        self._activity.note(time.monotonic(), self._counts())
        activity = self._activity.activity()
        exits = {
            name: entry.reason
            for name, slot in zip(self._workers, self._slots, strict=True)
            if (entry := self._scoreboard.read(slot)).reason
        }
        self._observed = _Observation(alive, busy, self._running(), activity, exits)

    def _renew(self, backend: BackendWithRunners) -> None:
        seen = self._observed
        queues = self._queues[backend]
        activity = {str(queue): seen.activity[queue] for queue in queues if queue in seen.activity}
        requests = backend.renew_heartbeat(
            *(self._runner, seen.alive, seen.busy, seen.running, activity),
            *(seen.exits, self._has_supervisor),
        )
        for request in requests or ():
            self._end_run(request)

    def _end_run(self, request: KillRequest) -> None:
        """Let the supervisor end a run that somebody wants ended, and no other: the process stands
        still while its slot is looked at and changed."""
        for worker in self._specs:
            if worker.name != request.worker:
                continue
            entry = self._scoreboard.read(worker.slot)
            if entry.pid != request.pid or not entry.is_running:
                continue
            with suppress(ProcessLookupError):
                os.kill(entry.pid, signal.SIGSTOP)
                entry = self._scoreboard.read(worker.slot)
                since = time.time() - (time.monotonic() - entry.started)
                if entry.is_running and abs(since - request.since) < SAME_RUN:
                    self._scoreboard.slot(worker.slot).end_now()
                    self._logger.warning(
                        "%s is ended by request: %s",
                        worker.name,
                        entry.path,
                        extra={"action": "kill_requested", "worker": worker.name},
                    )
                os.kill(entry.pid, signal.SIGCONT)

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

    def _report(self) -> None:
        """Report servers that may drop jobs, and queues that have jobs and no worker."""
        for backend in self._queues:
            for finding in eviction_findings(backend.server_state()):
                self._logger.warning(
                    "warning[%s]: %s: %s",
                    finding.id,
                    finding.message,
                    finding.help,
                    extra={"action": "server_finding", "finding": finding.id},
                )
            unplanned = [name for name in backend.stored_queues() if name not in self._planned]
            states = backend.queue_states(dict.fromkeys(unplanned, 0))
            self._report_stranded([state for state in states if _is_stranded(state)])

    def _report_stranded(self, states: Sequence[QueueState]) -> None:
        for state in states[:STRANDED_LIMIT]:
            self._logger.warning(
                "warning[%s]: %s",
                running.W403.id,
                f"queue {printable(state.queue)!r}: {state.waiting} waiting, {state.in_hand} in"
                " hand, no worker",
                extra={"action": "stranded_queue", "queue": state.queue, "waiting": state.waiting},
            )
        if (more := len(states) - STRANDED_LIMIT) > 0:
            self._logger.warning(
                "warning[%s]: %d more queues have jobs and no worker: dlq status",
                running.W403.id,
                more,
                extra={"action": "stranded_queues", "queues": more},
            )


def _is_stranded(state: QueueState) -> bool:
    has_jobs = bool(state.waiting or state.in_hand)
    return has_jobs and not any(owner.alive for owner in state.owners)
