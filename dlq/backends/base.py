"""The storage interface. Everything about jobs in storage goes through it; nothing here knows a
server.

`BaseBackend` and the classes named as in django-lightweight-queue 4.11 are its contract: a user's
backend written against them, with a zero-argument constructor, keeps working. What a worker needs
beyond it comes in a `Consumer`, which a backend may provide; the one for 4.11 style backends is
`DequeueConsumer`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeAlias

from dlq.errors import UndecodableJob, UnsupportedByBackend
from dlq.job import Job, decode, encode
from dlq.jobs.failure import Failure as Failure
from dlq.jobs.failure import FailureKind as FailureKind
from dlq.jobs.placement import Placement
from dlq.types import Logger, QueueName, Runner, WorkerNumber


class ProgressLogger(NamedTuple):
    """How a long operation tells how far it is, as in 4.11."""

    info: Callable[[str], object]
    progress: Callable[[Iterable[Any]], Iterable[Any]]


NULL_PROGRESS_LOGGER = ProgressLogger(lambda message: None, lambda items: items)


class FailedJob(NamedTuple):
    """A failed job as it is stored. `id` names it within its queue; `failed_at` is Unix time."""

    id: str
    queue: QueueName
    raw: bytes
    failure: Failure
    failed_at: float

    @property
    def job(self) -> Job | None:
        return Delivery.read(self.raw).job


class Delivery(NamedTuple):
    """A job in a worker's hand. `job` is None where the bytes are none, and `problem` says why.
    `crashes` counts the earlier runs of it that took their worker down; `redelivered` tells that it
    was found in the worker's processing list, where another process had left it."""

    raw: bytes
    job: Job | None
    problem: str | None = None
    redelivered: bool = False
    crashes: int = 0

    @classmethod
    def read(cls, raw: bytes, *, redelivered: bool = False) -> Delivery:
        try:
            return cls(raw, decode(raw), redelivered=redelivered)
        except UndecodableJob as problem:
            return cls(raw, None, problem.reason, redelivered=redelivered)


Outcome: TypeAlias = Literal["unknown", "not_started", "started", "timed_out", "stopped"]


class PreviousProcess(NamedTuple):
    """What a supervisor knows of the worker process that had this number before and is gone.

    `outcome`: "not_started", it died with no run begun, which is no crash of a job; "started", it
    died within a run; "timed_out", the supervisor killed it because its job was over its time;
    "stopped", it died because a sigkill_on_stop job was told to; "unknown", nobody saw it.
    `reason` says how it died ("killed by SIGKILL (out of memory?)"); `ran` is in seconds; `raw` is
    what it was running, where that is known; `crashes` is how many processes of this number in a
    row have died running just that.
    """

    outcome: Outcome = "unknown"
    reason: str = ""
    ran: float | None = None
    raw: bytes | None = None
    crashes: int = 0


class Consumer(ABC):
    """One worker's hold on one queue. Lives in the worker's process and is used by one thread.

    take → (acknowledge | fail | give_back) → take … → close. Every method raises
    BackendUnavailable while the server cannot be used (the caller backs off and calls again, with
    the same arguments), and NotOwner where another live process has the worker's number.
    """

    redelivers = True
    """Whether `take` gives out again what a process that died had in hand. Where it doesn't (at
    most once), the worker settles such a job itself, from what its supervisor knows of it."""

    @abstractmethod
    def take(self, timeout: float) -> Delivery | None:
        """The next job, waiting at most about `timeout` seconds for one; 0 doesn't wait. None where
        there is none, or the queue is paused."""

    @abstractmethod
    def acknowledge(self, taken: Delivery) -> None:
        """The job has ended well; it is never handed out again. An implementation may send this
        without waiting for the answer."""

    @abstractmethod
    def fail(self, taken: Delivery, failure: Failure) -> None:
        """The job has ended badly: keep it as a failed job, in one step with letting go of it."""

    @abstractmethod
    def retry(self, taken: Delivery, delay: float, failure: Failure) -> bool:
        """Run the job again `delay` seconds from now, after an attempt that failed. False where
        this backend cannot."""

    @abstractmethod
    def give_back(self, taken: Delivery) -> None:
        """The job was not run, or not to its end, and nobody is to blame: it is next again."""

    def attempts(self, taken: Delivery) -> int:
        """How many failed attempts of this job came before this one (for tasks with retries)."""
        return 0

    def wake(self) -> None:  # noqa: B027 (optional for consumers)
        """Called from a signal handler, while another call may be in progress: make a `take` that
        waits return None soon. Must not raise, block or talk to the server's protocol."""

    @abstractmethod
    def close(self) -> None:
        """Give back what was taken ahead, flush what was not waited for, close the connections.
        Never raises."""


class BaseBackend(ABC):
    """Where jobs are stored. One instance serves one process; after a fork, `reset` is called."""

    keeps_retries = False
    """Whether its consumers can run a job again later (`Consumer.retry`)."""

    def startup(self, queue: QueueName) -> None:  # noqa: B027 (optional for backends)
        """Called once per queue before the workers of a runner start."""

    @abstractmethod
    def enqueue(self, job: Job, queue: QueueName) -> None: ...

    def bulk_enqueue(self, jobs: Collection[Job], queue: QueueName) -> None:
        """Enqueue in the given order."""
        for job in jobs:
            self.enqueue(job, queue)

    def place(
        self, jobs: Sequence[Job], queue: QueueName, placement: Placement, locks: Sequence[str]
    ) -> int:
        """Store jobs in the given order, later or under a lock: all or none of them. `locks` has a
        name for each job where `placement.unique` is given. Return how many were stored: a job
        whose lock is held is not. Raises UnsupportedByBackend."""
        raise UnsupportedByBackend(queue, type(self), placement.is_later)

    @abstractmethod
    def dequeue(self, queue: QueueName, worker_num: WorkerNumber, timeout: int) -> Job | None: ...

    @abstractmethod
    def length(self, queue: QueueName) -> int:
        """How many jobs wait."""

    def processed_job(  # noqa: B027 (optional for backends)
        self, queue: QueueName, worker_num: WorkerNumber, job: Job
    ) -> None:
        """The job that `dequeue` gave has ended."""

    def consumer(
        self,
        queue: QueueName,
        number: WorkerNumber,
        runner: Runner,
        previous: PreviousProcess,
        logger: Logger,
    ) -> Consumer:
        """The worker's side. Connects to nothing before its first `take`."""
        return DequeueConsumer(self, queue, number, logger, previous)

    def reset(self) -> None:  # noqa: B027 (optional for backends)
        """Drop every connection without a word to the server: called in the supervisor before it
        forks and in each child after it."""


class BackendWithDeduplicate(BaseBackend):
    @abstractmethod
    def deduplicate(
        self, queue: QueueName, *, progress_logger: ProgressLogger = NULL_PROGRESS_LOGGER
    ) -> tuple[int, int]:
        """Remove all but the oldest of equal jobs; the length before and after."""


class BackendWithClear(BaseBackend):
    @abstractmethod
    def clear(self, queue: QueueName) -> int | None:
        """Drop all waiting jobs; how many they were, where that is known."""


class BackendWithPause(BaseBackend):
    @abstractmethod
    def pause(self, queue: QueueName, until: datetime) -> None:
        """No job starts after this has returned. `until` is aware."""

    @abstractmethod
    def is_paused(self, queue: QueueName) -> bool: ...


class BackendWithPauseResume(BackendWithPause):
    @abstractmethod
    def resume(self, queue: QueueName) -> None: ...


class BackendWithFailedJobs(BaseBackend):
    """Keeps failed jobs, bounded by FAILED_KEEP per queue."""

    @abstractmethod
    def failed_count(self, queue: QueueName) -> int: ...

    @abstractmethod
    def failed_jobs(self, queue: QueueName) -> Iterator[FailedJob]:
        """Newest first, read in pages."""

    @abstractmethod
    def retry_failed(self, queue: QueueName, ids: Sequence[str]) -> int:
        """Put them back on the queue, each in one atomic step; how many were still there."""

    @abstractmethod
    def discard_failed(self, queue: QueueName, ids: Sequence[str]) -> int: ...

    @abstractmethod
    def queues_with_failed_jobs(self) -> list[QueueName]:
        """Also those that no configuration names any more. Reads the server in bounded steps."""


class OwnerState(NamedTuple):
    """Who holds a worker number."""

    number: WorkerNumber
    nonce: str
    host: str
    pid: int
    alive: bool


class QueueState(NamedTuple):
    """One queue as the server shows it now. Times are Unix times in seconds."""

    queue: QueueName
    waiting: int
    in_hand: int
    failed: int
    delayed: int
    oldest: float | None
    paused_until: float | None
    owners: tuple[OwnerState, ...]


class RunnerState(NamedTuple):
    """A runner's heartbeat. `workers` are those that live; `busy` is how many of them have a job;
    `age` is in seconds."""

    runner: Runner
    age: float
    workers: tuple[str, ...]
    busy: int


class ServerState(NamedTuple):
    """`name` as in "Valkey 9.1.2"; `address` never holds a password; `latency` is in seconds."""

    name: str
    address: str
    latency: float


class Reclaimed(NamedTuple):
    """Jobs of a worker that is gone for good, given back to their queue."""

    queue: QueueName
    number: WorkerNumber
    jobs: int
    owner: str


class BackendWithRunners(BaseBackend):
    """Knows which runners live on its server. Used by the heartbeat process, by status and by
    cron."""

    def wait_at_most(self, seconds: float) -> None:
        """From now on wait no longer for any answer of the server. For the heartbeat process, whose
        next word is due, and for probes; a backend that has nothing to set leaves it at that."""

    @abstractmethod
    def announce(self, runner: Runner, workers: Sequence[str], busy: int) -> None:
        """Renew the runner's heartbeat, which lasts 10 s."""

    @abstractmethod
    def withdraw(self, runner: Runner) -> None:
        """The runner has stopped: its heartbeat and its claims end now."""

    @abstractmethod
    def reclaim(self, queues: Iterable[QueueName], runner: Runner) -> list[Reclaimed]:
        """Give jobs back that lie in lists of numbers whose owner is dead and that no live worker
        holds. Bounded work per call."""

    @abstractmethod
    def give_back_all(self, queue: QueueName, number: WorkerNumber, runner: Runner) -> int:
        """Put the jobs in this worker's list back at the tail, uncounted. Only where `runner`
        owns the number (or nobody does)."""

    @abstractmethod
    def runners(self) -> list[RunnerState]: ...

    @abstractmethod
    def queue_state(self, queue: QueueName) -> QueueState: ...

    @abstractmethod
    def stored_queues(self) -> list[QueueName]:
        """Queues that have anything on the server, read in bounded steps."""

    @abstractmethod
    def server_state(self) -> ServerState: ...

    @abstractmethod
    def enqueue_once(self, job: Job, queue: QueueName, mark: str, keep: float) -> bool:
        """Enqueue, in one atomic step with setting `mark` for `keep` seconds; False where the mark
        was set already."""

    @abstractmethod
    def marks(self, prefix: str) -> Mapping[str, str]:
        """The marks that begin so, with their values."""

    @abstractmethod
    def set_idempotency_key(self, mark: str, value: str, keep: float) -> None:
        """Give `mark` this value for `keep` seconds, whatever it was before."""


class DequeueConsumer(Consumer):
    """Drives a backend that has no more than the interface of 4.11. Failed jobs are logged, since
    there is no place to keep them.

    Such a backend doesn't say whether it hands out a job for the second time. The supervisor does,
    for the job that the last process of this number was running when it died."""

    def __init__(
        self,
        backend: BaseBackend,
        queue: QueueName,
        number: WorkerNumber,
        logger: Logger,
        previous: PreviousProcess | None = None,
    ) -> None:
        self._backend = backend
        self._queue = queue
        self._number = number
        self._logger = logger
        self._predecessor = previous or PreviousProcess()

    def take(self, timeout: float) -> Delivery | None:
        try:
            job = self._backend.dequeue(self._queue, self._number, int(timeout))
        except UndecodableJob as problem:
            return Delivery(problem.raw, None, problem.reason)
        if job is None:
            return None
        raw = encode(job)
        previous, self._predecessor = self._predecessor, PreviousProcess()
        if previous.raw != raw:
            return Delivery(raw, job)
        return Delivery(raw, job, redelivered=True, crashes=previous.crashes)

    def acknowledge(self, taken: Delivery) -> None:
        if taken.job is not None:
            self._backend.processed_job(self._queue, self._number, taken.job)

    def fail(self, taken: Delivery, failure: Failure) -> None:
        self._logger.error(
            "%s: a job failed and its backend keeps no failed jobs: %s",
            self._queue,
            failure.reason,
            extra={"action": "job_dropped", "queue": self._queue},
        )
        self.acknowledge(taken)

    def retry(self, taken: Delivery, delay: float, failure: Failure) -> bool:
        return False

    def give_back(self, taken: Delivery) -> None:
        """With this interface a job that was taken stays where its backend keeps it."""

    def close(self) -> None:
        """There is nothing of its own to close."""
