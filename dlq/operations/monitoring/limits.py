"""`dlq status --max-age 5m --max-waiting 1000 --max-failed 0`: limits for whoever is to be woken.
Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from dlq.diagnostics.finding import Finding
from dlq.diagnostics.rules import backends as rules
from dlq.operations.status import SHOWN, QueueStatus, Status
from dlq.primitives.duration import span
from dlq.primitives.text import counted, printable


class Limits(NamedTuple):
    """None sets no limit. `age` is of the oldest waiting job, in seconds."""

    age: float | None = None
    waiting: int | None = None
    failed: int | None = None


def judge_limits(status: Status, limits: Limits) -> Iterator[Finding]:
    """Return a finding for each limit that queues exceed, however many these are."""
    most, age, failed = limits.waiting, limits.age, limits.failed
    if age is not None:
        late = [(q, _age(q, status.at)) for q in status.queues if _age(q, status.at) > age]
        late.sort(key=lambda pair: -pair[1])
        yield from _finding(
            [(queue, span(waited)) for queue, waited in late],
            f"a job that has waited longer than {span(age)}",
            "",
        )
    if most is not None:
        full = sorted(
            (q for q in status.queues if q.state.waiting > most), key=lambda q: -q.state.waiting
        )
        yield from _finding(
            [(queue, str(queue.state.waiting)) for queue in full],
            f"more than {counted(most, 'waiting job')}",
            "",
        )
    if failed is not None:
        broken = sorted(
            (q for q in status.queues if q.state.failed > failed), key=lambda q: -q.state.failed
        )
        yield from _finding(
            [(queue, str(queue.state.failed)) for queue in broken],
            f"more than {counted(failed, 'failed job')}",
            "dlq failed list --by-error",
        )


def _age(queue: QueueStatus, now: float) -> float:
    return 0.0 if queue.state.oldest is None else now - queue.state.oldest


def _finding(queues: list[tuple[QueueStatus, str]], what: str, help: str) -> Iterator[Finding]:
    if not queues:
        return
    names = ", ".join(f"{printable(q.state.queue)} ({text})" for q, text in queues[:SHOWN])
    more = f" and {len(queues) - SHOWN} more" if len(queues) > SHOWN else ""
    has = "has" if len(queues) == 1 else "have"
    yield rules.W536.finding(
        f"{counted(len(queues), 'queue')} {has} {what}: {names}{more}",
        None,
        help or _next_step(queues[0][0]),
    )


def _next_step(queue: QueueStatus) -> str:
    """Name the next command for a queue that does not keep up."""
    name = queue.state.queue
    if queue.state.paused_until is not None:
        return f"it is paused: dlq resume {name}"
    if not queue.alive:
        return "it has no living worker: dlq run"
    if queue.missing:
        return "workers are missing: dlq plan --diff live shows where they belong"
    return f"more workers in WORKERS, or find what is slow: dlq explain queue {name}"
