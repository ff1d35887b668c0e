"""The storage interface. Everything about jobs in storage goes through it; nothing here knows a
server.

`BaseBackend` and the classes named as in django-lightweight-queue 4.11 are its contract: a user's
backend written against them, with a zero-argument constructor, keeps working. What a worker needs
beyond it is in a `Consumer`, which a backend may provide; the one for 4.11 style backends is
`DequeueConsumer`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from dlq.backends.consumer import Consumer, Delivery, DequeueConsumer, Outcome, PreviousProcess
from dlq.backends.state import (
    FailedJob,
    KillRequest,
    OwnerState,
    PauseNote,
    QueueActivity,
    QueueState,
    Reclaimed,
    RunnerState,
    RunningJob,
    ServerState,
    StoredState,
)
from dlq.errors import UnsupportedByBackend
from dlq.job import Job
from dlq.jobs.failure import Failure, FailureKind
from dlq.jobs.placement import Placement
from dlq.primitives.frozen import FrozenDict
from dlq.types import Logger, QueueName, Runner, WorkerNumber

__all__ = [
    "NULL_PROGRESS_LOGGER",
    "BackendWithClear",
    "BackendWithDeduplicate",
    "BackendWithFailedJobs",
    "BackendWithPause",
    "BackendWithPauseResume",
    "BackendWithRunners",
    "BaseBackend",
    "Consumer",
    "Delivery",
    "DequeueConsumer",
    "FailedJob",
    "Failure",
    "FailureKind",
    "Outcome",
    "OwnerState",
    "PreviousProcess",
    "ProgressLogger",
    "QueueState",
    "Reclaimed",
    "RunnerState",
    "ServerState",
]


class ProgressLogger(NamedTuple):
    """How a long operation reports its progress, as in 4.11."""

    info: Callable[[str], object]
    progress: Callable[[Iterable[Any]], Iterable[Any]]


NULL_PROGRESS_LOGGER = ProgressLogger(lambda message: None, lambda items: items)


class BaseBackend(ABC):
    """Where jobs are stored. One instance serves one process; after a fork, `reset` is called."""

    keeps_retries = False
    """Whether its consumers can run a job again later (`Consumer.retry`)."""

    def startup(self, queue: QueueName) -> None:  # noqa: B027 (optional for backends)
        """Prepare a queue: called once per queue before the workers of a runner start."""

    @abstractmethod
    def enqueue(self, job: Job, queue: QueueName) -> None: ...

    def bulk_enqueue(self, jobs: Collection[Job], queue: QueueName) -> None:
        """Enqueue in the given order."""
        for job in jobs:
            self.enqueue(job, queue)

    def store(
        self, jobs: Sequence[Job], queue: QueueName, placement: Placement, locks: Sequence[str]
    ) -> int:
        """Store jobs in the given order, later or under locks. `locks` has a name for each job
        where `placement.unique` is given. Return how many were stored: a job whose lock is held is
        not. Raises UnsupportedByBackend."""
        raise UnsupportedByBackend(queue, type(self), placement.is_later)

    def unlock(self, queue: QueueName, raw: bytes) -> None:  # noqa: B027 (optional for backends)
        """Release the lock of a unique job: it starts. May be sent without waiting."""

    @abstractmethod
    def dequeue(self, queue: QueueName, worker_num: WorkerNumber, timeout: int) -> Job | None: ...

    @abstractmethod
    def length(self, queue: QueueName) -> int:
        """Return how many jobs wait."""

    def processed_job(  # noqa: B027 (optional for backends)
        self, queue: QueueName, worker_num: WorkerNumber, job: Job
    ) -> None:
        """Record that the job which `dequeue` gave has ended."""

    def consumer(
        self,
        queue: QueueName,
        number: WorkerNumber,
        runner: Runner,
        previous: PreviousProcess,
        logger: Logger,
    ) -> Consumer:
        """Return the worker's side. Connects to nothing before its first `take`."""
        return DequeueConsumer(self, queue, number, logger, previous)

    def reset(self) -> None:  # noqa: B027 (optional for backends)
        """Drop every connection without sending anything on it: called in the supervisor before
        it forks and in each child after it."""


class BackendWithDeduplicate(BaseBackend):
    @abstractmethod
    def deduplicate(
        self, queue: QueueName, *, progress_logger: ProgressLogger = NULL_PROGRESS_LOGGER
    ) -> tuple[int, int]:
        """Remove all but the oldest of equal jobs; return the length before and after."""

    def count_duplicates(
        self, queue: QueueName, *, progress_logger: ProgressLogger = NULL_PROGRESS_LOGGER
    ) -> tuple[int, int]:
        """What `deduplicate` would return, with nothing changed. Raises NotImplementedError where a
        backend cannot look without acting."""
        raise NotImplementedError


class BackendWithClear(BaseBackend):
    @abstractmethod
    def clear(self, queue: QueueName) -> int | None:
        """Drop all waiting jobs; return how many they were, where that is known."""


class BackendWithPause(BaseBackend):
    @abstractmethod
    def pause(self, queue: QueueName, until: datetime) -> None:
        """Pause the queue: no job starts after this has returned. `until` is aware."""

    def note_pause(self, queue: QueueName, until: datetime, note: PauseNote) -> None:
        """Keep who pauses the queue and why until the pause ends, for status. Called before
        `pause`; a backend that keeps no notes ignores it."""

    @abstractmethod
    def is_paused(self, queue: QueueName) -> bool: ...


class BackendWithPauseResume(BackendWithPause):
    @abstractmethod
    def resume(self, queue: QueueName) -> None: ...


class BackendWithFailedJobs(BaseBackend):
    """Keeps failed jobs, bounded by FAILED_KEEP per queue."""

    @abstractmethod
    def failed_count(self, queue: QueueName) -> int: ...

    def failures_dropped(self, queues: Sequence[QueueName]) -> dict[QueueName, int]:
        """How many failed jobs are gone because the queue keeps only so many; a backend that
        doesn't know says nothing."""
        return {}

    @abstractmethod
    def failed_jobs(self, queue: QueueName) -> Iterator[FailedJob]:
        """Yield failed jobs, newest first, read in pages."""

    @abstractmethod
    def retry_failed(self, queue: QueueName, ids: Sequence[str]) -> int:
        """Put failed jobs back on the queue, each in one atomic step; return how many of them were
        still there."""

    @abstractmethod
    def discard_failed(self, queue: QueueName, ids: Sequence[str]) -> int: ...

    @abstractmethod
    def queues_with_failed_jobs(self) -> list[QueueName]:
        """Return the queues that have failed jobs, also those that no configuration names any more.
        Reads the server in bounded steps."""


class BackendWithStoredJobs(BaseBackend):
    """Lets all stored jobs be read, without a change to any."""

    @abstractmethod
    def stored_jobs(self, queue: QueueName) -> Iterator[tuple[StoredState, bytes]]:
        """Yield every job that was stored when the reading began and is not done before it is read,
        in bounded steps. A job that changes its state meanwhile may come twice; one that goes back
        (a retry) may be missed."""

    def peek(self, queue: QueueName, count: int) -> list[bytes]:
        """Return the jobs that workers take next, at most so many, the next one first."""
        return []


class BackendWithRunners(BaseBackend):
    """Knows which runners live on its server. Used by the heartbeat process, by status and by
    cron."""

    def wait_at_most(self, seconds: float) -> None:
        """Wait no longer than this for any answer of the server from now on. The heartbeat process
        calls it, whose next renewal is due, and so do probes; a backend that has no such limit
        ignores it."""

    @abstractmethod
    def renew_heartbeat(
        self,
        runner: Runner,
        workers: Sequence[str],
        busy: int,
        running: Sequence[RunningJob] = (),
        activity: Mapping[str, QueueActivity] = FrozenDict(),
        exits: Mapping[str, str] = FrozenDict(),
        is_supervised: bool = True,
    ) -> Sequence[KillRequest] | None:
        """Renew the runner's heartbeat, which lasts 10 s. The rest is what `RunnerState` has.
        Return the requests to end jobs of the runner since the last time, each once; None where
        the backend knows none."""

    def request_kill(self, runner: Runner, request: KillRequest) -> None:
        """Ask a runner to end a job, which its next heartbeat answers with."""

    @abstractmethod
    def withdraw(self, runner: Runner) -> None:
        """Record that the runner has stopped: its heartbeat and its ownerships end now."""

    @abstractmethod
    def reclaim(self, queues: Iterable[QueueName], runner: Runner) -> list[Reclaimed]:
        """Give jobs back that lie in lists of numbers whose owner is dead and that no live worker
        owns. Bounded work per call."""

    @abstractmethod
    def give_back_all(self, queue: QueueName, number: WorkerNumber, runner: Runner) -> int:
        """Put the jobs in this worker's list back at the tail, uncounted. Only where `runner`
        owns the number (or nothing does)."""

    @abstractmethod
    def runners(self) -> list[RunnerState]: ...

    def publish_plan(self, pool_id: str, document: str) -> None:
        """Keep the plan document of a pool where others can read it, for a minute."""

    def renew_plan(self, pool_id: str) -> bool:
        """Keep the published plan for another minute; False where it is gone."""
        return True

    def published_plan(self, pool_id: str) -> str | None:
        """Return the plan document that a runner of the pool has published."""
        return None

    def has_workers_of_411(self) -> bool:
        """Whether workers of django-lightweight-queue 4.11 are seen on the server."""
        return False

    @abstractmethod
    def queue_state(self, queue: QueueName) -> QueueState: ...

    def queue_states(self, planned: Mapping[QueueName, int]) -> list[QueueState]:
        """Return the states of many queues; `planned` says how many workers each has."""
        return [self.queue_state(queue) for queue in planned]

    def record_cron(self, field: str, value: str) -> None:
        """Store one part of what became of a cron row (`cron.history`)."""

    def cron_records(self) -> dict[str, str]:
        """Return what `record_cron` has stored."""
        return {}

    @abstractmethod
    def stored_queues(self) -> list[QueueName]:
        """Return the queues that have anything on the server, read in bounded steps."""

    @abstractmethod
    def server_state(self) -> ServerState: ...

    @abstractmethod
    def enqueue_once(self, job: Job, queue: QueueName, key: str, keep: float) -> bool:
        """Enqueue, in one atomic step with setting the idempotency key `key` for `keep` seconds;
        False where the key was set already."""

    @abstractmethod
    def idempotency_keys(self, prefix: str) -> Mapping[str, str]:
        """Return the idempotency keys that begin with `prefix`, with their values."""

    def idempotency_key(self, key: str) -> str | None:
        """Return the value of one of them; None where it is not set."""
        return self.idempotency_keys(key).get(key)

    @abstractmethod
    def set_idempotency_key(self, key: str, value: str, keep: float) -> None:
        """Give `key` this value for `keep` seconds, whatever it was before."""
