"""Spans of time and moments as people read them. Pure."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo


def moment(at: datetime, zone: str, now: datetime) -> str:
    """`Tue 24 Nov 08:30  in 28 min`, in the zone's wall-clock time."""
    return f"{at.astimezone(ZoneInfo(zone)):%a %d %b %H:%M}  in {span((at - now).total_seconds())}"


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
