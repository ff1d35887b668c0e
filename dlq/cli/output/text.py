"""Spans of time and moments as people read them. Pure."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from dlq.primitives.duration import span

__all__ = ["moment", "span"]


def moment(at: datetime, zone: str, now: datetime) -> str:
    """`Tue 24 Nov 08:30  in 28 min`, in the zone's wall-clock time."""
    return f"{at.astimezone(ZoneInfo(zone)):%a %d %b %H:%M}  in {span((at - now).total_seconds())}"
