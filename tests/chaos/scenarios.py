"""The faults, each as one function that runs jobs under it and answers with a report.

A scenario enqueues from a process of its own, as a web server would, while the runner works and the
fault goes on; then it waits until all is settled. It judges nothing.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import redis

from tests.chaos.report import Kill, Report, read
from tests.kit.runner import ROOT, Runner
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until

QUEUE = "faults"
RELIABLE = "dlq.backends.reliable_redis.ReliableRedisBackend"
PATIENCE = 60.0
"""Seconds without progress after which a scenario gives up; its report then shows what is lost."""

JOB_TAKES = 0.002
"""Seconds. Long enough for kills to hit jobs, and not only the moments between them."""

PRODUCER = """
import sys
import django
django.setup()
from tests.project.faults.tasks import slow
count, batch, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
for first in range(0, count, batch):
    with slow.bulk_enqueue() as enqueue:
        for job in range(first, min(first + batch, count)):
            enqueue(job, seconds)
    print(min(first + batch, count), flush=True)
"""


def settings_for(server: Server, workers: int, **more: Any) -> dict[str, Any]:
    return {
        "workers": {QUEUE: workers},
        "backend": RELIABLE,
        "redis_port": server.port,
        "redis_prefix": "chaos",
        "max_crashes": 1000,
        "middleware": [],
        **more,
    }


def kills(
    directory: Path, server: Server, *, jobs: int, per_second: float, workers: int, seed: int
) -> Report:
    """kill -9 to random workers, `per_second` times a second, until every job has ended."""
    chance = random.Random(seed)
    began = time.monotonic()
    with Runner(directory, settings_for(server, workers), "--only-queue", QUEUE) as runner:
        runner.started(workers)
        names = [f"{QUEUE}/{number}" for number in range(1, workers + 1)]
        struck: list[Kill] = []
        with StartedWorkers(runner) as pids, _producer(runner, jobs) as sent:
            progress = _Progress(server, runner.ledger.path)
            while not (sent() >= jobs and progress.is_settled()):
                time.sleep(chance.expovariate(per_second))
                kill = _strike(pids.latest(chance.choice(names)), runner.pid)
                if kill is not None:
                    struck.append(kill)
                if progress.has_stalled():
                    break
            total = sent()
        seconds = time.monotonic() - began
    return read(
        runner.ledger.path,
        seed=seed,
        sent=total,
        failed=failed_jobs(server),
        kills=struck,
        seconds=seconds,
    )


def restarts(
    directory: Path, server: Server, *, jobs: int, restarts: int, machines: int, seed: int
) -> Report:
    """A pool whose machines are restarted one after the other, `restarts` times round, as a rolling
    deploy does it: TERM, wait, start again."""
    began = time.monotonic()
    settings = settings_for(server, machines)
    runners = []
    for machine in range(1, machines + 1):
        own = directory / f"machine-{machine}"
        own.mkdir()
        runners.append(
            Runner(
                own,
                settings,
                *("--machine", str(machine), "--of", str(machines), "--only-queue", QUEUE),
                environment={"TEST_LEDGER": str(directory / "ledger")},
            )
        )
    with _all_of(runners):
        for runner in runners:
            runner.started()
        with _producer(runners[0], jobs, takes=0.0) as sent:
            progress = _Progress(server, directory / "ledger")
            for round_ in range(restarts):
                share = jobs * (round_ + 1) // (restarts + 1)
                wait_until(partial(_has_reached, sent, share), 120, what=f"{share} jobs sent")
                for runner in runners:
                    runner.stop()
                    runner.start()
                    wait_until(partial(_has_started, runner, round_ + 2), 15, what="it is back")
            while not (sent() >= jobs and progress.is_settled()) and not progress.has_stalled():
                time.sleep(0.05)
            total = sent()
        seconds = time.monotonic() - began
    return read(
        directory / "ledger",
        seed=seed,
        sent=total,
        failed=failed_jobs(server),
        kills=(),
        seconds=seconds,
    )


MUTATIONS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    lambda chance, raw: raw[: chance.randrange(1, len(raw))],
    lambda chance, raw: bytes(chance.randrange(256) for _ in range(chance.randrange(1, 200))),
    lambda chance, raw: b"\xff\xfe" + raw,
    lambda chance, raw: b"[" * chance.randrange(1000, 100_000),
    lambda chance, raw: chance.choice((b"null", b"[]", b"{}", b"1", b'"x"', b"", b"NaN")),
    lambda chance, raw: _changed(raw, "path", chance.choice((None, 7, "", "os.system", "a.b\x1b"))),
    lambda chance, raw: _changed(raw, "args", chance.choice((None, 7, "abc", {}))),
    lambda chance, raw: _changed(raw, "kwargs", chance.choice((None, 7, "abc", []))),
    lambda chance, raw: _changed(raw, "timeout", chance.choice(("1", -1, True, []))),
    lambda chance, raw: _changed(raw, "created_time", chance.choice((5, "soon", [], "2026-13-01"))),
    lambda chance, raw: b'{"path": 1' + b"0" * chance.randrange(5000, 9000) + b"}",
)


def payloads(directory: Path, server: Server, *, count: int, seed: int) -> tuple[Report, set[int]]:
    """`count` payloads that are no jobs, with a good job between each hundred; the report, and the
    pids that the worker had over the run."""
    chance = random.Random(seed)
    good: dict[str, Any] = {
        "path": "tests.project.faults.tasks.quick",
        "kwargs": {},
        "timeout": None,
        "sigkill_on_stop": False,
        "created_time": "2026-11-24 10:00:00.000000",
    }
    began = time.monotonic()
    settings = settings_for(server, 1, failed_keep=count + 1000)
    key = f"chaos:django_lightweight_queue:{QUEUE}"
    sent = 0
    with Runner(directory, settings, "--only-queue", QUEUE) as runner, server.client() as client:
        runner.started()
        first = runner.worker_pid(f"{QUEUE}/1")
        for start in range(0, count, 100):
            batch = []
            for _ in range(min(100, count - start)):
                raw = json.dumps({**good, "args": [0]}).encode()
                batch.append(chance.choice(MUTATIONS)(chance, raw))
            batch.append(json.dumps({**good, "args": [sent]}).encode())
            sent += 1
            client.lpush(key, *batch)
        progress = _Progress(server, runner.ledger.path)
        while not progress.is_settled() and not progress.has_stalled():
            time.sleep(0.05)
        seconds = time.monotonic() - began
        pids = {first, runner.worker_pid(f"{QUEUE}/1")}
    report = read(
        runner.ledger.path,
        seed=seed,
        sent=sent + count,
        failed=failed_jobs(server),
        kills=(),
        seconds=seconds,
    )
    return report, pids


def failed_jobs(server: Server) -> int:
    with server.client() as client:
        kind = client.type(f"chaos:dlq:failed:{QUEUE}")
        key = f"chaos:dlq:failed:{QUEUE}"
        if kind == b"none":
            return 0
        counts: dict[bytes, Callable[[str], Any]] = {
            b"stream": client.xlen,
            b"list": client.llen,
            b"hash": client.hlen,
            b"zset": client.zcard,
        }
        return int(counts[kind](key))


class StartedWorkers(AbstractContextManager["StartedWorkers"]):
    """The latest pid of each worker, from what the runner prints, read as it grows."""

    def __init__(self, runner: Runner) -> None:
        self._output = runner.output_path.open()
        self._pids: dict[str, int] = {}
        self._rest = ""

    def __exit__(self, *exc_info: object) -> None:
        self._output.close()

    def latest(self, name: str) -> int:
        self._rest += self._output.read()
        *lines, self._rest = self._rest.split("\n")
        for line in lines:
            worker, found, pid = line.partition(" | started, pid ")
            if found:
                self._pids[worker] = int(pid)
        return self._pids[name]


class _Progress:
    """Whether anything is still to be done on the server, and whether that changes."""

    def __init__(self, server: Server, ledger: Path) -> None:
        self._client = server.client()
        self._ledger = ledger
        self._size = -1
        self._since = time.monotonic()

    def is_settled(self) -> bool:
        key = f"chaos:django_lightweight_queue:{QUEUE}"
        try:
            if self._client.llen(key):
                return False
            return not any(
                self._client.llen(name) for name in self._client.scan_iter(f"{key}:processing:*")
            )
        except redis.RedisError:
            return False

    def has_stalled(self) -> bool:
        size = self._ledger.stat().st_size
        now = time.monotonic()
        if size != self._size:
            self._size, self._since = size, now
        return now - self._since > PATIENCE


@contextmanager
def _producer(runner: Runner, jobs: int, takes: float = JOB_TAKES) -> Iterator[Callable[[], int]]:
    """Enqueue `jobs` jobs from a process of its own; the function tells how many the server has
    acknowledged so far."""
    output = runner.output_path.with_name("producer")
    errors = runner.output_path.with_name("producer-errors")
    with output.open("wb") as out, errors.open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-c", PRODUCER, str(jobs), "500", str(takes)],
            cwd=ROOT,
            env=runner.environment,
            stdout=out,
            stderr=err,
        )

    def sent() -> int:
        if process.poll() not in (None, 0):
            raise AssertionError(f"the producer failed:\n{errors.read_text()}")
        lines = output.read_text().split("\n")[:-1]
        return int(lines[-1]) if lines else 0

    try:
        yield sent
    finally:
        process.kill()
        process.wait(10)


def _strike(pid: int, supervisor: int) -> Kill | None:
    """Kill a worker, if it lives: a signal that reaches a process which has already ended, and is
    not reaped yet, is no kill."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        if state[0] == "Z" or int(state[1]) != supervisor:
            return None
        at = time.monotonic()
        os.kill(pid, signal.SIGKILL)
    except (OSError, IndexError):
        return None
    return Kill(at, time.monotonic(), pid)


def _has_started(runner: Runner, times: int) -> bool:
    return runner.output.count(" | started, pid ") >= times


def _has_reached(sent: Callable[[], int], share: int) -> bool:
    return sent() >= share


@contextmanager
def _all_of(runners: list[Runner]) -> Iterator[None]:
    with ExitStack() as stack:
        for runner in runners:
            stack.enter_context(runner)
        yield


def _changed(raw: bytes, key: str, value: object) -> bytes:
    content = json.loads(raw)
    if value is None:
        del content[key]
    else:
        content[key] = value
    return json.dumps(content).encode()
