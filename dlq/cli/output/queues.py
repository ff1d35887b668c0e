"""What was done to queues, in sentences. Pure."""

from __future__ import annotations

from datetime import datetime

from dlq.operations.queues import Deduplicated
from dlq.types import QueueName


def paused(name: QueueName, end: datetime) -> str:
    return f"Paused queue {name} until {end.isoformat(' ', 'seconds')}."


def resumed(name: QueueName) -> str:
    return f"Resumed queue {name}."


def cleared(name: QueueName, count: int | None) -> str:
    what = "all jobs" if count is None else f"{count} job{'' if count == 1 else 's'}"
    return f"Cleared {what} from queue {name}."


def deduplicated(result: Deduplicated) -> str:
    if result.before == result.after:
        return f"{result.queue}: no duplicate jobs ({result.before} in the queue)."
    dropped = result.before - result.after
    return (
        f"{result.queue}: {result.before} job{'' if result.before == 1 else 's'} became"
        f" {result.after}, {dropped} duplicate{'' if dropped == 1 else 's'} dropped."
    )
