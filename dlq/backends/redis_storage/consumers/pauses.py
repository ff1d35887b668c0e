"""How long a worker relies on an answer: the queue may be paused, or the server full, by now."""

from __future__ import annotations

PAUSE_CHECK = 5.0
"""Seconds after which a worker of a paused queue asks again, since resume may end the pause."""

FULL_CHECK = 1.0
"""Seconds between two tries where a full server refuses the blocking command."""

VALID_FOR = 0.2
"""Seconds. A job that was delivered longer ago than that, while its worker tidied up or was not
given the processor, is asked about once more: there may be a pause by now, whose caller waits
storage.IN_FLIGHT (more than this) and then relies on it that no job starts any more."""

MOST_CHECKS = 3
"""How often a job is asked about again. A server that needs VALID_FOR for each answer must not keep
it from being run."""


def until_next_check(pause: int, left: float) -> float:
    """Return the seconds to sleep, of `left`. `pause`: ms until the pause ends by itself, negative
    where it doesn't."""
    rest = PAUSE_CHECK if pause < 0 else pause / 1000
    return min(left, rest, PAUSE_CHECK)
