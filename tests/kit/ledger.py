"""A record of what happened, that survives whatever a test does to the processes that write it.

One `write` of one line per event, to a file opened O_APPEND: lines of several processes never mix,
and a process that is killed has either written its line or not. It needs no server.
"""

from __future__ import annotations

import json
import os
import time
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
        lines = self.path.read_text().splitlines()
        found = (Event(*json.loads(line)) for line in lines)
        return [
            entry for entry in found if event in (None, entry.event) and job in (None, entry.job)
        ]

    def jobs(self, event: str) -> list[str]:
        return [entry.job for entry in self.events(event)]


def record(event: str, job: object = "") -> None:
    """Called in the processes under test."""
    line = json.dumps([time.monotonic(), os.getpid(), event, str(job)]) + "\n"
    fd = os.open(os.environ[VARIABLE], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(fd, line.encode())
    finally:
        os.close(fd)
