"""The state of the servers as people read it: in full, or as much as fits on a terminal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from dlq.backends.state import PauseNote, QueueActivity
from dlq.cli.output.findings import findings_lines
from dlq.cli.output.screen import Column, Screen, Segment
from dlq.cli.output.tables import cut
from dlq.cli.output.text import span
from dlq.operations.monitoring.rates import empty_in, per_minute
from dlq.operations.status import QueueStatus, Status
from dlq.primitives.text import counted, printable

Line = list[Segment]

QUEUE_COLUMNS = (
    Column("QUEUE"),
    Column("WAITING", right=True),
    Column("OLDEST"),
    Column("RUNNING", right=True),
    Column("FAILED", right=True),
    Column("PER MIN", right=True),
    Column("EMPTY IN"),
    Column("WORKERS", right=True),
    Column("STATE", gives=1),
)
RUNNING_COLUMNS = (
    Column("RUNNING", gives=1),
    Column("WORKER"),
    Column("HOST", gives=2),
    Column("PID", right=True),
    Column("FOR"),
    Column("TIMEOUT"),
)
NEXT_COLUMNS = (Column("NEXT"), Column("ARGS", gives=1), Column("FIT", gives=2))
ARGUMENTS_SHOWN = 60
"""Characters of the arguments of a waiting job."""
LONGEST_RUNNING = 10
"""Running jobs that are listed: those that have run longest."""
MACHINE_COLUMNS = (
    Column("MACHINE"),
    Column("HOST", gives=1),
    Column("PID", right=True),
    Column("POOL"),
    Column("UP"),
    Column("CRON"),
    Column("SEEN"),
)


def status_lines(screen: Screen, found: Status) -> Iterator[Line]:
    """All of it, findings last."""
    yield from _servers(found)
    yield from _queue_lines(screen, found.queues, found.at)
    yield from _running_lines(screen, found)
    yield from _machine_lines(screen, found)
    yield from findings_lines(found.findings)


def watch_lines(screen: Screen, found: Status) -> list[Line]:
    """Fill the terminal, but for the cursor's line: findings first, a line each, then the
    queues that need a look, then machines."""
    room = screen.height - 1
    lines = list(_servers(found))
    warnings: list[Line] = [
        [
            (f"{finding.level}[{finding.id}]", finding.level),
            (f": {printable(finding.message, 1000)}", ""),
        ]
        for finding in found.findings
    ]
    machines = list(_machine_lines(screen, found))
    queues = sorted(found.queues, key=_order)
    lines += _fit(warnings, max(3, room // 3), "finding")
    machines = _fit(machines, max(3, room // 3), "line")
    shown = list(_queue_lines(screen, queues, found.at))
    lines += _fit(shown, room - len(lines) - len(machines), "line")
    lines += machines
    return [_cut_line(line, screen.width) for line in lines[:room]]


def _servers(found: Status) -> Iterator[Line]:
    counts = (
        f"{counted(len(found.runners), 'machine')}, {counted(found.workers, 'worker')},"
        f" {found.busy} busy"
    )
    for number, server in enumerate(found.servers):
        line = f"{server.name} at {server.address}, {server.latency * 1000:.1f} ms"
        yield [(line if number else f"{line}      {counts}", "")]


def _queue_lines(screen: Screen, queues: Sequence[QueueStatus], now: float) -> Iterator[Line]:
    if queues:
        yield from screen.table_lines(QUEUE_COLUMNS, [_queue_row(queue, now) for queue in queues])


def next_lines(screen: Screen, jobs: Sequence[Mapping[str, Any]]) -> Iterator[Line]:
    """The jobs that run next, as `dlq status --queue` has them in its document."""
    if jobs:
        rows = [
            [
                job["name"] or "(not a job)",
                json.dumps(job["args"])[:ARGUMENTS_SHOWN],
                job["fit"]["text"] or "fits",
            ]
            for job in jobs
        ]
        yield from screen.table_lines(NEXT_COLUMNS, rows)


def _running_lines(screen: Screen, found: Status) -> Iterator[Line]:
    jobs = sorted(
        (each for queue in found.queues for each in queue.running), key=lambda each: each.job.since
    )
    if jobs:
        rows = [
            [
                job.task,
                job.worker,
                runner.host,
                str(job.pid),
                span(found.at - job.since),
                "none" if job.timeout is None else span(job.timeout),
            ]
            for runner, job in jobs[:LONGEST_RUNNING]
        ]
        yield from screen.table_lines(RUNNING_COLUMNS, rows)
        if len(jobs) > LONGEST_RUNNING:
            yield [(f"... and {len(jobs) - LONGEST_RUNNING} more that began later", "dim")]


def _machine_lines(screen: Screen, found: Status) -> Iterator[Line]:
    if not found.runners:
        return
    pools = Counter(seen.runner.pool_id for seen in found.runners if not seen.runner.exact)
    main_pool = pools.most_common(1)[0][0] if pools else ""
    rows = []
    for seen in found.runners:
        runner = seen.runner
        other = not runner.exact and runner.pool_id != main_pool
        rows.append(
            [
                "exact" if runner.exact else f"{runner.machine} of {runner.of}",
                runner.host,
                str(runner.pid),
                "-" if runner.exact else runner.pool_id,
                span(found.at - runner.started),
                "yes" if runner.runs_cron else "-",
                f"{seen.age:.0f} s ago" + ("   <- other pool" if other else ""),
            ]
        )
    yield from screen.table_lines(MACHINE_COLUMNS, rows)


def _queue_row(queue: QueueStatus, now: float) -> list[str]:
    state = queue.state
    return [
        state.queue,
        str(state.waiting),
        "-" if state.oldest is None else span(now - state.oldest),
        str(state.in_hand),
        str(state.failed),
        rate_text(queue.activity),
        empty_text(queue),
        f"{queue.alive}/{queue.planned}",
        _state(queue, now),
    ]


def rate_text(activity: QueueActivity) -> str:
    """`310`, `0.4`: jobs that end in a minute."""
    rate = per_minute(activity)
    return f"{rate:.1f}" if 0 < rate < 10 and rate % 1 else f"{rate:.0f}"


def empty_text(queue: QueueStatus) -> str:
    """`4 min`, or a dash where nothing waits or nothing ends."""
    seconds = empty_in(queue.state.waiting, queue.activity)
    return "-" if seconds is None else span(seconds)


def _state(queue: QueueStatus, now: float) -> str:
    state = queue.state
    words = []
    if state.paused_until is not None:
        end = datetime.fromtimestamp(state.paused_until, UTC)
        day = "" if state.paused_until - now < 86_400 else f"{end:%d %b} "
        words.append(f"paused until {day}{end:%H:%M} UTC, in {span(state.paused_until - now)}")
        words[-1] += pause_note_text(state.pause_note)
    if not queue.alive and (queue.planned or state.waiting or state.in_hand):
        words.append("no worker")
    if state.delayed:
        words.append(f"{counted(state.delayed, 'delayed job')}")
    return ", ".join(words)


def pause_note_text(note: PauseNote) -> str:
    """` (ana@web-1): provider down`, as much of it as is known."""
    by = f" ({printable(note.by)})" if note.by else ""
    return f"{by}: {printable(note.reason)}" if note.reason else by


def _order(queue: QueueStatus) -> tuple[bool, bool]:
    """What waits, failed or is paused comes first, then what has no worker."""
    state = queue.state
    return (not (state.waiting or state.failed or state.paused_until), not queue.missing)


def _fit(lines: list[Line], room: int, noun: str) -> list[Line]:
    if len(lines) <= room:
        return lines
    kept = max(0, room - 1)
    left = len(lines) - kept
    return [*lines[:kept], [(f"... and {counted(left, f'more {noun}')}: dlq status", "dim")]]


def _cut_line(line: Line, width: int) -> Line:
    kept: Line = []
    for text, style in line:
        piece = cut(text, width)
        kept.append((piece, style))
        width -= len(piece)
    return kept
