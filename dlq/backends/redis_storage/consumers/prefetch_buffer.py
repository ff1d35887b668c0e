"""What a worker holds, as its list on the server must show it.

    tail of the list                                       head of the list
    [acknowledged, not confirmed …] [running] [untouched, taken ahead …]

The server works through what one connection sends in order, so the list is always this sequence
less some of its first items. After a broken connection that tells what was done and what was not.
Bookkeeping only: talks to nobody.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence


class PrefetchBuffer:
    """All jobs are bytes, the oldest first."""

    def __init__(self) -> None:
        self.acknowledged: deque[bytes] = deque()
        self.running: bytes | None = None
        self.ahead: deque[bytes] = deque()

    def take(self, jobs: Iterable[bytes]) -> None:
        """They are in the list now, and were not."""
        self.ahead.extend(jobs)

    def next_job(self) -> bytes:
        self.running = self.ahead.popleft()
        return self.running

    def acknowledge(self) -> None:
        """The server is being told that the job has ended."""
        if self.running is not None:
            self.acknowledged.append(self.running)
            self.running = None

    def confirm(self) -> None:
        """The server has worked through the oldest of the acknowledgements."""
        if self.acknowledged:
            self.acknowledged.popleft()

    def release(self) -> None:
        """The running job is in the list no more."""
        self.running = None

    def requeue(self) -> None:
        """The running job is to be handed out again."""
        self.ahead.extendleft(self._running())
        self.running = None

    def forget(self) -> None:
        self.acknowledged.clear()
        self.running = None
        self.ahead.clear()

    def compare(self, left: Sequence[bytes]) -> list[bytes]:
        """Put right after the list was read, the oldest job first. What was acknowledged and is
        still there, to be acknowledged once more.

        Mostly the list is what we left, less some at its beginning. Otherwise an acknowledgement
        was refused, or a take was under way, and what it brought is not known here yet. (If it
        brought a job that equals one of the acknowledged byte for byte, time included, it passes
        for that one.)
        """
        expected = [*self.acknowledged, *self._running(), *self.ahead]
        done = len(expected) - len(left)
        may_be_done = len(self.acknowledged) + len(self._running())
        if 0 <= done <= may_be_done and expected[done:] == list(left):
            if done > len(self.acknowledged):
                self.running = None
            again = list(self.acknowledged)[done:]
        else:
            again, rest = _split(left, self.acknowledged)
            if rest != [*self._running(), *self.ahead]:
                self.ahead.clear()
                if self.running not in rest[:1]:
                    self.running = None
        self.acknowledged = deque(again)
        return again

    def _running(self) -> list[bytes]:
        return [] if self.running is None else [self.running]


def _split(left: Sequence[bytes], acknowledged: Iterable[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Of what is left: what was acknowledged, and all else."""
    pending = Counter(acknowledged)
    again: list[bytes] = []
    rest: list[bytes] = []
    for raw in left:
        pending[raw] -= 1
        (rest if pending[raw] < 0 else again).append(raw)
    return again, rest
