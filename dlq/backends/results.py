"""The interface of backends that keep results: what became of a call of a task.

A record is a flat mapping of texts; the room for Django's tasks framework knows its fields.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

from dlq.backends.base import BaseBackend
from dlq.job import Job
from dlq.jobs.placement import Placement
from dlq.types import QueueName


class BackendWithResults(BaseBackend):
    """Keeps records by id, each for `keep` seconds after its last change."""

    @abstractmethod
    def store_with_result(
        self,
        job: Job,
        queue: QueueName,
        placement: Placement,
        lock: str,
        id: str,
        record: Mapping[str, str],
        keep: float,
    ) -> str | None:
        """Store a job and its record in one step. None, or the id of the equal unique job that
        waits instead (empty where that has no result)."""

    @abstractmethod
    def read_result(self, id: str) -> dict[str, str] | None: ...

    @abstractmethod
    def note_started(self, id: str, moment: float, worker: str, keep: float) -> None:
        """Note the start of an attempt. May be sent without waiting. Unix time."""

    @abstractmethod
    def note_ended(
        self, id: str, status: str, moment: float | None, value: str, error: str, keep: float
    ) -> None:
        """Note the end of an attempt, with `moment` where it was the last one. `value` and `error`
        are JSON, or empty. May be sent without waiting."""
