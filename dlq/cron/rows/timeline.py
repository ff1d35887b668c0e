"""The runs of many schedules within one range of time, as sets of minutes.

The same answers as `schedule.runs` (a test compares them), made for thousands of rows: a set is one
big integer whose bit i stands for the minute `start` + i, so that sets are combined at the speed of
the processor.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from dlq.cron.rows.schedule import MINUTE, find_change

DAY_MINUTES = 24 * 60


class ClockChange(NamedTuple):
    """`at` is the first instant with the new offset from UTC."""

    timezone: str
    at: datetime
    before: timedelta
    after: timedelta

    @property
    def length(self) -> timedelta:
        """How much of the wall clock is left out (positive) or comes twice (negative)."""
        return self.after - self.before


class Timeline:
    """`start` is aware and on a whole minute; the range has `minutes` minutes."""

    def __init__(self, start: datetime, minutes: int) -> None:
        self.start = start.astimezone(UTC)
        self.minutes = minutes
        self.end = self.start + minutes * MINUTE
        self._masks: dict[tuple[str, str], int] = {}
        self._days: dict[tuple[str, str, str, date, date], int] = {}
        self._times: dict[tuple[str, str], int] = {}
        self._changes: dict[str, tuple[ClockChange, ...]] = {}

    def runs(self, expression: str, timezone: str) -> int:
        """Return the set of minutes at which a schedule (checked before) fires."""
        key = expression, timezone
        if key not in self._masks:
            self._masks[key] = self._runs(expression, ZoneInfo(timezone), timezone)
        return self._masks[key]

    def changes(self, timezone: str) -> tuple[ClockChange, ...]:
        """Return the clock changes of the range, and of the day before it."""
        if timezone not in self._changes:
            self._changes[timezone] = tuple(
                clock_changes(timezone, self.start - timedelta(days=1), self.end)
            )
        return self._changes[timezone]

    def instants(self, mask: int) -> Iterator[datetime]:
        """Yield the minutes of a set, in order."""
        while mask:
            low = mask & -mask
            yield self.start + (low.bit_length() - 1) * MINUTE
            mask ^= low

    def follows_the_day(self, expression: str) -> bool:
        """Whether a schedule names all 24 hours: then its runs follow the day as it passes."""
        every_hour = self._times_of_day("0", "*")
        return self._times_of_day("0", expression.split()[1]) == every_hour

    def wall_times(self, expression: str, first: datetime, minutes: int) -> int:
        """Return at which of `minutes` minutes from `first` on, a time of the wall clock without a
        zone, a schedule fires. It knows no clock changes."""
        minute, hour, *days = expression.split()
        midnight = first.replace(hour=0, minute=0)
        offset = (first - midnight) // MINUTE
        last = first + minutes * MINUTE
        times = self._times_of_day(minute, hour)
        mask = 0
        matching = self._matching_days(days[0], days[1], days[2], midnight.date(), last.date())
        while matching:
            low = matching & -matching
            mask |= times << (low.bit_length() - 1) * DAY_MINUTES
            matching ^= low
        return mask >> offset & (1 << minutes) - 1

    def _runs(self, expression: str, zone: ZoneInfo, timezone: str) -> int:
        if _calendar(expression) is None:
            return 0
        mask = 0
        changes = self.changes(timezone)
        starts = [self.start, *(change.at for change in changes if change.at > self.start)]
        for first, last in zip(starts, [*starts[1:], self.end], strict=True):
            wall = first.astimezone(zone).replace(tzinfo=None)
            at = (first - self.start) // MINUTE
            mask |= self.wall_times(expression, wall, (last - first) // MINUTE) << at
        if not self.follows_the_day(expression):
            for change in changes:
                mask = self._with_change(mask, expression, change)
        return mask & (1 << self.minutes) - 1

    def _with_change(self, mask: int, expression: str, change: ClockChange) -> int:
        """Apply what a change does to a row that names hours: times that come twice fire the first
        time only, and all times that are left out fire together at the change."""
        at = (change.at - self.start) // MINUTE
        length = change.length // MINUTE
        if length < 0:
            repeated = (1 << -length) - 1
            return mask & ~(repeated << at if at >= 0 else repeated >> -at)
        wall = (change.at + change.before).replace(tzinfo=None)
        if at >= 0 and self.wall_times(expression, wall, length):
            mask |= 1 << at
        return mask

    def _times_of_day(self, minute: str, hour: str) -> int:
        key = minute, hour
        if key not in self._times:
            calendar = CronSim(f"{minute} {hour} * * *", datetime(2024, 1, 1))
            in_hour = sum(1 << value for value in calendar.minutes)
            self._times[key] = sum(in_hour << value * 60 for value in calendar.hours)
        return self._times[key]

    def _matching_days(self, day: str, month: str, weekday: str, first: date, last: date) -> int:
        """Return which days from `first` to `last` match, as a set."""
        key = day, month, weekday, first, last
        if key not in self._days:
            begin = datetime(first.year, first.month, first.day)
            mask = 0
            for moment in CronSim(f"0 0 {day} {month} {weekday}", begin - MINUTE):
                if moment.date() > last:
                    break
                mask |= 1 << (moment - begin).days
            self._days[key] = mask
        return self._days[key]


def clock_changes(timezone: str, start: datetime, end: datetime) -> Iterator[ClockChange]:
    """Yield the changes after `start` and before `end`."""
    zone = ZoneInfo(timezone)

    def offset(at: datetime) -> timedelta:
        return at.astimezone(zone).utcoffset() or timedelta()

    at = start.astimezone(UTC)
    while (change := find_change(at, end, zone)) is not None and change < end:
        yield ClockChange(timezone, change, offset(change - MINUTE), offset(change))
        at = change


def _calendar(expression: str) -> CronSim | None:
    try:
        return CronSim(expression, datetime(2024, 1, 1))
    except CronSimError:
        return None
