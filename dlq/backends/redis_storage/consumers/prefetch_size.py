"""How many jobs a worker takes at once, from how long they take and how large they are.

Prefetching saves round trips where jobs are short. It must not keep a job from another worker that
could run it, so it is for a moment's work only. Pure: the clock's reading is an argument.
"""

from __future__ import annotations

from collections.abc import Sequence

MOST = 32
"""Jobs in one round trip. At 32, a job's share of it is a microsecond or two."""

MOST_BYTES = 1024 * 1024
"""Bytes that are taken at once, unless one job is larger: a worker keeps them in memory."""

WORK_AT_ONCE = 0.02
"""Seconds of work, by the speed of the last jobs, that are taken at once."""

TOO_OLD = 0.05
"""Seconds after which jobs that were prefetched and not begun are given back, or asked for again.
It is checked every 0.025 s, and 0.1 s is the longest that a job may wait behind another while
another worker is idle."""


class PrefetchSize:
    """Times are of the monotonic clock."""

    def __init__(self) -> None:
        self._many = 1
        self._count = 0
        self._bytes = 0
        self._since = 0.0

    def took(self, jobs: Sequence[bytes], now: float) -> None:
        self._count = len(jobs)
        self._bytes = sum(map(len, jobs))
        self._since = now

    def is_over(self, now: float) -> bool:
        """Whether what was taken last was taken too long ago."""
        return now - self._since > TOO_OLD

    def slow(self) -> None:
        """Note that a job has taken so long that those behind it were given back."""
        self._many = 1
        self._count = 0

    def next(self, now: float) -> int:
        """Return how many to take, now that those of the last time have ended."""
        if self._count:
            each = max((now - self._since) / self._count, 1e-6)
            fit = MOST_BYTES * self._count // max(1, self._bytes)
            self._many = max(1, min(MOST, fit, self._many * 4, int(WORK_AT_ONCE / each)))
            self._count = 0
        return self._many
