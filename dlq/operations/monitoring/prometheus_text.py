"""A status as Prometheus reads it: the text format, version 0.0.4. Pure.

For a textfile collector or a small exporter (`dlq status --format prometheus`). The workers' own
metrics, which 4.11 had too, are served by each worker (ENABLE_PROMETHEUS).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from dlq.cron.history import record_id_of
from dlq.operations.status import Status


class Sample(NamedTuple):
    """One line: its labels and its value."""

    labels: Mapping[str, str]
    value: float


class Family(NamedTuple):
    """One metric with its samples. All are gauges: a status is what holds now."""

    name: str
    help: str
    samples: tuple[Sample, ...]


def prometheus_text(status: Status) -> str:
    """Return the text that Prometheus scrapes."""
    lines: list[str] = []
    for family in families(status):
        lines += (f"# HELP {family.name} {family.help}", f"# TYPE {family.name} gauge")
        lines += (_line(family.name, sample) for sample in family.samples)
    return "\n".join(lines) + "\n"


def families(status: Status) -> Iterator[Family]:
    """Return the metrics of a status."""
    yield _family("dlq_queue_jobs", "Jobs of a queue by state.", _queue_jobs(status))
    yield _family(
        "dlq_queue_oldest_job_seconds",
        "Age of the oldest waiting job.",
        (
            Sample({"queue": q.state.queue}, max(0.0, status.at - q.state.oldest))
            for q in status.queues
            if q.state.oldest is not None
        ),
    )
    yield _family(
        "dlq_queue_paused",
        "Whether a queue is paused.",
        (Sample({"queue": q.state.queue}, q.state.paused_until is not None) for q in status.queues),
    )
    yield _family("dlq_workers", "Workers of a queue by state.", _workers(status))
    yield _family(
        "dlq_runner_up",
        "1 for each runner whose heartbeat was seen.",
        (
            Sample({"machine": "exact" if r.exact else str(r.machine), "host": r.host}, 1)
            for r in (seen.runner for seen in status.runners)
        ),
    )
    found = Counter((finding.id, finding.level) for finding in status.findings)
    yield _family(
        "dlq_findings",
        "What dlq status finds wrong, by rule.",
        (Sample({"id": id, "level": level}, count) for (id, level), count in found.items()),
    )
    yield _family(
        "dlq_cron_last_success_timestamp_seconds",
        "When a cron command last ended well, Unix time.",
        _last_success(status),
    )


def _queue_jobs(status: Status) -> Iterator[Sample]:
    for queue in status.queues:
        state = queue.state
        counts = {
            "waiting": state.waiting,
            "running": state.in_hand,
            "delayed": state.delayed,
            "failed": state.failed,
        }
        for name, count in counts.items():
            yield Sample({"queue": state.queue, "state": name}, count)


def _workers(status: Status) -> Iterator[Sample]:
    for queue in status.queues:
        for name, count in (("planned", queue.planned), ("alive", queue.alive)):
            yield Sample({"queue": queue.state.queue, "state": name}, count)


def _last_success(status: Status) -> Iterator[Sample]:
    seen = set()
    for row, record, _ in status.cron:
        if record is not None and record.last_success is not None:
            id = record_id_of(row)
            if id not in seen:
                seen.add(id)
                yield Sample({"command": row.command, "row": id}, record.last_success)


def _family(name: str, help: str, samples: Iterable[Sample]) -> Family:
    return Family(name, help, tuple(samples))


def _line(name: str, sample: Sample) -> str:
    labels = ",".join(f'{label}="{_escaped(value)}"' for label, value in sample.labels.items())
    value = float(sample.value)
    shown = str(int(value)) if value.is_integer() else repr(value)
    return f"{name}{{{labels}}} {shown}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
