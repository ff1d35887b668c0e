"""What each worker is doing, in memory that the supervisor, its workers and its heartbeat process
share.

A worker writes its own slot, for about a microsecond per job; the others read. So the supervisor
knows which job is over its time, whom a stop waits for, and, when a worker is gone, what it was
running: no question has to be asked of a process that may be stuck or dead.

    STARTING → WAITING → RUNNING → REPORTING → TIDYING → WAITING → … → LEFT → DONE
                            └→ STOPPED

A slot's state is written last when a run begins, and first when it ends: a worker that dies in
between counts as having run nothing.
"""

from __future__ import annotations

import math
import mmap
import os
import struct
import time
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from dlq.process.posix.memory_file import open_memory_file

RAW_LIMIT = 16_384
"""Bytes of a running job that the scoreboard keeps. Of longer jobs it keeps the path alone."""
PATH_LIMIT = 256
LONGEST_TIMEOUT = 1e9
"""Seconds, 30 years: a number of any size can be stored in a job, and the sum must stay one."""

_RUN = struct.Struct("=BHIdd")
"""sigkill_on_stop, length of the path, length of the job or NOT_KEPT, start, deadline."""
_LIFE = struct.Struct("=qQd")
"""pid, count of runs begun in this slot by whatever process, last sign of life."""

_STATE = 0
_LIFE_AT = 8
_RUNS_AT = _LIFE_AT + 8
_BEAT_AT = _LIFE_AT + 16
_FAILURES_AT = _LIFE_AT + 24
_REASON_SIZE_AT = _LIFE_AT + 32
_RUN_AT = 64
_PATH_AT = 128
_RAW_AT = _PATH_AT + PATH_LIMIT
_REASON_AT = _RAW_AT + RAW_LIMIT
REASON_LIMIT = 600
SLOT_SIZE = 20_480
"""Whole pages, and only those that are used take memory: most jobs fit in the first."""
_NOT_KEPT = 0xFFFFFFFF
assert _REASON_AT + REASON_LIMIT <= SLOT_SIZE
assert _REASON_SIZE_AT + 2 <= _RUN_AT

_RUNS = struct.Struct("=Q")
_BEAT = struct.Struct("=d")
_REASON_SIZE = struct.Struct("=H")


GONE = -1
"""For a pid: its process is gone, and the next one isn't to be started yet."""


class State(IntEnum):
    STARTING = 0
    WAITING = 1
    RUNNING = 2
    LEFT = 3
    """It has reported everything and is about to exit, as planned."""
    STOPPED = 4
    """It killed itself within a run, because of a stop signal, and the job may be killed."""
    REPORTING = 5
    """The run has ended, and the server does not know its outcome yet."""
    DONE = 6
    """It has given its number up; only exit handlers and the end of the process are left."""

    TIDYING = 7
    """The job is reported; connections are closed and what it has left is freed."""


class Entry(NamedTuple):
    """One slot as it was read. Times are of the monotonic clock, which all processes of a host
    share. What concerns the run is meaningful while `state` is RUNNING."""

    state: State
    pid: int
    runs: int
    beat: float
    sigkill_on_stop: bool
    started: float
    deadline: float
    path: str
    raw: bytes | None
    reason: str = ""

    @property
    def is_running(self) -> bool:
        return self.state is State.RUNNING

    @property
    def has_left(self) -> bool:
        return self.state in (State.LEFT, State.DONE)

    @property
    def has_job(self) -> bool:
        return self.state in (State.RUNNING, State.STOPPED)


class Slot:
    """The writing end of one slot."""

    def __init__(self, memory: mmap.mmap, index: int) -> None:
        self._memory: mmap.mmap | bytearray = memory
        self._at = index * SLOT_SIZE
        self._runs = 0

    def occupy(self, pid: int) -> None:
        """Note a new process in this slot."""
        at = self._at
        self._memory[at + _STATE] = State.STARTING
        _, self._runs, _ = _LIFE.unpack_from(self._memory, at + _LIFE_AT)
        _LIFE.pack_into(self._memory, at + _LIFE_AT, pid, self._runs, time.monotonic())

    def detach(self) -> None:
        """Write to memory of this process alone from now on: it was forked by a job, and is not the
        process that this slot describes."""
        self._memory, self._at = bytearray(SLOT_SIZE), 0

    def vacate(self, reason: str) -> None:
        """Its process has died, perhaps before it wrote its pid."""
        self.occupy(GONE)
        self.note_reason(reason)

    def note_reason(self, reason: str) -> None:
        """Keep why this process cannot start, or how it has ended; empty where all is well."""
        text = reason.encode("utf-8", "replace")[:REASON_LIMIT]
        if text:
            self._memory[self._at + _REASON_AT : self._at + _REASON_AT + len(text)] = text
        _REASON_SIZE.pack_into(self._memory, self._at + _REASON_SIZE_AT, len(text))

    def wait(self) -> None:
        self._memory[self._at + _STATE] = State.WAITING

    def begin(self, path: str, raw: bytes, timeout: float | None, sigkill_on_stop: bool) -> None:
        memory, at = self._memory, self._at
        name = path.encode("utf-8", "replace")[:PATH_LIMIT]
        memory[at + _PATH_AT : at + _PATH_AT + len(name)] = name
        size = len(raw)
        if size <= RAW_LIMIT:
            memory[at + _RAW_AT : at + _RAW_AT + size] = raw
        else:
            size = _NOT_KEPT
        started = time.monotonic()
        deadline = math.inf if timeout is None else started + min(timeout, LONGEST_TIMEOUT)
        _RUN.pack_into(memory, at + _RUN_AT, sigkill_on_stop, len(name), size, started, deadline)
        self._runs += 1
        _RUNS.pack_into(memory, at + _RUNS_AT, self._runs)
        memory[at + _STATE] = State.RUNNING

    def end(self) -> None:
        self._memory[self._at + _STATE] = State.REPORTING

    def end_now(self) -> None:
        """Move the deadline of the run forward to now, so that the supervisor ends it. Only while
        its process is stopped, or the run may be another one by then."""
        sigkill, path_size, size, started, _ = _RUN.unpack_from(self._memory, self._at + _RUN_AT)
        now = time.monotonic()
        _RUN.pack_into(self._memory, self._at + _RUN_AT, sigkill, path_size, size, started, now)

    def count_failure(self) -> None:
        """Count a run that ended badly, for the rates in the heartbeat."""
        _RUNS.pack_into(self._memory, self._at + _FAILURES_AT, self.failures() + 1)

    def failures(self) -> int:
        count: int = _RUNS.unpack_from(self._memory, self._at + _FAILURES_AT)[0]
        return count

    def tidy_up(self) -> None:
        self._memory[self._at + _STATE] = State.TIDYING

    def stop(self) -> None:
        self._memory[self._at + _STATE] = State.STOPPED

    def leave(self) -> None:
        self._memory[self._at + _STATE] = State.LEFT

    def done(self) -> None:
        self._memory[self._at + _STATE] = State.DONE

    def beat(self) -> None:
        """A sign of life, of children that run no jobs."""
        _BEAT.pack_into(self._memory, self._at + _BEAT_AT, time.monotonic())


class Scoreboard:
    """`fd` can be handed to a process that was not forked from here: see `attach`."""

    def __init__(self, slots: int) -> None:
        self.fd = open_memory_file("dlq-scoreboard")
        self._size = slots
        os.ftruncate(self.fd, max(slots, 1) * SLOT_SIZE)
        self._memory = mmap.mmap(self.fd, max(slots, 1) * SLOT_SIZE)

    @classmethod
    def attach(cls, fd: int) -> Scoreboard:
        """The scoreboard of another process, by a file descriptor of it."""
        scoreboard = cls.__new__(cls)
        scoreboard.fd = fd
        size = os.fstat(fd).st_size
        scoreboard._size = size // SLOT_SIZE
        scoreboard._memory = mmap.mmap(fd, size)
        return scoreboard

    def slot(self, index: int) -> Slot:
        if not 0 <= index < self._size:
            raise IndexError(f"the scoreboard has {self._size} slots, and {index} is none of them")
        return Slot(self._memory, index)

    def read(self, index: int) -> Entry:
        memory, at = self._memory, index * SLOT_SIZE
        state = State(memory[at + _STATE])
        pid, runs, beat = _LIFE.unpack_from(memory, at + _LIFE_AT)
        sigkill, path_size, size, started, deadline = _RUN.unpack_from(memory, at + _RUN_AT)
        path = raw = None
        if state in (State.RUNNING, State.STOPPED):
            path = bytes(memory[at + _PATH_AT : at + _PATH_AT + path_size])
            if size != _NOT_KEPT:
                raw = bytes(memory[at + _RAW_AT : at + _RAW_AT + size])
        return Entry(
            state,
            pid,
            runs,
            beat,
            bool(sigkill),
            started,
            deadline,
            (path or b"").decode("utf-8", "replace"),
            raw,
            self._reason(at),
        )

    def counts(self, index: int) -> tuple[int, int]:
        """Return how many runs have begun in a slot, and how many of them have failed."""
        at = index * SLOT_SIZE
        return (
            _RUNS.unpack_from(self._memory, at + _RUNS_AT)[0],
            _RUNS.unpack_from(self._memory, at + _FAILURES_AT)[0],
        )

    def _reason(self, at: int) -> str:
        (size,) = _REASON_SIZE.unpack_from(self._memory, at + _REASON_SIZE_AT)
        text = bytes(self._memory[at + _REASON_AT : at + _REASON_AT + size])
        return text.decode("utf-8", "replace")

    def state(self, index: int) -> State:
        return State(self._memory[index * SLOT_SIZE + _STATE])

    def deadline(self, index: int) -> float:
        """When the run in this slot is over its time; infinity where there is none."""
        if self._memory[index * SLOT_SIZE + _STATE] != State.RUNNING:
            return math.inf
        deadline: float = _RUN.unpack_from(self._memory, index * SLOT_SIZE + _RUN_AT)[4]
        return deadline

    def entries(self) -> Iterator[Entry]:
        return (self.read(index) for index in range(self._size))
