"""Values that backends answer with: failed jobs, queues, owners, runners, servers.

Times are Unix times in seconds where nothing else is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from dlq.errors import UndecodableJob
from dlq.job import Job, decode
from dlq.jobs.failure import Failure
from dlq.primitives.frozen import FrozenDict
from dlq.types import QueueName, Runner, WorkerNumber


class FailedJob(NamedTuple):
    """A failed job as it is stored. `id` names it within its queue."""

    id: str
    queue: QueueName
    raw: bytes
    failure: Failure
    failed_at: float

    @property
    def job(self) -> Job | None:
        """None where the bytes are not a job."""
        try:
            return decode(self.raw)
        except UndecodableJob:
            return None


StoredState: TypeAlias = Literal["waiting", "delayed", "running", "failed"]
"""Where a stored job is. Prefetched jobs count as running."""


class OwnerState(NamedTuple):
    """The process that owns a worker number."""

    number: WorkerNumber
    nonce: str
    host: str
    pid: int
    alive: bool


class PauseNote(NamedTuple):
    """Who paused a queue, and why; empty where nobody said so."""

    by: str = ""
    reason: str = ""


NO_NOTE = PauseNote()


class QueueState(NamedTuple):
    """One queue as the server shows it now."""

    queue: QueueName
    waiting: int
    in_hand: int
    failed: int
    delayed: int
    oldest: float | None
    paused_until: float | None
    owners: tuple[OwnerState, ...]
    pause_note: PauseNote = NO_NOTE


class RunningJob(NamedTuple):
    """A job that a worker runs. `timeout` is in seconds, or None."""

    worker: str
    task: str
    pid: int
    since: float
    timeout: float | None


class KillRequest(NamedTuple):
    """Somebody wants the job ended that this process of a worker has run `since` then."""

    worker: str
    pid: int
    since: float


class QueueActivity(NamedTuple):
    """What the workers of one runner have done for a queue: jobs that ended well and badly in the
    last minute and in the last five, and the runs of each five minutes of the last hour, the newest
    last."""

    finished_1: int = 0
    failed_1: int = 0
    finished_5: int = 0
    failed_5: int = 0
    hour: tuple[int, ...] = ()


class RunnerState(NamedTuple):
    """A runner's heartbeat. `workers` are those that live; `busy` is how many of them have a job;
    `age` is in seconds. `running` has the jobs that have run longest, `activity` is by queue.
    `exits` says of each worker that cannot be started at once how its last process ended.
    `is_supervised` is False where the supervisor is gone and workers finish their jobs."""

    runner: Runner
    age: float
    workers: tuple[str, ...]
    busy: int
    running: tuple[RunningJob, ...] = ()
    activity: Mapping[str, QueueActivity] = FrozenDict()
    exits: Mapping[str, str] = FrozenDict()
    is_supervised: bool = True


class ServerState(NamedTuple):
    """`name` as in "Valkey 9.1.2"; `address` never holds a password; `latency` is in seconds.
    `eviction` is its maxmemory-policy, empty where it doesn't say."""

    name: str
    address: str
    latency: float
    eviction: str = ""


class Reclaimed(NamedTuple):
    """Jobs of a worker that is gone for good, given back to their queue."""

    queue: QueueName
    number: WorkerNumber
    jobs: int
    owner: str
