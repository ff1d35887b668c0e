"""Failed jobs by what went wrong: 5,000 failures are seldom more than a few causes. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from dlq.backends.state import FailedJob
from dlq.diagnostics.formats import iso_utc
from dlq.job import job_name

GROUPED_FROM = 20
"""More failed jobs than this are listed by error, where nothing else is asked for."""

ERROR_LIMIT = 300
"""Characters of an error that tell it from others."""

_CHANGING = (
    (re.compile(r"'[^']{0,200}'|\"[^\"]{0,200}\""), "'…'"),
    (re.compile(r"\w+://\S+|[\w.+-]+@[\w-]+\.[\w.-]+"), "…"),
    (re.compile(r"0x[0-9a-fA-F]+"), "0x…"),
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "…"),
    (re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,}\b"), "…"),
    (re.compile(r"\d+"), "N"),
)
"""What differs between two failures of one cause: quoted values, URLs, addresses, ids, numbers."""


class FailedGroup(NamedTuple):
    """Failed jobs with one task and one error. `id` names the group for `--error`; `newest` is the
    id of a failed job of it; `first` and `last` are Unix times."""

    id: str
    task: str | None
    kind: str
    error: str
    jobs: int
    first: float
    last: float
    queues: tuple[str, ...]
    newest: str


def error_of(failed: FailedJob) -> str:
    """Return the first line of an error, with what changes from job to job replaced."""
    text = failed.failure.reason.partition("\n")[0][:ERROR_LIMIT]
    for pattern, replacement in _CHANGING:
        text = pattern.sub(replacement, text)
    return text[:ERROR_LIMIT]


def group_id(failed: FailedJob) -> str:
    """Return the id of the group that a failed job belongs to: eight hexadecimal digits."""
    parts = (task_of(failed) or "", failed.failure.kind, error_of(failed))
    return hashlib.sha1("\0".join(parts).encode(), usedforsecurity=False).hexdigest()[:8]


def task_of(failed: FailedJob) -> str | None:
    """Return the task, or the cron command, of a failed job; None where its bytes are no job."""
    job = failed.job
    return None if job is None else job_name(job)


def group_failed(jobs: Iterable[FailedJob]) -> list[FailedGroup]:
    """Group failed jobs, given newest first. The group with the latest failure comes first."""
    groups: dict[str, FailedGroup] = {}
    for failed in jobs:
        id = group_id(failed)
        found = groups.get(id)
        if found is None:
            found = FailedGroup(
                id,
                task_of(failed),
                failed.failure.kind,
                error_of(failed),
                0,
                failed.failed_at,
                failed.failed_at,
                (),
                failed.id,
            )
        groups[id] = found._replace(
            jobs=found.jobs + 1,
            first=min(found.first, failed.failed_at),
            last=max(found.last, failed.failed_at),
            queues=tuple(sorted({*found.queues, failed.queue})),
        )
    return sorted(groups.values(), key=lambda group: -group.last)


def group_document(group: FailedGroup) -> dict[str, Any]:
    """Describe a group for machines."""
    times = {"first": iso_utc(group.first), "last": iso_utc(group.last)}
    return {**group._asdict(), **times, "queues": list(group.queues)}
