"""What the tables of the pages say, as values: numbers in words, states in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dlq.backends.base import QueueState, RunnerState
from dlq.cli.output.status import empty_text, pause_note_text, rate_text
from dlq.cli.output.text import span
from dlq.cron.history import FAILED, OK
from dlq.operations.cron_status import CronStatus
from dlq.operations.status import QueueStatus, Status
from dlq.process.activity import BARS

NOTHING = "-"
"""Where there is nothing to say."""

BAR_WIDTH, HEIGHT = 4, 12
"""Of one bar in the picture of the last hour, in its own units."""


class Bar(NamedTuple):
    """Five minutes of the last hour, in units of the picture (48 by 12), and the jobs in words."""

    x: int
    y: float
    height: float
    jobs: int


class QueueRow(NamedTuple):
    """One line of the overview. `state` says in words what the colour of `level` says."""

    name: str
    oldest: str
    waiting: int
    running: int
    delayed: int
    failed: int
    rate: str
    empty_in: str
    hour: tuple[Bar, ...]
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
        rate_text(queue.activity),
        empty_text(queue),
        hour_bars(queue.activity.hour),
        f"{queue.alive} of {queue.planned}",
        text,
        level,
    )


def hour_bars(hour: Sequence[int]) -> tuple[Bar, ...]:
    """Draw the runs of each five minutes, the newest at the right edge; empty where none ran."""
    most = max(hour, default=0)
    if not most:
        return ()
    start = BARS - len(hour)
    bars = []
    for place, jobs in enumerate(hour, start):
        height = round(jobs / most * HEIGHT, 2)
        bars.append(Bar(place * BAR_WIDTH, round(HEIGHT - height, 2), height, jobs))
    return tuple(bars)


def running_rows(queue: QueueStatus, now: float) -> list[dict[str, str | int]]:
    """Return the running jobs of a queue, those that have run longest first."""
    return [
        {
            "task": job.task,
            "worker": job.worker,
            "host": runner.host,
            "pid": job.pid,
            "since": age(job.since, now),
            "timeout": "none" if job.timeout is None else span(job.timeout),
        }
        for runner, job in queue.running
    ]


def queue_state_in_words(queue: QueueStatus, now: float) -> tuple[str, str]:
    """Return what is to be said of a queue, and how bad it is: error, warning or ok."""
    state = queue.state
    if state.paused_until is not None:
        note = pause_note_text(state.pause_note)
        return f"paused for {span(state.paused_until - now)} more{note}", "warning"
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
