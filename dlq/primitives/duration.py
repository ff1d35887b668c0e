"""Durations as people type and read them: `90s`, `1h30m`; `28 min`. Standard library only."""

from __future__ import annotations

import re

UNITS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
"""Seconds of each."""

LONGEST = 3660 * 86_400
"""Seconds: ten years. A duration beyond that is a typing error, and clocks have their limits."""

SYNTAX = re.compile(
    "".join(rf"(?:(?P<{unit}>\d{{1,10}}(?:\.\d{{1,9}})?){unit})?" for unit in UNITS), re.ASCII
)
BARE = re.compile(r"\d{1,10}(?:\.\d{1,9})?", re.ASCII)


def parse_duration(text: str) -> float:
    """Return the seconds; a bare number is seconds. Raises ValueError, whose text says how to
    write a duration."""
    wanted = text.strip()
    match = SYNTAX.fullmatch(wanted)
    if match is not None and wanted:
        seconds = sum(
            float(number or 0) * UNITS[unit] for unit, number in match.groupdict().items()
        )
    elif BARE.fullmatch(wanted):
        seconds = float(wanted)
    else:
        raise ValueError(f"{text!r} is not a duration: write 90s, 5m, 1h30m or 7d")
    if seconds > LONGEST:
        raise ValueError(f"{text!r} is too long: ten years at most")
    return seconds


def span(seconds: float) -> str:
    """`41 s`, `28 min`, `2 h 10 min`, `3 d 2 h`: as exact as one needs it at that length."""
    seconds = max(0, round(seconds))
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes and hours < 10 else f"{hours} h"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days} d {hours} h" if hours else f"{days} d"
