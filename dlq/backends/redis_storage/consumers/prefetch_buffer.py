"""What a worker has in hand, as its list on the server must show it.

    tail of the list                                       head of the list
    [acknowledged, not confirmed …] [running] [prefetched …]

The server works through what one connection sends in order, so the list is always this sequence
less some of its first items. After a broken connection that shows what was done and what was not.
Bookkeeping only: talks to no server.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence


class PrefetchBuffer:
    """All jobs are bytes, the oldest first."""

    def __init__(self) -> None:
        self.acknowledged: deque[bytes] = deque()
        self.running: bytes | None = None
        self.prefetched: deque[bytes] = deque()

    def take(self, jobs: Iterable[bytes]) -> None:
        """Add jobs that are in the list now, and were not."""
        self.prefetched.extend(jobs)

    def next_job(self) -> bytes:
        self.running = self.prefetched.popleft()
        return self.running

    def acknowledge(self) -> None:
        """Note that the end of the running job is being sent to the server."""
        if self.running is not None:
            self.acknowledged.append(self.running)
            self.running = None

    def confirm(self) -> None:
        """Note that the server has worked through the oldest of the acknowledgements."""
        if self.acknowledged:
            self.acknowledged.popleft()

    def release(self) -> None:
        """Note that the running job is not in the list any more."""
        self.running = None

    def requeue(self) -> None:
        """Make the running job the next one again."""
        self.prefetched.extendleft(self._running())
        self.running = None

    def forget(self) -> None:
        self.acknowledged.clear()
        self.running = None
        self.prefetched.clear()

    def compare(self, left: Sequence[bytes]) -> list[bytes]:
        """Correct the buffer by the list as the server has it, the oldest job first; return what
        was acknowledged and is still there, to be acknowledged once more.

        Mostly the list is what we left, less some at its beginning. Otherwise an acknowledgement
        was refused, or something came into the list that is not known here yet. Of jobs that are
        equal byte for byte it is all the same which of them is still there: they are counted.
        """
        expected = [*self.acknowledged, *self._running(), *self.prefetched]
        done = len(expected) - len(left)
        may_be_done = len(self.acknowledged) + len(self._running())
        if 0 <= done <= may_be_done and expected[done:] == list(left):
            if done > len(self.acknowledged):
                self.running = None
            again = list(self.acknowledged)[done:]
        else:
            again, rest = _split(left, self.acknowledged)
            if rest != [*self._running(), *self.prefetched]:
                self.prefetched.clear()
                if self.running not in rest[:1]:
                    self.running = None
        self.acknowledged = deque(again)
        return again

    def _running(self) -> list[bytes]:
        return [] if self.running is None else [self.running]


def _split(left: Sequence[bytes], acknowledged: Iterable[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Split what is left into what was acknowledged, and all else."""
    pending = Counter(acknowledged)
    again: list[bytes] = []
    rest: list[bytes] = []
    for raw in left:
        pending[raw] -= 1
        (rest if pending[raw] < 0 else again).append(raw)
    return again, rest
