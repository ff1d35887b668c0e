"""A tree of processes as the kernel sees it: who belongs to it, its memory, its processor time."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.kit.waiting import wait_until

TICKS = os.sysconf("SC_CLK_TCK")
STOP_LIMIT = 20.0
"""Seconds that a system has to stop by itself after TERM. Celery and RQ finish within two."""


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    parent: int
    started: int
    waited_ticks: int
    """User and system time of the children that it has waited for."""


def tree(root: int) -> tuple[Process, ...]:
    """`root` and its descendants. A process that dies while we look is left out."""
    everyone = list(_everyone())
    members = {process.pid: process for process in everyone if process.pid == root}
    grown = True
    while grown:
        grown = False
        for process in everyone:
            if process.pid not in members and process.parent in members:
                members[process.pid] = process
                grown = True
    return tuple(members.values())


def cpu_seconds(processes: Iterable[Process]) -> float:
    """To the nanosecond: counted in ticks of 10 ms, as /proc/PID/stat does it, what a worker's
    start takes would be nothing for most workers."""
    return sum(
        process.waited_ticks / TICKS + _nanoseconds(process.pid) / 1e9 for process in processes
    )


def _nanoseconds(pid: int) -> int:
    """On a processor, all threads that are there."""
    total = 0
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            total += int((thread / "schedstat").read_text().split()[0])
    return total


def pss_mib(processes: Iterable[Process]) -> float:
    """Proportional set size: pages that processes share are counted once over all of them."""
    total = 0
    for process in processes:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    return total / 1024


class Workers:
    """A system's workers, started by its own command in a session of their own.

    `log` takes what they print. On leaving, they are asked to stop, and whoever of them is left
    after the limit is killed.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.command = list(command)
        self.log = log
        with log.open("wb") as output:
            self._leader = subprocess.Popen(
                self.command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *exc_info: object) -> None:
        members = self.tree()
        with contextlib.suppress(ProcessLookupError):
            self._leader.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._leader.wait(STOP_LIMIT)
        for member in {process.pid: process for process in (*members, *self.tree())}.values():
            if _is_alive(member):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(member.pid, signal.SIGKILL)
        self._leader.wait(STOP_LIMIT)
        wait_until(lambda: not any(_is_alive(member) for member in members), what="all are gone")

    def tree(self) -> tuple[Process, ...]:
        return tree(self._leader.pid)

    def require_alive(self) -> None:
        if self._leader.poll() is not None:
            raise RuntimeError(
                f"{' '.join(self.command)} left with {self._leader.returncode}:\n{self.log_tail()}"
            )

    def log_tail(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]


def _everyone() -> Iterable[Process]:
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                yield _read(int(entry.name))


def _read(pid: int) -> Process:
    # The second field is the command's name in brackets, which may hold blanks and brackets.
    fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    return Process(pid, int(fields[1]), int(fields[19]), sum(map(int, fields[13:15])))


def _is_alive(process: Process) -> bool:
    try:
        text = Path(f"/proc/{process.pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    fields = text.rpartition(")")[2].split()
    return fields[0] != "Z" and int(fields[19]) == process.started


def processor_times() -> tuple[int, int]:
    """Of all processors together since the boot, in clock ticks: idle, and all (proc(5), the first
    line of /proc/stat; waiting for a disk is idle, and what a host has taken is not)."""
    numbers = [int(word) for word in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    return numbers[3] + numbers[4], sum(numbers)


def busy_share(before: tuple[int, int], after: tuple[int, int]) -> float:
    idle, total = (end - begin for begin, end in zip(before, after, strict=True))
    return 1 - idle / total if total else 0.0
