"""A record of what happened, that survives whatever a test does to the processes that write it.

One `write` of one line per event, to a file opened O_APPEND: lines of several processes never mix,
and a process that is killed has either written its line or not. But for one case in a million: the
kernel heeds a kill between two pages of the file. So each line begins with a line end, too, and
what was cut off stands alone and is passed over. It needs no server.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "TEST_LEDGER"
"""In the environment of the processes under test: the path of the ledger."""


@dataclass(frozen=True, slots=True)
class Event:
    """`at` is of the monotonic clock, which all processes of a host share."""

    at: float
    pid: int
    event: str
    job: str


class Ledger:
    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def events(self, event: str | None = None, job: object = None) -> list[Event]:
        with self.path.open() as lines:
            return [
                entry
                for entry in entries(lines)
                if event in (None, entry.event) and job in (None, entry.job)
            ]

    def jobs(self, event: str) -> list[str]:
        return [entry.job for entry in self.events(event)]


def entries(lines: Iterable[str]) -> Iterator[Event]:
    """The events in the lines of a ledger, without what a kill has cut off."""
    for line in lines:
        if line.startswith("[") and line.endswith("]\n"):
            yield Event(*json.loads(line))


def record(event: str, job: object = "") -> None:
    """Called in the processes under test."""
    line = f"\n{json.dumps([time.monotonic(), os.getpid(), event, str(job)])}\n"
    fd = os.open(os.environ[VARIABLE], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(fd, line.encode())
    finally:
        os.close(fd)
