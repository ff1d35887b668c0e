"""Who owns a worker number.

Two processes that both think they are `emails/1` would read each other's list and run jobs twice. A
number's owner is a record in a hash on the server; a claim replaces it only if the old owner is
gone, and every script that takes or lets go of a job compares the record first.
"""

from __future__ import annotations

import json
import os
from typing import NamedTuple

from dlq.types import Runner


class Owner(NamedTuple):
    """One worker process. `started` is the start time of the process in clock ticks since the boot,
    by which a pid that was given to another process is told apart."""

    nonce: str
    host: str
    boot: str
    pid: int
    started: int
    exact: bool

    def record(self) -> str:
        return json.dumps(self._asdict(), sort_keys=True)

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def own(runner: Runner) -> Owner:
    """This process, as a worker of `runner`."""
    pid = os.getpid()
    return Owner(
        runner.nonce, runner.host, runner.boot, pid, process_started(pid) or 0, runner.exact
    )


def parse(record: str) -> Owner | None:
    """None for a record that is not one: nobody who could be asked."""
    try:
        content = json.loads(record)
        return Owner(**{name: content[name] for name in Owner._fields})
    except (ValueError, TypeError, KeyError):
        return None


def is_same_kernel(owner: Owner, runner: Runner) -> bool:
    """Whether the owner's pid can be looked up here."""
    return (owner.host, owner.boot) == (runner.host, runner.boot)


def process_lives(owner: Owner) -> bool:
    """Of an owner on this kernel: a zombie has ended."""
    return process_started(owner.pid) == owner.started


def process_started(pid: int) -> int | None:
    """Field 22 of /proc/<pid>/stat (proc(5)); None where there is no such process, or it is a
    zombie. The name in field 2 may hold anything, so fields are counted from its closing
    parenthesis."""
    try:
        stat = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None if os.path.exists("/proc/self/stat") else _without_proc(pid)
    try:
        fields = os.read(stat, 4096).rpartition(b")")[2].split()
    except OSError:
        return None
    finally:
        os.close(stat)
    return None if fields[0] in b"ZX" else int(fields[19])


def _without_proc(pid: int) -> int | None:
    """Where there is no /proc: 0 for a process that lives."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return 0
