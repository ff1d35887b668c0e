"""The interface of backends that keep delayed jobs: retries, and calls with a delay.

A delayed job becomes due by itself where workers take jobs. `promote` is for workers that wait: the
heartbeat process of each runner calls it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from dlq.backends.base import BaseBackend, Delivery
from dlq.job import Job
from dlq.types import QueueName


class DelayedJob(NamedTuple):
    """A delayed job as it is stored. `id` names it within its queue; `due` is Unix time."""

    id: str
    queue: QueueName
    raw: bytes
    due: float

    @property
    def job(self) -> Job | None:
        return Delivery.read(self.raw).job


class BackendWithDelayedJobs(BaseBackend):
    """Keeps jobs until they are due. Due jobs come before those that wait, oldest first."""

    @abstractmethod
    def promote(self, waiting: Mapping[QueueName, int]) -> float | None:
        """Wake workers for jobs that are due. `waiting` is how many workers of this runner wait,
        for each of its queues. Return the seconds until the next job is due, None where there is
        none."""

    @abstractmethod
    def delayed_count(self, queue: QueueName) -> int: ...

    @abstractmethod
    def delayed_jobs(self, queue: QueueName) -> Iterator[DelayedJob]:
        """Yield those that are due first first, read in pages."""

    @abstractmethod
    def run_delayed(self, queue: QueueName, jobs: Sequence[DelayedJob]) -> int:
        """Let them be due now. Return how many were still there."""

    @abstractmethod
    def discard_delayed(self, queue: QueueName, jobs: Sequence[DelayedJob]) -> int:
        """Forget them. Return how many were still there."""

    @abstractmethod
    def clear_delayed(self, queue: QueueName) -> int:
        """Forget all delayed jobs of the queue. Return how many there were."""

    @abstractmethod
    def queues_with_delayed_jobs(self) -> list[QueueName]:
        """Return also those that no configuration names any more. Reads the server in bounded
        steps."""
