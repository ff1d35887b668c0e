"""Values that backends answer with: failed jobs, queues, owners, runners, servers.

Times are Unix times in seconds where nothing else is said.
"""

from __future__ import annotations

from typing import NamedTuple

from dlq.errors import UndecodableJob
from dlq.job import Job, decode
from dlq.jobs.failure import Failure
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


class OwnerState(NamedTuple):
    """The process that owns a worker number."""

    number: WorkerNumber
    nonce: str
    host: str
    pid: int
    alive: bool


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
