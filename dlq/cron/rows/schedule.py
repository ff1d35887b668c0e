"""When rows fire: pure arithmetic over instants, with the clock changes of each row's zone.

cronsim knows the calendar and is asked in wall-clock time without a zone; what a change of the
clocks does to a run is decided here:

* A row whose hours are all 24 follows the day as it passes: it fires in both passes of an hour that
  comes twice, and not in one that is left out.
* Any other row names hours of the wall clock: a time that comes twice fires once, the first time;
  a time that is left out fires at the first instant after the gap, and several of them fire once.

The caller brings the time; nothing here asks a clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise, takewhile
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from dlq.cron.rows import fields
from dlq.cron.rows.row import CronRow

MINUTE = timedelta(minutes=1)
LOOK = timedelta(hours=6)
"""No zone has changed its clocks twice within this time, so looking this often misses no change."""

MINUTES_PER_DAY = 24 * 60

SAMPLE = 400
"""Days that are looked at for the shortest time between two: more than a leap year of them."""

SAMPLE_START = datetime(2024, 1, 1)
"""A Monday at the start of a leap year, so that 29 February is among the days."""


class Due(NamedTuple):
    """One run: a row, and the minute that it is for (aware, in UTC, to the whole minute)."""

    row: CronRow
    at: datetime


def due(
    rows: Iterable[CronRow], since: datetime, until: datetime, timezone: str = "UTC"
) -> list[Due]:
    """The runs after `since`, up to and including `until`, in their order. Both are aware;
    `timezone` is that of rows which name none."""
    found = [
        Due(row, at)
        for row in rows
        for at in takewhile(lambda at: at <= until, runs(row, since, timezone))
    ]
    return sorted(found, key=lambda run: run.at)


def runs(row: CronRow, since: datetime, timezone: str = "UTC") -> Iterator[datetime]:
    """Every instant after `since` at which the row fires, in UTC and without end, or none at all
    where no day ever matches."""
    return upcoming(row.expression, since, row.timezone or timezone)


def upcoming(expression: str, since: datetime, timezone: str = "UTC") -> Iterator[datetime]:
    """The instants that `runs` gives, for the text of a schedule, which was checked before."""
    since = since.astimezone(UTC)
    zone = ZoneInfo(timezone)
    calendar = _calendar(expression, SAMPLE_START)
    if calendar is None:
        return iter(())
    if calendar.hours == set(range(24)):
        return _every_hour(expression, since, zone)
    return _named_hours(expression, since, zone)


class Matching(NamedTuple):
    """The minutes, the hours and the weekdays (1 to 7, Monday to Sunday) that a schedule names. A
    weekday of some weeks only, the last Friday for instance, is not among them."""

    minutes: frozenset[int]
    hours: frozenset[int]
    weekdays: frozenset[int]


def matching(expression: str) -> Matching:
    """What the fields of a schedule match, each by itself."""
    calendar = CronSim(expression, SAMPLE_START)
    days = {day % 7 or 7 for day in calendar.weekdays if isinstance(day, int)}
    return Matching(frozenset(calendar.minutes), frozenset(calendar.hours), frozenset(days))


def never_fires(expression: str) -> bool:
    """Whether no day ever matches."""
    return Gaps().between_days(expression) is None


class Gaps:
    """The times between runs, on the wall clock. What many schedules share, such as their days, is
    computed once for each of these objects."""

    def __init__(self) -> None:
        self._days_between = cache(_days_between)
        self._times_of_day = cache(_times_of_day)

    def between_days(self, expression: str) -> int | None:
        """The least number of days from one with runs to the next; None where no day has any."""
        return self._days_between(expression.split(maxsplit=2)[2])

    def shortest(self, expression: str) -> timedelta | None:
        """The least time between two runs; None where there are no two."""
        days = self.between_days(expression)
        if days is None:
            return None
        span, least = self._times_of_day(*expression.split()[:2])
        over_night = days * MINUTES_PER_DAY - span
        return MINUTE * (over_night if least is None else min(over_night, least))


def _days_between(day_fields: str) -> int | None:
    least, last = None, None
    calendar = _calendar(f"0 0 {day_fields}", SAMPLE_START)
    for run, _ in zip(calendar or (), range(SAMPLE), strict=False):
        if last is not None:
            days = (run - last).days
            least = days if least is None else min(least, days)
            if least == 1:
                break
        last = run
    return least


def _times_of_day(minutes: str, hours: str) -> tuple[int, int | None]:
    """Minutes from the first time of a day to the last, and the least between two."""
    calendar = CronSim(f"{minutes} {hours} * * *", SAMPLE_START)
    times = sorted(60 * hour + minute for hour in calendar.hours for minute in calendar.minutes)
    least = min((later - earlier for earlier, later in pairwise(times)), default=None)
    return times[-1] - times[0], least


def in_words(expression: str) -> str:
    """`At minutes 0 and 30 of every hour`. The schedule was checked before."""
    calendar = _calendar(expression, SAMPLE_START)
    if calendar is None:
        return "Never: no month has such a day"
    minute, hour, _, month, _ = expression.split()
    weekdays = {day % 7 for day in calendar.weekdays if isinstance(day, int)}
    # Where neither of the two day fields begins with '*', a day matches that matches one of them.
    is_daily = calendar.days >= set(range(1, 32)) or weekdays >= set(range(7))
    if is_daily and not calendar.day_and:
        return CronSim(f"{minute} {hour} * {month} *", SAMPLE_START).explain()
    return calendar.explain()


def steps_too_wide(expression: str) -> list[str]:
    """The terms whose step is above the range of their field, so that they match once in it."""
    found = []
    for field, word in zip(fields.SCHEDULE, expression.split(), strict=True):
        for term in word.split(","):
            step = term.partition("/")[2]
            if step and int(step) > field.high - field.low:
                found.append(term)
    return found


def _calendar(expression: str, start: datetime) -> CronSim | None:
    """Wall-clock times after `start`, without a zone. None for the 31st of February and its like,
    which cronsim refuses."""
    try:
        return CronSim(expression, start)
    except CronSimError:
        return None


def _named_hours(expression: str, since: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    wall = _calendar(expression, since.astimezone(zone).replace(tzinfo=None))
    last = since
    for moment in wall or ():
        at = _first_instant(moment, zone)
        if at > last:
            yield at
            last = at


def _first_instant(moment: datetime, zone: ZoneInfo) -> datetime:
    """The first instant at which the wall clock shows `moment`, or the end of the gap that swallows
    it."""
    at = moment.replace(tzinfo=zone).astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) == moment:
        return at
    # In a gap, fold 0 reckons with the offset before it, and so lands after its end.
    before = moment.replace(tzinfo=zone).utcoffset()
    after = moment.replace(tzinfo=zone, fold=1).utcoffset()
    assert before is not None
    assert after is not None
    changed = find_change(at - (after - before), at, zone)
    return at if changed is None else changed


def _every_hour(expression: str, since: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Between two changes of the clocks, wall-clock time is UTC and a constant."""
    looked, offset = since, _offset(since, zone)
    wall = (since + offset).replace(tzinfo=None)
    while True:
        for moment in _calendar(expression, wall) or ():
            at = (moment - offset).replace(tzinfo=UTC)
            changed = find_change(looked, at, zone)
            if changed is not None:
                looked, offset = changed, _offset(changed, zone)
                # A run at the very change counts, and the calendar begins after its start.
                wall = (changed + offset).replace(tzinfo=None) - timedelta(seconds=1)
                break
            yield at
            looked = at
        else:
            return


def find_change(after: datetime, until: datetime, zone: ZoneInfo) -> datetime | None:
    """Find the first instant in (after, until] whose offset is another one than before it."""
    offset = _offset(after, zone)
    low = after
    while low < until:
        high = min(low + LOOK, until)
        if _offset(high, zone) != offset:
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) / 2
                middle = middle.replace(microsecond=0)
                if middle <= low:
                    break
                if _offset(middle, zone) == offset:
                    low = middle
                else:
                    high = middle
            return high.replace(microsecond=0)
        low = high
    return None


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return offset
