"""The default middleware: logs when a job starts and how it ends.

A job's arguments may be secret and are not shown; its path is text from the server and is escaped.
"""

from __future__ import annotations

import logging
from typing import Any

from dlq.execution import run_job
from dlq.execution.describe import traceback_text
from dlq.job import Job, job_name
from dlq.primitives.legacy_names import OLD_PACKAGE
from dlq.primitives.text import printable
from dlq.types import QueueName, WorkerNumber

logger = logging.getLogger(f"{OLD_PACKAGE}.middleware.logging")
"""The name that projects which come from 4.11 have in their LOGGING."""


def _escape_traceback(record: logging.LogRecord) -> bool:
    """An exception's text may quote its job's arguments. Handlers that want the exception itself
    still find it in the record; those that print take the text from here."""
    if record.exc_info and record.exc_info[1] is not None:
        record.exc_text = traceback_text(record.exc_info[1], skip=run_job.__file__)
    return True


logger.addFilter(_escape_traceback)


class LoggingMiddleware:
    """Start and end at INFO, an exception with its traceback at ERROR."""

    def process_job(self, job: Job, queue: QueueName, worker_num: WorkerNumber) -> None:
        if logger.isEnabledFor(logging.INFO):
            logger.info(
                "%s/%s runs %s",
                queue,
                worker_num,
                printable(job_name(job)),
                extra={"action": "job_started", "queue": queue, "worker": worker_num},
            )

    def process_result(self, job: Job, result: Any, time_taken: float) -> None:
        if logger.isEnabledFor(logging.INFO):
            logger.info(
                "%s finished in %.2f s",
                printable(job_name(job)),
                time_taken,
                extra={"action": "job_finished", "time_taken": time_taken},
            )

    def process_exception(self, job: Job, time_taken: float, *exc_info: Any) -> None:
        if logger.isEnabledFor(logging.ERROR):
            logger.error(
                "%s failed after %.2f s",
                printable(job_name(job)),
                time_taken,
                exc_info=exc_info,
                extra={"action": "job_failed", "time_taken": time_taken},
            )
