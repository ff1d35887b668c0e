"""The two plans that `dlq plan --diff OLD` compares."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from typing import Any

from dlq.errors import UsageError
from dlq.planning.comparison import PoolPlan, read_plan

LIMIT = 120.0
"""Seconds for the plan of other options: it loads a project, which takes a few."""


def read_old_plan(old: str, settings: str | None) -> PoolPlan:
    """Read the plan that OLD names: a file, `-` for stdin, or the options of `dlq plan` in quotes.

    Options without --settings get `settings`. Raises UsageError.
    """
    if old == "-":
        return read_plan(_parse(sys.stdin.read(), "stdin"), "stdin")
    if old.startswith("-"):
        return read_plan(_plan_of_options(old, settings), f"dlq plan {old}")
    try:
        with open(old, encoding="utf-8") as file:
            text = file.read()
    except OSError as error:
        raise UsageError(
            f"--diff {old}: {error.strerror}. OLD is a file that dlq plan --format json wrote, or"
            " the options of another plan in quotes"
        ) from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{old} is not JSON: it is not UTF-8 ({error.reason})") from None
    return read_plan(_parse(text, old), old)


def _plan_of_options(options: str, settings: str | None) -> Any:
    """Make the other plan in a process of its own: Django can be set up only once in this one."""
    try:
        words = shlex.split(options)
    except ValueError as error:
        raise UsageError(f"--diff {options!r}: {error}") from None
    named = [] if settings is None else ["--settings", settings]
    command = [sys.executable, "-m", "dlq", *named, "plan", *words, "--format", "json"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=LIMIT, stdin=subprocess.DEVNULL
    )
    try:
        return json.loads(done.stdout)
    except ValueError:
        said = done.stderr.strip().removeprefix("error: ") or f"exit code {done.returncode}"
        raise UsageError(f"--diff {options!r}: {said}") from None


def _parse(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise UsageError(f"{where} is not JSON: {error}") from None
