"""`dlq health --health-file F`: is the runner alive? Standard library only, since probes run often.

The supervision loop of `dlq run --health-file F` touches F about once a second. The probe compares
the file's age with a limit; it asks no server, so that a Redis outage restarts no runner.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

from dlq.primitives.duration import parse_duration

DEFAULT_LIMIT = 30.0
"""Seconds. A loop that is late by that much is stuck, and not merely busy."""


def answer(words: Sequence[str]) -> int:
    """Print the answer; the exit code."""
    parser = argparse.ArgumentParser(prog="dlq health", description=__doc__, allow_abbrev=False)
    parser.add_argument("--health-file", "--file", dest="file", required=True, metavar="FILE")
    parser.add_argument("--max-age", type=_duration, default=DEFAULT_LIMIT, metavar="DURATION")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    options = parser.parse_args(words)
    text, healthy = judge(options.file, options.max_age, time.time())
    if options.format == "json":
        import json

        from dlq import __version__

        content = {"format_version": "1", "dlq": __version__, "alive": healthy, "message": text}
        print(json.dumps(content, indent=2))
    else:
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


def _duration(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
