"""The pages that do something. Each POST does what one command does; what can't be undone is asked
for first, and bound to what was there when it was asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest

from dlq.backends.base import FailedJob
from dlq.backends.state import PauseNote
from dlq.errors import UsageError
from dlq.job import job_name
from dlq.operations import failed_jobs, queues
from dlq.types import QueueName
from dlq.web.gate import Answer, Confirm, Done
from dlq.web.pages import find_failed, required, selection_of, whole_number
from dlq.web.project import this_project

CONFIRMED = "confirmed"
"""The field that answers a question with yes."""


def retry(request: HttpRequest) -> Answer:
    """Put one failed job back on its queue."""
    job = find_failed(request)
    failed_jobs.retry(failed_jobs.collect([job]))
    return Done(f"Put {_name(job)} back on {job.queue}.", f"retry {job.id}", "failed")


def discard(request: HttpRequest) -> Answer:
    """Drop one failed job, after a question."""
    job = find_failed(request)
    if not _is_confirmed(request):
        return Confirm(
            f"Discard the failed job {_name(job)} of {job.queue}? It cannot be brought back.",
            "Discard",
            {"queue": job.queue, "id": job.id},
            "discard",
        )
    failed_jobs.discard(failed_jobs.collect([job]))
    return Done(f"Discarded {_name(job)} of {job.queue}.", f"discard {job.id}", "failed")


def retry_all(request: HttpRequest) -> Answer:
    """Put all failed jobs of the filters back, after a question."""
    return _bulk(request, "retry_all", "Put back", "back on their queues", failed_jobs.retry)


def discard_all(request: HttpRequest) -> Answer:
    """Drop all failed jobs of the filters, after a question."""
    return _bulk(request, "discard_all", "Discard", "for good", failed_jobs.discard)


def pause(request: HttpRequest) -> Answer:
    """Let no job of a queue start for a while."""
    queue = _queue(request)
    until = queues.pause_until(required(request, "for"), None, datetime.now(UTC))
    user: Any = request.user
    note = PauseNote(user.get_username(), request.POST.get("reason", "").strip())
    queues.pause([queue], until, note)
    text = f"Paused {queue} until {until:%Y-%m-%d %H:%M:%S} UTC."
    return Done(text, f"pause {queue}", "queue", {"queue": queue})


def resume(request: HttpRequest) -> Answer:
    """End a pause now."""
    queue = _queue(request)
    queues.resume([queue])
    return Done(f"Resumed {queue}.", f"resume {queue}", "queue", {"queue": queue})


def clear(request: HttpRequest) -> Answer:
    """Drop all waiting jobs of a queue, after a question."""
    queue = _queue(request)
    if not _is_confirmed(request):
        return Confirm(
            f"Drop all waiting jobs of {queue}? They cannot be brought back.",
            "Clear the queue",
            {"queue": queue},
            "clear",
        )
    count = queues.clear([queue])[queue]
    text = f"Dropped {'all' if count is None else count} waiting jobs of {queue}."
    return Done(text, f"clear {queue}", "queue", {"queue": queue})


def deduplicate(request: HttpRequest) -> Answer:
    """Keep the oldest of equal waiting jobs, after a question."""
    queue = _queue(request)
    if not _is_confirmed(request):
        return Confirm(
            f"Drop waiting jobs of {queue} that would do the same again?",
            "Deduplicate",
            {"queue": queue},
            "deduplicate",
        )
    [done] = queues.deduplicate([queue])
    text = f"Dropped {done.before - done.after} of {done.before} waiting jobs of {queue}."
    return Done(text, f"deduplicate {queue}", "queue", {"queue": queue})


def run_cron(request: HttpRequest) -> Answer:
    """Enqueue a cron row now."""
    from dlq.operations.cron import run_now

    rows = this_project().cron.rows
    number = whole_number(required(request, "row"), 1, len(rows))
    if number is None:
        raise UsageError("there is no such cron row any more: reload the page")
    row = rows[number - 1]
    run_now([row], row.command)
    return Done(f"Enqueued {row.command} on {row.queue}.", f"cron {row.command}", "cron")


def _bulk(
    request: HttpRequest,
    route: str,
    button: str,
    how: str,
    act: Callable[[failed_jobs.Targets], failed_jobs.Done],
) -> Answer:
    selection = selection_of(request)
    found = failed_jobs.select_failed(this_project(), selection)
    fields = {
        "queue": "".join(selection.queues),
        "task": selection.task or "",
        "error": selection.error or "",
    }
    if not _is_confirmed(request):
        jobs = list(found)
        if not jobs:
            raise UsageError("no failed job matches the filters any more")
        question = f"{button} {len(jobs)} failed jobs {how}? Jobs that fail from now on are kept."
        newest = {"until": f"{jobs[0].failed_at:.6f}"}
        return Confirm(question, f"{button} {len(jobs)} jobs", {**fields, **newest}, route)
    until = float(required(request, "until"))
    jobs = [job for job in found if job.failed_at <= until]
    done = act(failed_jobs.collect(jobs))
    text = f"{button}: {done.jobs} of {done.jobs + done.gone} failed jobs."
    return Done(text, f"{route} {fields['queue'] or 'all queues'}", "failed")


def _queue(request: HttpRequest) -> QueueName:
    [queue] = queues.select_queues(this_project(), [required(request, "queue")])
    return queue


def _is_confirmed(request: HttpRequest) -> bool:
    return request.POST.get(CONFIRMED) == "1"


def _name(job: FailedJob) -> str:
    return "a job that cannot be read" if job.job is None else job_name(job.job)
