"""Growing pauses between attempts. Pure: the clock and the dice are the caller's."""

from __future__ import annotations

from typing import NamedTuple


class Backoff(NamedTuple):
    """`first` is the pause after the first failure, each further one is twice as long, up to
    `limit`. All in seconds."""

    first: float
    limit: float
    at_once: bool = False
    """The first failure is followed by no pause at all."""
    failures: int = 0

    @property
    def pause(self) -> float:
        steps = self.failures - 1 - self.at_once
        if steps < 0:
            return 0.0
        return min(self.limit, self.first * 2.0 ** min(steps, 32))

    def failed(self) -> Backoff:
        return self._replace(failures=self.failures + 1)

    def worked(self) -> Backoff:
        return self if self.failures == 0 else self._replace(failures=0)


def for_children(limit: float = 30.0) -> Backoff:
    """0, 1, 2, 4 … `limit` seconds for a child that dies young."""
    return Backoff(first=1.0, limit=limit, at_once=True)


def for_servers() -> Backoff:
    """50 ms … 5 s for a server that cannot be used."""
    return Backoff(first=0.05, limit=5.0)


def jittered(pause: float, dice: float) -> float:
    """Between half and the whole of `pause`, by `dice` from 0 to 1: workers that lost one server
    together must not come back together."""
    return pause * (0.5 + dice / 2)
