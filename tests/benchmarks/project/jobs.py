"""What the jobs do, the same in every system: nothing, or one line in the ledger.

The ledger is a file, so that it says the same of every system and costs the server nothing. Times
are of the monotonic clock, which all processes of a machine share.
"""

from __future__ import annotations

import os
import time


def nothing() -> None:
    """The job that is measured."""


def mark() -> None:
    """Say when it ran: the first and the last job of a drain."""
    _write(f"{time.monotonic()!r}\n")


def started(sent: float) -> None:
    """Say how many seconds after `sent` it ran."""
    _write(f"{time.monotonic() - sent!r}\n")


def _write(line: str) -> None:
    file = os.open(os.environ["BENCH_LEDGER"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)
