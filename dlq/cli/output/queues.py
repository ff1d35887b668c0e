"""What was done to queues, or would be, in sentences. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from dlq.operations.queues import Deduplicated
from dlq.primitives.text import counted
from dlq.types import QueueName


def paused_text(name: QueueName, end: datetime, *, dry_run: bool = False) -> str:
    verb = "Would pause" if dry_run else "Paused"
    return f"{verb} queue {name} until {end.isoformat(' ', 'seconds')}."


def resume_text(name: QueueName, *, dry_run: bool = False) -> str:
    return f"{'Would resume' if dry_run else 'Resumed'} queue {name}."


def clear_question(counts: Mapping[QueueName, int]) -> str:
    """`Clear 1,204 jobs from emails?`, each queue with its number."""
    parts = [f"{counted(count, 'job')} from {name}" for name, count in counts.items()]
    return f"Clear {', '.join(parts)}?"


def cleared_text(name: QueueName, count: int | None, *, dry_run: bool = False) -> str:
    what = "all jobs" if count is None else counted(count, "job")
    return f"{'Would clear' if dry_run else 'Cleared'} {what} from queue {name}."


def deduplicated_text(result: Deduplicated, *, dry_run: bool = False) -> str:
    if result.before == result.after:
        return f"{result.queue}: no duplicate jobs ({result.before} in the queue)."
    dropped = counted(result.before - result.after, "duplicate")
    before = counted(result.before, "job")
    if dry_run:
        return f"{result.queue}: {dropped} of {before} would be dropped."
    return f"{result.queue}: {before} became {result.after}, {dropped} dropped."
