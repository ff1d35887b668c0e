"""The enqueueing side, run in the environment of the system under test.

    python -m tests.benchmarks.project.produce fill|one|bulk|starts COUNT

Prints one JSON value: seconds for the first three, a list of seconds for `starts`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import django

WARM = 20
"""Calls before the clock starts: the first ones import and connect."""

PAUSE = 0.02
"""Seconds after a job's start until the next is sent, so that the system is idle again."""

LIMIT = 30.0


def fill(tasks: ModuleType, count: int) -> float:
    """One mark, `count` jobs, one mark."""
    began = time.perf_counter()
    tasks.put("mark")
    if hasattr(tasks, "put_many"):
        tasks.put_many(count)
    else:
        for _ in range(count):
            tasks.put("nothing")
    tasks.put("mark")
    return time.perf_counter() - began


def one(tasks: ModuleType, count: int) -> float:
    for _ in range(WARM):
        tasks.put("nothing")
    began = time.perf_counter()
    for _ in range(count):
        tasks.put("nothing")
    return time.perf_counter() - began


def bulk(tasks: ModuleType, count: int) -> float:
    tasks.put_many(WARM)
    began = time.perf_counter()
    tasks.put_many(count)
    return time.perf_counter() - began


def starts(tasks: ModuleType, count: int) -> list[float]:
    ledger = Path(os.environ["BENCH_LEDGER"])
    ledger.touch()
    for _ in range(WARM + count):
        size = ledger.stat().st_size
        end = time.monotonic() + LIMIT
        tasks.put("started", time.monotonic())
        while ledger.stat().st_size == size:
            if time.monotonic() > end:
                raise TimeoutError(f"a job did not start within {LIMIT:g} s")
            time.sleep(0.001)
        time.sleep(PAUSE)
    return [float(line) for line in ledger.read_text().splitlines()[WARM:]]


def main(verb: str, count: int) -> None:
    django.setup()
    tasks = import_module(f"tests.benchmarks.project.with_{os.environ['BENCH_SYSTEM']}.tasks")
    verbs: dict[str, Any] = {"fill": fill, "one": one, "bulk": bulk, "starts": starts}
    print(json.dumps(verbs[verb](tasks, count)))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
