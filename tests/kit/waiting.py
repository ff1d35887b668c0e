"""Wait for facts, not for seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(fact: Callable[[], T], limit: float = 10.0, *, what: str = "") -> T:
    """Ask until `fact()` is true, and give its answer. Fails the test after `limit` seconds."""
    end = time.monotonic() + limit
    while True:
        answer = fact()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {limit:g} s: {what or fact} (last answer {answer!r})")
        time.sleep(0.005)
