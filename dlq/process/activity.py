"""What a runner has done lately, from the counters in its scoreboard. Pure: the clock is given.

The heartbeat process notes the counters with each heartbeat, every two seconds. No job pays for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

from dlq.backends.state import QueueActivity

MINUTE = 60.0
RECENT = 300.0
"""Seconds of the longer of the two rates."""
BAR = 300.0
"""Seconds that one bar of the last hour covers."""
BARS = 12

Counts = Mapping[str, tuple[int, int]]
"""Queue → how many runs of its jobs have begun, and how many have failed, since the start."""


class Note(NamedTuple):
    """The counters at one time (monotonic)."""

    at: float
    counts: Counts


class ActivityLog:
    """Counters of the last hour: each of the last five minutes, and one for each bar before."""

    def __init__(self) -> None:
        self._recent: deque[Note] = deque()
        self._bars: deque[Note] = deque(maxlen=BARS + 1)

    def note(self, now: float, counts: Counts) -> None:
        """Take the counters down."""
        self._recent.append(Note(now, counts))
        while self._recent[0].at < now - RECENT - 5:
            self._recent.popleft()
        if not self._bars or now - self._bars[-1].at >= BAR:
            self._bars.append(Note(now, counts))

    def activity(self) -> dict[str, QueueActivity]:
        """Return what each queue has done lately; empty before the second note."""
        if len(self._recent) < 2:
            return {}
        now = self._recent[-1]
        minute, recent = self._since(now.at - MINUTE), self._since(now.at - RECENT)
        return {
            queue: QueueActivity(
                *_between(minute, now, queue), *_between(recent, now, queue), self._hour(queue, now)
            )
            for queue in now.counts
        }

    def _since(self, at: float) -> Note:
        """Return the last note before a time, or the first there is."""
        found = self._recent[0]
        for note in self._recent:
            if note.at > at:
                break
            found = note
        return found

    def _hour(self, queue: str, now: Note) -> tuple[int, ...]:
        """Return the runs of each bar, the newest last."""
        notes = [*self._bars, now]
        pairs = pairwise(notes)
        bars = [_between(earlier, later, queue)[0] for earlier, later in pairs]
        return tuple(bars[-BARS:])


def _between(earlier: Note, later: Note, queue: str) -> tuple[int, int]:
    """Return how many runs have ended well and badly between two notes."""
    runs, failed = later.counts[queue]
    runs_before, failed_before = earlier.counts.get(queue, (0, 0))
    failures = max(0, failed - failed_before)
    return max(0, runs - runs_before - failures), failures
