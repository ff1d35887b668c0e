"""The heartbeat process: tells the server that this runner lives, and looks after what others have
left.

A child of its own, because the supervisor must not wait for a server, and because it outlives the
supervisor where it must: while a worker of a dead supervisor finishes its job, the worker's number
must not be given to anybody else.

It heeds no stop signal (a signal to the whole group must not end it before the workers) but the
pipe from its supervisor: a word there, or its end.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Collection, Sequence

from dlq.backends.base import BackendWithRunners, QueueState
from dlq.diagnostics.rules import processes as running
from dlq.primitives.text import printable
from dlq.process.posix import fork as host
from dlq.process.scoreboard import GONE, Scoreboard, State
from dlq.process.server_retry import ServerRetry
from dlq.process.worker.worker import WorkerSpec
from dlq.runtime import Runtime
from dlq.types import Logger, QueueName, Runner

ANNOUNCE_EVERY = 2.0
"""Seconds. A runner is taken for dead 10 s after its last announcement."""
ANSWER_LIMIT = 3.0
"""Seconds for each answer of a server. A connection that a network has forgotten must be noticed,
and a new one made, before the last announcement is too old; the setting's 30 s are too long."""
RECLAIM_EVERY = 10.0
"""Seconds. A runner counts as gone 10 s after its last announcement, one look notes that and the
next one acts: its jobs are back on their queue within 30 s, of the minute that is promised."""
WITHDRAW = b"withdraw\n"
"""From the supervisor: all workers have gone, so say good-bye and leave."""


class Heartbeat:
    def __init__(
        self,
        workers: Sequence[WorkerSpec],
        planned: Collection[QueueName],
        reader: int,
        board: Scoreboard,
        runner: Runner,
        runtime: Runtime,
        logger: Logger,
    ) -> None:
        """`planned`: the queues that have workers anywhere in the pool."""
        self._workers = [worker.name for worker in workers]
        self._slots = [worker.slot for worker in workers]
        self._planned = planned
        self._reader = reader
        self._board = board
        self._runner = runner
        self._runtime = runtime
        self._logger = logger
        self._outages = ServerRetry("the heartbeat process", logger)
        self._has_master = True
        self._queues: dict[BackendWithRunners, list[QueueName]] = {}
        for queue in sorted({worker.queue for worker in workers}):
            backend = runtime.backend(queue)
            if isinstance(backend, BackendWithRunners):
                self._queues.setdefault(backend, []).append(queue)

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, host.STOP_SIGNAL):
            signal.signal(number, signal.SIG_IGN)
        for backend in self._queues:
            backend.wait_at_most(ANSWER_LIMIT)
        reported = False
        reclaim_at = time.monotonic() + ANNOUNCE_EVERY
        pause = 0.0
        while (word := self._listen(pause)) is None:
            pause = ANNOUNCE_EVERY
            if not self._persist(self._announce):
                # Who can't say that it lives can't help others. (What only reads may be answered
                # all the same, and the trouble would be told as over, time after time.)
                continue
            if not reported:
                reported = self._persist(self._report_stranded)
            if time.monotonic() >= reclaim_at:
                self._persist(self._reclaim)
                reclaim_at = time.monotonic() + RECLAIM_EVERY
        if word != WITHDRAW:
            self._outlive_the_supervisor()
        self._persist(self._withdraw)
        for backend in self._queues:
            backend.reset()
        return 0

    def _listen(self, timeout: float) -> bytes | None:
        """What the supervisor says; empty where it is gone."""
        readable, _, _ = select.select([self._reader], [], [], timeout)
        return os.read(self._reader, 64) if readable else None

    def _outlive_the_supervisor(self) -> None:
        """Until the last worker is gone. Nobody else is left to mind the jobs' timeouts."""
        self._logger.error(
            "the supervisor is gone; waiting for its workers to finish",
            extra={"action": "master_gone"},
        )
        self._has_master = False
        announce_at = 0.0
        while self._mind_the_orphans():
            if time.monotonic() >= announce_at:
                self._persist(self._announce)
                announce_at = time.monotonic() + ANNOUNCE_EVERY
            time.sleep(0.2)

    def _mind_the_orphans(self) -> bool:
        """Whether there are any."""
        alive = False
        for slot in self._slots:
            entry = self._board.read(slot)
            if entry.pid <= 0 or entry.has_left or not host.is_alive(entry.pid):
                continue
            alive = True
            if entry.is_running and entry.deadline < time.monotonic():
                host.kill_group(entry.pid)
        return alive

    def _persist(self, call: Callable[[], None]) -> bool:
        """One attempt: the next turn is the next. Whether it succeeded."""

        def attempt() -> bool:
            call()
            return True

        return self._outages.persist(attempt, lambda error: True) or False

    def _announce(self) -> None:
        busy = sum(self._board.state(slot) is State.RUNNING for slot in self._slots)
        slots = zip(self._workers, self._slots, strict=True)
        alive = [name for name, slot in slots if self._is_alive(slot)]
        for backend in self._queues:
            backend.announce(self._runner, alive, busy)

    def _is_alive(self, slot: int) -> bool:
        """The worker in that slot; or it will be at once: it is being started, or has left as it
        was to and is followed by the next. One that has died young is missed meanwhile."""
        entry = self._board.read(slot)
        is_next = entry.pid == 0 or entry.has_left
        return self._has_master if is_next else entry.pid != GONE and host.is_alive(entry.pid)

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
