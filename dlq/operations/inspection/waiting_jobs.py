"""The jobs of a queue that run next, and whether stored jobs fit the code of this process."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from typing import Any

from dlq import runtime
from dlq.backends.base import BackendWithStoredJobs
from dlq.diagnostics.formats import iso_utc
from dlq.errors import UndecodableJob
from dlq.execution.job_fit import Fit, JobFit
from dlq.job import decode, job_name
from dlq.operations.status import Status, status_json
from dlq.project.load import Project, require_settings
from dlq.types import QueueName

NEXT_SHOWN = 20
"""Waiting jobs of a queue that are shown: a bounded read, and what a person looks through."""


def job_fit(project: Project) -> JobFit:
    """Return the checks for stored jobs of a project."""
    return JobFit(
        [declaration.task for declaration in project.declarations if declaration.task],
        {row.command for row in project.cron.rows} | set(require_settings(project).cron_commands),
    )


def next_jobs(queue: QueueName) -> list[bytes]:
    """Return the jobs that workers take next, as they are stored. Raises BackendUnavailable."""
    backend = runtime.current().backend(queue)
    return backend.peek(queue, NEXT_SHOWN) if isinstance(backend, BackendWithStoredJobs) else []


def queue_json(
    status: Status, jobs: Iterable[bytes], checks: JobFit, *, arguments: bool = True
) -> dict[str, Any]:
    """Return the document that `dlq status --queue NAME --format json` prints: the status of one
    queue with its next jobs. Without `arguments` those are null."""
    return {**status_json(status), "next": [_document(raw, checks, arguments) for raw in jobs]}


def fit_document(fit: Fit, arguments: bool = True) -> dict[str, Any]:
    """Describe for machines how a stored job fits today's code. Its text may name arguments."""
    shown = {"fits": fit.is_good, "kind": fit.kind, "text": fit.text, "help": fit.help}
    return shown if arguments else {**shown, "text": None, "help": None}


def _document(raw: bytes, checks: JobFit, arguments: bool) -> dict[str, Any]:
    _, fit = checks.check_raw(raw)
    try:
        job = decode(raw)
    except UndecodableJob:
        fields = dict.fromkeys(("task", "name", "args", "kwargs", "created"))
        return {**fields, "fit": fit_document(fit, arguments)}
    created = job.created_time
    return {
        "task": job.path,
        "name": job_name(job),
        "args": list(job.args) if arguments else None,
        "kwargs": dict(job.kwargs) if arguments else None,
        "created": None if created is None else iso_utc(created.replace(tzinfo=UTC)),
        "fit": fit_document(fit, arguments),
    }
