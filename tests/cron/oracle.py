"""A second opinion on when a row fires: the wall clock is watched minute by minute.

It shares no code with dlq and none with cronsim: fields are read here, days are matched here, and
what a change of the clocks does follows from watching how far the wall clock had come.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)


def numbers(text: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for term in text.split(","):
        span, _, step = term.partition("/")
        first, _, last = span.partition("-")
        if span == "*":
            start, end = low, high
        elif last:
            start, end = int(first), int(last)
        else:
            start, end = int(first), high if step else int(first)
        found.update(range(start, end + 1, int(step or 1)))
    return frozenset(found)


class Watched:
    """Five fields of cron text, of which the day and the weekday are not both restricted."""

    def __init__(self, expression: str) -> None:
        minute, hour, day, month, weekday = expression.split()
        assert "*" in (day, weekday)
        self.minutes, self.hours = numbers(minute, 0, 59), numbers(hour, 0, 23)
        self.days, self.months = numbers(day, 1, 31), numbers(month, 1, 12)
        self.weekdays = frozenset(number % 7 for number in numbers(weekday, 0, 7))
        self.all_day = len(self.hours) == 24

    def shows(self, wall: datetime) -> bool:
        return (
            wall.minute in self.minutes
            and wall.hour in self.hours
            and wall.day in self.days
            and wall.month in self.months
            and wall.isoweekday() % 7 in self.weekdays
        )


def fires(watched: Watched, walls: list[tuple[datetime, datetime]]) -> list[datetime]:
    """`walls`: each minute's instant with what the wall clock shows. The first one only says where
    the clock was."""
    furthest = walls[0][1]
    found = []
    for at, wall in walls[1:]:
        if watched.all_day:
            if watched.shows(wall):
                found.append(at)
        elif wall > furthest:
            passed = furthest
            while passed < wall:
                passed += MINUTE
                if watched.shows(passed):
                    found.append(at)
                    break
        furthest = max(furthest, wall)
    return found


def watch(zone: ZoneInfo, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    walls = []
    at = start
    while at <= end:
        walls.append((at, at.astimezone(zone).replace(tzinfo=None)))
        at += MINUTE
    return walls


def clock_changes(zone: ZoneInfo, first_year: int, last_year: int) -> list[datetime]:
    """Every instant at which the offset of the zone is another one than a minute before."""
    changes = []
    at, end = datetime(first_year, 1, 1, tzinfo=UTC), datetime(last_year + 1, 1, 1, tzinfo=UTC)
    step = timedelta(hours=1)
    while at < end:
        if at.astimezone(zone).utcoffset() != (at + step).astimezone(zone).utcoffset():
            minute = at + MINUTE
            while minute.astimezone(zone).utcoffset() == at.astimezone(zone).utcoffset():
                minute += MINUTE
            changes.append(minute)
        at += step
    return changes
