"""Waiting for a condition of something that cannot report it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

FIVE_SECONDS = timedelta(seconds=5)


def block_for_time(
    should_continue_blocking: Callable[[], bool],
    timeout: timedelta,
    check_frequency: timedelta = FIVE_SECONDS,
) -> bool:
    """Wait for `timeout`, or until the function returns False. Return whether the time passed."""
    end = time.monotonic() + timeout.total_seconds()
    while should_continue_blocking():
        left = end - time.monotonic()
        if left <= 0:
            return True
        time.sleep(min(check_frequency.total_seconds(), left))
    return False
