"""The worker's side of a backend: `Consumer`, the values that go with it, and the one for backends
that have no more than the interface of django-lightweight-queue 4.11.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal, NamedTuple, Protocol, TypeAlias

from dlq.errors import UndecodableJob
from dlq.job import Job, decode, encode
from dlq.jobs.failure import Failure
from dlq.types import Logger, QueueName, WorkerNumber


class Delivery(NamedTuple):
    """A job that a worker was given. `job` is None where the bytes are not a job, and `problem`
    says why. `crashes` counts the earlier runs of it that took their worker down; `redelivered`
    says that it was found in the worker's processing list, where another process had left it."""

    raw: bytes
    job: Job | None
    problem: str | None = None
    redelivered: bool = False
    crashes: int = 0

    @classmethod
    def read(cls, raw: bytes, *, redelivered: bool = False) -> Delivery:
        try:
            return cls(raw, decode(raw), redelivered=redelivered)
        except UndecodableJob as error:
            return cls(raw, None, error.reason, redelivered=redelivered)


Outcome: TypeAlias = Literal["unknown", "not_started", "started", "timed_out", "stopped"]


class PreviousProcess(NamedTuple):
    """What a supervisor knows of the worker process that had this number before and is gone.

    `outcome`: "not_started", it died before its job had begun, which is no crash of a job;
    "started", it died during a run; "timed_out", the supervisor killed it because its job was over
    its time; "stopped", it was killed because a sigkill_on_stop job was to stop; "unknown",
    nothing saw it die. `reason` says how it died ("killed by SIGKILL (out of memory?)"); `ran` is
    in seconds; `raw` is what it was running, where that is known; `crashes` is how many processes
    of this number in a row have died while they ran just that.
    """

    outcome: Outcome = "unknown"
    reason: str = ""
    ran: float | None = None
    raw: bytes | None = None
    crashes: int = 0


class Consumer(ABC):
    """One worker's access to one queue. Lives in the worker's process and is used by one thread.

    take → (acknowledge | fail | retry | give_back) → take … → close. Every method raises
    BackendUnavailable while the server cannot be used (the caller backs off and calls again, with
    the same arguments), and NotOwner where another live process has the worker's number.
    """

    redelivers = True
    """Whether `take` returns again what a process that died had in hand. Where it doesn't (at most
    once), the worker ends such a job itself, from what its supervisor knows of it."""

    @abstractmethod
    def take(self, timeout: float) -> Delivery | None:
        """Return the next job, waiting at most about `timeout` seconds for one; 0 doesn't wait.
        None where there is none, or the queue is paused."""

    @abstractmethod
    def acknowledge(self, delivery: Delivery) -> None:
        """Record that the job has ended well; it is never delivered again. An implementation may
        send this without waiting for the answer."""

    @abstractmethod
    def fail(self, delivery: Delivery, failure: Failure) -> None:
        """Record that the job has ended badly: keep it as a failed job, in one step with its
        removal from the jobs in hand."""

    @abstractmethod
    def retry(self, delivery: Delivery, delay: float, failure: Failure) -> bool:
        """Run the job again `delay` seconds from now, after an attempt that failed. False where
        this backend cannot."""

    @abstractmethod
    def give_back(self, delivery: Delivery) -> None:
        """Put the job back as the next one: it was not run, or not to its end, and not because of
        an error of its own."""

    def attempts(self, delivery: Delivery) -> int:
        """Return how many failed attempts of this job came before this one."""
        return 0

    def wake(self) -> None:  # noqa: B027 (optional for consumers)
        """Make a `take` that waits return None soon. Called from a signal handler, while another
        call may be in progress: must not raise, block or send anything on the connection."""

    @abstractmethod
    def close(self) -> None:
        """Give back what was prefetched, flush what was not waited for, close the connections.
        Never raises."""


class BackendOf411(Protocol):
    """What django-lightweight-queue 4.11 asks a backend for a worker."""

    def dequeue(self, queue: QueueName, worker_num: WorkerNumber, timeout: int) -> Job | None: ...

    def processed_job(self, queue: QueueName, worker_num: WorkerNumber, job: Job) -> None: ...


class DequeueConsumer(Consumer):
    """Drives a backend that has no more than the interface of 4.11. Failed jobs are logged, since
    such a backend doesn't keep them.

    Such a backend doesn't say whether it delivers a job for the second time. The supervisor does,
    for the job that the last process of this number was running when it died."""

    def __init__(
        self,
        backend: BackendOf411,
        queue: QueueName,
        number: WorkerNumber,
        logger: Logger,
        previous: PreviousProcess | None = None,
    ) -> None:
        self._backend = backend
        self._queue = queue
        self._number = number
        self._logger = logger
        self._previous = previous or PreviousProcess()

    def take(self, timeout: float) -> Delivery | None:
        try:
            job = self._backend.dequeue(self._queue, self._number, int(timeout))
        except UndecodableJob as error:
            return Delivery(error.raw, None, error.reason)
        if job is None:
            return None
        raw = encode(job)
        previous, self._previous = self._previous, PreviousProcess()
        if previous.raw != raw:
            return Delivery(raw, job)
        return Delivery(raw, job, redelivered=True, crashes=previous.crashes)

    def acknowledge(self, delivery: Delivery) -> None:
        if delivery.job is not None:
            self._backend.processed_job(self._queue, self._number, delivery.job)

    def fail(self, delivery: Delivery, failure: Failure) -> None:
        self._logger.error(
            "%s: a job failed and its backend keeps no failed jobs: %s",
            self._queue,
            failure.reason,
            extra={"action": "job_dropped", "queue": self._queue},
        )
        self.acknowledge(delivery)

    def retry(self, delivery: Delivery, delay: float, failure: Failure) -> bool:
        return False

    def give_back(self, delivery: Delivery) -> None:
        """Do nothing: with this interface a job that was taken stays where its backend keeps it."""

    def close(self) -> None:
        """Do nothing: it has no connection of its own."""
