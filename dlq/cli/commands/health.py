"""`dlq health --file F`: is the runner alive? Standard library only, for a probe is run often.

The supervision loop of `dlq run --health-file F` touches F about once a second. The probe compares
the file's age with a limit; it asks no server, so that a Redis outage restarts no runner.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

DEFAULT_LIMIT = 30.0
"""Seconds. A loop that is late by that much is stuck, and not merely busy."""


def answer(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="dlq health", description=__doc__, allow_abbrev=False)
    parser.add_argument("--file", required=True, metavar="F")
    parser.add_argument("--max-age", type=float, default=DEFAULT_LIMIT, metavar="SECONDS")
    options = parser.parse_args(words)
    text, healthy = judge(options.file, options.max_age, time.time())
    print(text, file=sys.stdout if healthy else sys.stderr)
    return 0 if healthy else 1


def judge(path: str, limit: float, now: float) -> tuple[str, bool]:
    """What to say of the file, and whether its runner is alive."""
    try:
        age = max(0.0, now - os.stat(path).st_mtime)
    except OSError as error:
        return f"not alive: {path}: {error.strerror}", False
    if age > limit:
        return f"not alive: {path} was touched {age:.0f} s ago, and {limit:g} s are allowed", False
    return f"alive: {path} was touched {age:.0f} s ago", True
