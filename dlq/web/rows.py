"""What the tables of the pages say, as values: numbers in words, states in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dlq.backends.base import QueueState, RunnerState
from dlq.cli.output.text import span
from dlq.cron.history import FAILED, OK
from dlq.operations.cron_status import CronStatus
from dlq.operations.status import QueueStatus, Status

NOTHING = "-"
"""Where there is nothing to say."""


class QueueRow(NamedTuple):
    """One line of the overview. `state` says in words what the colour of `level` says."""

    name: str
    oldest: str
    waiting: int
    running: int
    delayed: int
    failed: int
    workers: str
    state: str
    level: str


class MachineRow(NamedTuple):
    """One runner, or a machine of the pool that has not been seen."""

    machine: str
    host: str
    up: str
    pool: str
    cron: str
    seen: str
    workers: int
    busy: int


def queue_rows(status: Status) -> list[QueueRow]:
    """Return the queues of a status, those that need somebody first."""
    rows = [queue_row(queue, status.at) for queue in status.queues]
    order = {"error": 0, "warning": 1, "ok": 2}
    return sorted(rows, key=lambda row: (order[row.level], row.name))


def queue_row(queue: QueueStatus, now: float) -> QueueRow:
    """Return one line of the overview."""
    state = queue.state
    text, level = queue_state_in_words(queue, now)
    return QueueRow(
        state.queue,
        age(state.oldest, now),
        state.waiting,
        state.in_hand,
        state.delayed,
        state.failed,
        f"{queue.alive} of {queue.planned}",
        text,
        level,
    )


def queue_state_in_words(queue: QueueStatus, now: float) -> tuple[str, str]:
    """Return what is to be said of a queue, and how bad it is: error, warning or ok."""
    state = queue.state
    if state.paused_until is not None:
        return f"paused for {span(state.paused_until - now)} more", "warning"
    has_jobs = bool(state.waiting or state.in_hand or state.delayed)
    if has_jobs and not queue.alive:
        return "jobs and no worker", "error"
    if queue.missing:
        missing = len(queue.missing)
        return (
            f"{missing} workers are missing" if missing > 1 else "a worker is missing"
        ), "warning"
    if state.failed:
        return "has failed jobs", "warning"
    return ("working" if has_jobs else "idle"), "ok"


def machine_rows(runners: Iterable[RunnerState], now: float) -> list[MachineRow]:
    """Return the runners, and the machines of their pools that have not been seen."""
    seen = list(runners)
    rows = [_machine_row(state, now) for state in seen]
    pools = {(s.runner.pool_id, s.runner.of) for s in seen if not s.runner.exact}
    for pool_id, of in sorted(pools, key=str):
        there = {s.runner.machine for s in seen if s.runner.pool_id == pool_id}
        rows += [
            MachineRow(f"{number} of {of}", NOTHING, NOTHING, pool_id, NOTHING, "not seen", 0, 0)
            for number in range(1, (of or 0) + 1)
            if number not in there
        ]
    return rows


def _machine_row(state: RunnerState, now: float) -> MachineRow:
    runner = state.runner
    machine = "exact" if runner.exact else f"{runner.machine} of {runner.of}"
    return MachineRow(
        machine,
        runner.host,
        span(now - runner.started),
        runner.pool_id,
        "yes" if runner.runs_cron else "no",
        f"{span(state.age)} ago",
        len(state.workers),
        state.busy,
    )


def totals(states: Sequence[QueueState]) -> dict[str, int]:
    """Return the sums over all queues, for the line above the table."""
    return {
        "waiting": sum(state.waiting for state in states),
        "running": sum(state.in_hand for state in states),
        "delayed": sum(state.delayed for state in states),
        "failed": sum(state.failed for state in states),
    }


def age(since: float | None, now: float) -> str:
    """Return how long ago something was, or a dash."""
    return NOTHING if since is None else span(now - since)


def cron_in_words(status: CronStatus, now: float) -> tuple[str, str]:
    """Return what became of a row, and how bad it is: error, warning or ok."""
    record = status.record
    if status.missed is not None:
        return f"missed at {status.missed:%Y-%m-%d %H:%M} UTC", "error"
    if record is None or (record.enqueued is None and record.started is None):
        return "not seen yet", "ok"
    if record.outcome == FAILED:
        return f"failed {age(record.ended, now)} ago: {record.error}", "error"
    if record.outcome == OK:
        return f"done {age(record.ended, now)} ago", "ok"
    if record.started is not None and record.started >= (record.enqueued or 0):
        return f"started {age(record.started, now)} ago", "ok"
    return f"waits since {age(record.enqueued, now)}", "ok"
