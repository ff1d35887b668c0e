"""Durations as people type them: `90s`, `5m`, `1h30m`, `7d`. Standard library only."""

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
