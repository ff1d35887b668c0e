"""What was done to queues, in sentences. Pure."""

from __future__ import annotations

from datetime import datetime

from dlq.operations.queues import Deduplicated
from dlq.primitives.text import counted
from dlq.types import QueueName


def paused(name: QueueName, end: datetime) -> str:
    return f"Paused queue {name} until {end.isoformat(' ', 'seconds')}."


def resumed(name: QueueName) -> str:
    return f"Resumed queue {name}."


def cleared(name: QueueName, count: int | None) -> str:
    what = "all jobs" if count is None else counted(count, "job")
    return f"Cleared {what} from queue {name}."


def deduplicated(result: Deduplicated) -> str:
    if result.before == result.after:
        return f"{result.queue}: no duplicate jobs ({result.before} in the queue)."
    dropped = result.before - result.after
    return (
        f"{result.queue}: {counted(result.before, 'job')} became"
        f" {result.after}, {counted(dropped, 'duplicate')} dropped."
    )
