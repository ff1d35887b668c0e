"""What cron rows will do in a range of time: runs per hour, pile-ups, overlaps, clock changes.

Pure. 10,000 rows over a week take a few seconds: runs are sets of minutes
(`dlq.cron.rows.timeline`), and how many rows are due is counted for all minutes at once.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, TypeAlias

from dlq.cron.rows.row import CronRow
from dlq.cron.rows.schedule import MINUTE
from dlq.cron.rows.timeline import ClockChange, Timeline
from dlq.types import QueueName

HOUR_MINUTES = 60

WORST = 10
"""Pile-ups of each queue that are kept with their rows: those with the most rows."""

CLOCK_ROWS = 100
"""Rows of each clock change that are kept."""


class QueueLoad(NamedTuple):
    """`hours` are the runs of each hour from the start on."""

    queue: QueueName
    workers: int
    hours: tuple[int, ...]

    @property
    def runs(self) -> int:
        return sum(self.hours)


class PileUp(NamedTuple):
    """A minute in which more rows are due than their queue has workers."""

    queue: QueueName
    at: datetime
    due: int
    workers: int
    rows: tuple[CronRow, ...]
    """The first few."""


class Overlap(NamedTuple):
    """A row that is due while its previous run may still go on. `seconds` is how long a run takes,
    by `basis`; `runs` is how many of its runs begin so, of `of` in the range."""

    row: CronRow
    seconds: float
    basis: Literal["recorded", "timeout"]
    runs: int
    of: int


ChangeEffect: TypeAlias = Literal["moves", "skips", "once", "twice"]


class RowAtChange(NamedTuple):
    """What a clock change does to a row. `times` is how many of its times of day are touched.

    moves: they are left out, and the row fires once, at the change. skips: a row of every hour
    does not fire in the hour that is left out. once: they come twice, and the row fires the first
    time only. twice: a row of every hour fires in both passes.
    """

    row: CronRow
    effect: ChangeEffect
    times: int


class ChangeReport(NamedTuple):
    change: ClockChange
    rows: tuple[RowAtChange, ...]
    others: int
    """Rows that are touched and not kept."""


class Simulation(NamedTuple):
    """`pile_ups` have the worst of each queue; `piled` counts all minutes with one, by queue."""

    start: datetime
    end: datetime
    rows: int
    loads: tuple[QueueLoad, ...]
    pile_ups: tuple[PileUp, ...]
    piled: Mapping[QueueName, int]
    overlaps: tuple[Overlap, ...]
    changes: tuple[ChangeReport, ...]

    @property
    def runs(self) -> int:
        return sum(load.runs for load in self.loads)


def simulate(
    rows: Sequence[CronRow],
    workers: Mapping[QueueName, int],
    start: datetime,
    length: timedelta,
    cron_timezone: str,
    durations: Mapping[str, float],
) -> Simulation:
    """Simulate `length` (to the whole hour, rounded up) from `start`, which is aware and on a whole
    minute.

    `workers` are those of each queue over the pool; `durations` says how many seconds the last run
    of a row took, by its identity. Rows that are equal count once, as they run once.
    """
    hours = max(1, math.ceil(length / timedelta(hours=1)))
    timeline = Timeline(start, hours * HOUR_MINUTES)
    distinct = {row.identity: row for row in rows}
    masks = {
        identity: timeline.runs(row.expression, row.timezone or cron_timezone)
        for identity, row in distinct.items()
    }
    by_queue: dict[QueueName, list[str]] = defaultdict(list)
    for identity, row in distinct.items():
        by_queue[row.queue].append(identity)
    loads, pile_ups, piled = [], [], {}
    for queue, identities in sorted(by_queue.items()):
        counts = MinuteCounts(masks[identity] for identity in identities)
        count = workers.get(queue, 0)
        loads.append(QueueLoad(queue, count, _by_hour(identities, masks, hours)))
        too_many = counts.above(count)
        if too_many:
            piled[queue] = too_many.bit_count()
        for minute in counts.highest(too_many, WORST):
            due = [distinct[identity] for identity in identities if masks[identity] >> minute & 1]
            at = timeline.start + minute * MINUTE
            pile_ups.append(PileUp(queue, at, len(due), count, tuple(due[:WORST])))
    return Simulation(
        timeline.start,
        timeline.end,
        len(distinct),
        tuple(loads),
        tuple(sorted(pile_ups, key=lambda pile: (-(pile.due - pile.workers), pile.at))),
        piled,
        tuple(_overlaps(distinct, masks, durations)),
        tuple(_changes(tuple(distinct.values()), timeline, cron_timezone)),
    )


class MinuteCounts:
    """How many sets contain each minute, for all minutes at once.

    Plane p has bit p of each minute's count, so adding a set is an addition with carry over a few
    integers, whatever the number of minutes.
    """

    def __init__(self, masks: Iterable[int]) -> None:
        self._planes: list[int] = []
        for mask in masks:
            self._add(mask)

    def _add(self, carry: int) -> None:
        for index, plane in enumerate(self._planes):
            if not carry:
                return
            self._planes[index], carry = plane ^ carry, plane & carry
        if carry:
            self._planes.append(carry)

    def above(self, limit: int) -> int:
        """Return the set of minutes with a count above `limit`."""
        above, equal = 0, -1
        for index in reversed(range(max(len(self._planes), limit.bit_length()))):
            plane = self._planes[index] if index < len(self._planes) else 0
            if limit >> index & 1:
                equal &= plane
            else:
                above |= equal & plane
                equal &= ~plane
        return above

    def highest(self, among: int, most: int) -> list[int]:
        """Return the minutes of a set with the highest counts, at most `most`."""
        found: list[int] = []
        while among and len(found) < most:
            top = among
            for plane in reversed(self._planes):
                top = top & plane or top
            while top and len(found) < most:
                low = top & -top
                found.append(low.bit_length() - 1)
                top ^= low
                among ^= low
        return found


def _by_hour(identities: Iterable[str], masks: Mapping[str, int], hours: int) -> tuple[int, ...]:
    """Count runs per hour. Rows with the same schedule are counted together."""
    alike: dict[int, int] = defaultdict(int)
    for identity in identities:
        alike[masks[identity]] += 1
    totals = [0] * hours
    for mask, count in alike.items():
        # Two hours are 15 bytes: slices of bytes take a fraction of the time of shifts.
        content = mask.to_bytes((hours // 2 + 1) * 15, "little")
        for index in range(hours):
            first = index // 2 * 15
            pair = int.from_bytes(content[first : first + 15], "little")
            hour = pair >> HOUR_MINUTES if index % 2 else pair & (1 << HOUR_MINUTES) - 1
            if hour:
                totals[index] += hour.bit_count() * count
    return tuple(totals)


def _overlaps(
    rows: Mapping[str, CronRow], masks: Mapping[str, int], durations: Mapping[str, float]
) -> Iterator[Overlap]:
    for identity, row in rows.items():
        recorded = durations.get(identity)
        seconds = recorded if recorded is not None else row.timeout
        if seconds is None:
            continue
        mask = masks[identity]
        during = mask & _after(mask, math.ceil(seconds / 60) - 1)
        if during:
            basis: Literal["recorded", "timeout"] = "timeout" if recorded is None else "recorded"
            yield Overlap(row, float(seconds), basis, during.bit_count(), mask.bit_count())


def _after(mask: int, minutes: int) -> int:
    """Return the minutes that follow one of the set within `minutes`."""
    minutes = min(minutes, mask.bit_length())
    smeared, width = mask << 1, 1
    if minutes < 1:
        return 0
    while width < minutes:
        step = min(width, minutes - width)
        smeared |= smeared << step
        width += step
    return smeared


def _changes(
    rows: Sequence[CronRow], timeline: Timeline, cron_timezone: str
) -> Iterator[ChangeReport]:
    zones = sorted({row.timezone or cron_timezone for row in rows})
    changes = [change for zone in zones for change in timeline.changes(zone)]
    for change in sorted(changes, key=lambda change: change.at):
        if change.at < timeline.start:
            continue
        # The wall-clock times that are left out, or come twice.
        offset = change.before if change.length > timedelta() else change.after
        first = (change.at + offset).replace(tzinfo=None)
        minutes = abs(change.length) // MINUTE
        touched = []
        for row in rows:
            if (row.timezone or cron_timezone) != change.timezone:
                continue
            times = timeline.wall_times(row.expression, first, minutes).bit_count()
            if times:
                touched.append(RowAtChange(row, _effect(row, change, timeline), times))
        kept = tuple(touched[:CLOCK_ROWS])
        yield ChangeReport(change, kept, len(touched) - len(kept))


def _effect(row: CronRow, change: ClockChange, timeline: Timeline) -> ChangeEffect:
    every_hour = timeline.follows_the_day(row.expression)
    if change.length > timedelta():
        return "skips" if every_hour else "moves"
    return "twice" if every_hour else "once"
