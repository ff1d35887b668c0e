"""The pages that only look: each returns the document of a command, and the rows of its tables."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from django.http import HttpRequest

from dlq.backends.base import FailedJob
from dlq.config.active import resolution, settings
from dlq.diagnostics.formats import document, iso_utc
from dlq.errors import UsageError
from dlq.operations import failed_groups, failed_jobs
from dlq.operations.cron_status import cron_document, read_cron
from dlq.operations.inspection.waiting_jobs import (
    fit_document,
    job_fit,
    next_jobs,
    queue_json,
)
from dlq.operations.status import only_queue, read_status, status_json
from dlq.planning.document import plan_json
from dlq.planning.plan import make_plan
from dlq.planning.split import Pool
from dlq.types import QueueName
from dlq.web import rows
from dlq.web.gate import ARGUMENTS, Page, may
from dlq.web.project import this_project

FAILED_PER_PAGE = 50
"""Failed jobs on one page: what a person reads."""

FAILED_READ = 2000
"""Failed jobs that one page reads to group them: a bounded read of the server."""


def overview(request: HttpRequest) -> Page:
    """Show the queues, the machines and what needs attention."""
    status = read_status(this_project(), time.time())
    return Page(
        "overview",
        "Queues and workers",
        {
            "status": status,
            "queues": rows.queue_rows(status),
            "machines": rows.machine_rows(status.runners, status.at),
            "totals": rows.totals([queue.state for queue in status.queues]),
        },
        status_json(status),
    )


def queue(request: HttpRequest) -> Page:
    """Show one queue: its counts, its state, and what can be done to it."""
    name = required(request, "queue")
    project = this_project()
    status = only_queue(read_status(project, time.time()), name)
    [shown] = status.queues
    shown_document = queue_json(
        status,
        next_jobs(shown.state.queue),
        job_fit(project),
        arguments=may(request, ARGUMENTS),
    )
    return Page(
        "queue",
        f"Queue {name}",
        {
            "row": rows.queue_row(shown, status.at),
            "state": shown.state,
            "running": rows.running_rows(shown, status.at),
            "next": shown_document["next"],
            "findings": status.findings,
        },
        shown_document,
    )


def failed(request: HttpRequest) -> Page:
    """List failed jobs, newest first, with filters."""
    project = this_project()
    selection = selection_of(request)
    read = list(islice(failed_jobs.select_failed(project, selection), FAILED_READ + 1))
    found = read[: FAILED_PER_PAGE + 1]
    queues = failed_jobs.failed_queues(project)
    shown_queues = failed_jobs.failed_queues(project, selection.queues)
    total = (
        sum(failed_jobs.counts(project, shown_queues).values())
        if selection.is_by_queue
        else len(read)
    )
    groups = failed_groups.group_failed(read[:FAILED_READ])
    return Page(
        "failed",
        "Failed jobs",
        {
            "jobs": [_failed_row(job, time.time()) for job in found[:FAILED_PER_PAGE]],
            "has_more": len(found) > FAILED_PER_PAGE,
            "groups": [_group_row(group, time.time()) for group in groups],
            "is_cut": len(read) > FAILED_READ,
            "queues": queues,
            "selection": selection,
            "selected_queue": selection.queues[0] if selection.queues else "",
        },
        document(
            total=total,
            dropped=failed_jobs.dropped(shown_queues),
            jobs=[_document(job, request) for job in found[:FAILED_PER_PAGE]],
        ),
    )


def failed_job(request: HttpRequest) -> Page:
    """Show one failed job with its traceback."""
    job = find_failed(request)
    _, fit = job_fit(this_project()).check_raw(job.raw)
    shown = {**_document(job, request), "fit": fit_document(fit, may(request, ARGUMENTS))}
    return Page(
        "failed_job",
        f"Failed job {job.id}",
        {"job": shown, "row": _failed_row(job, time.time()), "fit": fit},
        document(jobs=[shown]),
    )


def plan(request: HttpRequest) -> Page:
    """Show the plan of the pool: which worker belongs to which machine."""
    of = whole_number(request.GET.get("of"), 1, 1000) or _machines_seen()
    made = make_plan(this_project(), Pool(None, of))
    shown = plan_json(made, datetime.now(UTC))
    machines = range(1, of + 1)
    counts: dict[tuple[str, int], int] = {}
    for worker in shown["workers"]:
        key = (worker["queue"], worker["machine"])
        counts[key] = counts.get(key, 0) + 1
    table = [
        (
            name,
            planned["workers"],
            [counts.get((name, machine), 0) for machine in machines],
            planned["backend"].rpartition(".")[2],
            planned["source"],
        )
        for name, planned in shown["queues"].items()
    ]
    context = {"plan": shown, "machines": list(machines), "table": table, "of": of}
    return Page(
        "plan", f"Plan for {of} machine{'' if of == 1 else 's'}", context, document(**shown)
    )


def cron(request: HttpRequest) -> Page:
    """Show the cron rows: schedules in words, the next run, run now."""
    from dlq.operations.cron import next_runs

    project = this_project()
    previews = next_runs(project.cron.rows, settings().cron_timezone, datetime.now(UTC))
    numbers = {id(row): number for number, row in enumerate(project.cron.rows, 1)}
    statuses = read_cron(project.cron.rows, settings().cron_timezone, time.time())
    became = {id(status.row): status for status in statuses}
    table: list[dict[str, Any]] = [
        {
            "number": numbers[id(preview.row)],
            "command": preview.row.command,
            "queue": preview.row.queue,
            "schedule": preview.row.expression,
            "words": preview.words,
            "timezone": preview.timezone,
            "next": preview.runs[0] if preview.runs else None,
            "source": preview.row.source.label,
            "last": rows.cron_in_words(became[id(preview.row)], time.time()),
        }
        for preview in previews
    ]
    shown = [
        {**cron_document(became[id(preview.row)]), "next": [iso_utc(run) for run in preview.runs]}
        for preview in previews
    ]
    return Page("cron", "Cron", {"rows": table}, document(rows=shown))


def show_settings(request: HttpRequest) -> Page:
    """Show every setting, its value and the line that wrote it; secrets are masked."""
    from dlq.config.explain import settings_json, show

    found = resolution()
    return Page(
        "settings", "Settings", {"rows": show(found)}, document(settings=settings_json(found))
    )


def find_failed(request: HttpRequest) -> FailedJob:
    """Return the failed job that the address names. Raises UsageError where it is gone."""
    name, id = required(request, "queue"), required(request, "id")
    selection = failed_jobs.Selection((name,), ids=(id,))
    return next(iter(failed_jobs.select_failed(this_project(), selection)))


def selection_of(request: HttpRequest) -> failed_jobs.Selection:
    """Return the filters of the page, from its query or from its form."""
    given: Any = request.POST if request.method == "POST" else request.GET
    queue, task = given.get("queue", ""), given.get("task", "").strip()
    error = given.get("error", "").strip()
    return failed_jobs.Selection((queue,) if queue else (), task or None, error=error or None)


def required(request: HttpRequest, name: str) -> str:
    """Return a parameter of the address or the form. Raises UsageError where it is missing."""
    given: Any = request.POST if request.method == "POST" else request.GET
    value = given.get(name, "")
    if not value:
        raise UsageError(f"the parameter {name!r} is missing")
    return str(value)


def whole_number(text: str | None, least: int, most: int) -> int | None:
    """Return the number that a parameter holds, or None where it holds none in this range."""
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > 9:
        return None
    return int(text) if least <= int(text) <= most else None


def _machines_seen() -> int:
    status = read_status(this_project(), time.time())
    return max((s.runner.of or 1 for s in status.runners if not s.runner.exact), default=1)


def _document(job: FailedJob, request: HttpRequest) -> dict[str, Any]:
    shown = failed_jobs.as_json(job)
    if not may(request, ARGUMENTS):
        hidden = dict.fromkeys(("args", "kwargs", "raw", "traceback", "reason"))
        shown = {**shown, **hidden, "hidden": "needs the permission view_job_arguments"}
    return shown


def _group_row(group: failed_groups.FailedGroup, now: float) -> dict[str, Any]:
    ago = {"first": rows.age(group.first, now), "last": rows.age(group.last, now)}
    return {**group._asdict(), **ago}


def _failed_row(job: FailedJob, now: float) -> dict[str, Any]:
    return {
        "id": job.id,
        "queue": QueueName(job.queue),
        "task": "(no job)" if job.job is None else job.job.path,
        "kind": job.failure.kind,
        "reason": job.failure.reason,
        "attempts": job.failure.attempts,
        "ago": rows.age(job.failed_at, now),
        "failed_at": datetime.fromtimestamp(job.failed_at, UTC),
    }
