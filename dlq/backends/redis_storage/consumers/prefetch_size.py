"""How many jobs a worker takes at once, from how long they take.

Taking ahead saves round trips where jobs are short. It must not hold a job back that another worker
could run, so it looks no further ahead than a moment. Pure: the clock's reading is an argument.
"""

from __future__ import annotations

MOST = 32
"""Jobs in one round trip. At 32, a job's share of it is a microsecond or two."""

LOOK_AHEAD = 0.02
"""Seconds of work, by the pace of the last jobs, that are taken at once."""

TOO_OLD = 0.05
"""Seconds after which jobs that were taken ahead and not begun are given back, or asked for again.
It is looked at every 0.025 s, and 0.1 s is the longest that a job may wait behind another while
somebody is idle."""


class PrefetchSize:
    """Times are of the monotonic clock."""

    def __init__(self) -> None:
        self._many = 1
        self._taken = 0
        self._since = 0.0

    def took(self, count: int, now: float) -> None:
        self._taken = count
        self._since = now

    def is_over(self, now: float) -> bool:
        """Whether what was taken last was taken too long ago."""
        return now - self._since > TOO_OLD

    def slow(self) -> None:
        """A job has taken so long that those behind it were given back."""
        self._many = 1
        self._taken = 0

    def next(self, now: float) -> int:
        """How many to take now that those of the last time have ended."""
        if self._taken:
            each = max((now - self._since) / self._taken, 1e-6)
            self._many = max(1, min(MOST, self._many * 4, int(LOOK_AHEAD / each)))
            self._taken = 0
        return self._many
