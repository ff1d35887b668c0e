"""Which kernel this process runs on, and what can be known there of another process by its pid."""

from __future__ import annotations

import os
import secrets
import socket
from typing import Literal


def here() -> tuple[str, str]:
    """Return the host's name, and its boot: equal for two processes that can look up each other's
    pid."""
    return socket.gethostname(), _boot()


def _boot() -> str:
    """Return an id of this start of this kernel and of the namespaces in which pids and start times
    are counted: two containers share the one and not the other, and a pid of one means nothing in
    the other. Random where it can't be known: then nothing may be concluded from a pid."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            kernel = file.read().strip()
        pids = os.readlink("/proc/self/ns/pid")
        is_own_proc = os.readlink("/proc/self") == str(os.getpid())
    except OSError:
        return secrets.token_hex(8)
    # A /proc that was mounted for another namespace shows other processes under our pids.
    return f"{kernel}/{pids}{_time_namespace()}" if is_own_proc else secrets.token_hex(8)


def _time_namespace() -> str:
    """Return the time namespace, in which start times are counted; empty on kernels without."""
    try:
        return "/" + os.readlink("/proc/self/ns/time")
    except OSError:
        return ""


def state_of(pid: int, started: int) -> Literal["alive", "dead", "unknown"]:
    """Return what is known of the process that had this pid and start time on this kernel.

    Dead is what the kernel says is dead: there is no such process, or only a zombie, or the pid is
    another process's by now. A process that cannot be looked at (/proc mounted with hidepid) is
    unknown, and so is one whose start time was not known.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return "dead"
    except (PermissionError, OverflowError):
        pass
    found = _stat(pid)
    if found is None:
        return "unknown"
    state, start = found
    if state in b"ZX" or (started and start != started):
        return "dead"
    return "alive" if started else "unknown"


def process_started(pid: int) -> int:
    """Return the start time of a process in clock ticks since the boot, by which a pid that was
    given to another process is recognised; 0 where it can't be known."""
    found = _stat(pid)
    return 0 if found is None else found[1]


def _stat(pid: int) -> tuple[bytes, int] | None:
    """Return fields 3 and 22 of /proc/<pid>/stat (proc(5)): state and start time; None where they
    can't be read. The name in field 2 may hold anything, so fields are counted from its closing
    parenthesis."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            fields = file.read(4096).rpartition(b")")[2].split()
        return fields[0], int(fields[19])
    except (OSError, IndexError, ValueError):
        return None
