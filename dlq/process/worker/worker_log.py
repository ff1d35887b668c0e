"""The records that a worker logs. Each carries `action`, a word for machines."""

from __future__ import annotations

from dlq.backends.base import Delivery
from dlq.job import job_name
from dlq.jobs.failure import Failure
from dlq.jobs.task import Task
from dlq.primitives.text import printable
from dlq.types import Logger, QueueName


class WorkerLog:
    """`name` is the worker's, `emails/2`."""

    def __init__(self, name: str, queue: QueueName, logger: Logger) -> None:
        self._name = name
        self._queue = queue
        self._logger = logger

    def exits(self, reason: str, jobs: int) -> None:
        self._logger.info(
            "%s exits: %s",
            self._name,
            reason,
            extra={"action": "worker_leaves", "queue": self._queue, "jobs": jobs},
        )

    def retried(self, task: Task, failure: Failure, retry: int, delay: float) -> None:
        self._logger.warning(
            "%s: %s failed (%s) and is run again in %g s, retry %d of %d",
            self._name,
            task.path,
            failure.reason,
            delay,
            retry,
            task.retries,
            extra={"action": "job_retried", "queue": self._queue},
        )

    def restored(self, changed: str) -> None:
        self._logger.warning(
            "%s: a job changed the %s of its process; restored",
            self._name,
            changed,
            extra={"action": "surroundings_restored", "changed": changed},
        )

    def unreported(self, delivery: Delivery) -> None:
        self._logger.error(
            "%s: the server does not know the outcome of a job of %s; it may be run again",
            self._name,
            printable(job_name(delivery.job)) if delivery.job else "no known task",
            extra={"action": "job_unsettled", "queue": self._queue},
        )

    def failed(self, delivery: Delivery, failure: Failure, level: int) -> None:
        self._logger.log(
            level,
            "%s: %s is a failed job: %s",
            self._name,
            printable(job_name(delivery.job)) if delivery.job else "what was on the queue",
            failure.reason,
            extra={"action": "job_failed", "queue": self._queue, "kind": failure.kind},
        )

    def untidy(self) -> None:
        """Log the exception that is being handled."""
        self._logger.exception(
            "%s: tidying up after a job failed", self._name, extra={"action": "tidy_failed"}
        )
