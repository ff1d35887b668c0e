"""A fuzzer over what other programs can write: stored bytes, owner records, heartbeats, counts,
delayed jobs, idempotency keys, failed jobs, and settings.

A real runner works on a real server. Each round writes hostile values and then pushes a good job,
the sentinel, to each queue. A failure is a sentinel that isn't done within LIMIT, a worker that
exits, or a command that shows a traceback. Nothing is written that may rightly stop a queue: no
live owner, no long pause, no time-out so short that a worker must be killed.
"""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import redis

from dlq.config.settings import Settings
from tests.kit.runner import ROOT, Runner
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until

RELIABLE = "dlq.backends.reliable_redis.ReliableRedisBackend"
QUEUES = {"faults": RELIABLE, "once": "dlq.backends.redis.RedisBackend"}
PREFIX = "fuzz"
LIMIT = 30.0
"""Seconds. An owner whose heartbeat has just ended is waited for about ten."""

EVERY_ROUNDS = 10
"""Rounds between two looks with dlq's own commands, which take a second each."""

GOOD: dict[str, Any] = {
    "path": "tests.project.faults.tasks.quick",
    "args": [0],
    "kwargs": {},
    "timeout": None,
    "sigkill_on_stop": False,
    "created_time": "2026-11-24 10:00:00.000000",
}


class FuzzReport(NamedTuple):
    """`written` counts hostile values, `sentinels` the good jobs that were done."""

    seed: int
    rounds: int
    written: int
    sentinels: int
    commands: int
    failures: tuple[str, ...]
    seconds: float

    def line(self) -> str:
        return json.dumps(self._asdict())


def fuzz(directory: Path, server: Server, *, minutes: float, seed: int) -> FuzzReport:
    chance = random.Random(seed)
    began = time.monotonic()
    values: dict[str, Any] = {
        "workers": dict.fromkeys(QUEUES, 2),
        "backend": RELIABLE,
        "backend_overrides": {"once": QUEUES["once"]},
        "redis_port": server.port,
        "redis_prefix": PREFIX,
        "middleware": [],
        "dequeue_timeout": 1,
        "failed_keep": 200,
    }
    rounds = written = sentinels = commands = 0
    failures: list[str] = []
    with Runner(directory, values) as runner, server.client() as client:
        runner.started(sum(values["workers"].values()))
        started = runner.output.count("| started, pid ")
        while time.monotonic() - began < minutes * 60 and not failures:
            rounds += 1
            written += _strike(client, chance)
            for queue in QUEUES:
                sentinel = f"{seed}-{rounds}-{queue}"
                raw = json.dumps({**GOOD, "args": [sentinel]})
                client.lpush(f"{PREFIX}:django_lightweight_queue:{queue}", raw)
                if _is_done(runner, sentinel):
                    sentinels += 1
                else:
                    failures.append(f"round {rounds}: queue {queue} is stuck")
            if runner.output.count("| started, pid ") != started:
                failures.append(f"round {rounds}: a worker exited")
            if rounds % EVERY_ROUNDS == 0:
                for words, more in _commands(chance):
                    commands += 1
                    failures += _traceback(runner, words, more)
        if failures:
            sys.stderr.write(runner.output[-20_000:])
    seconds = time.monotonic() - began
    return FuzzReport(seed, rounds, written, sentinels, commands, tuple(failures), seconds)


def _is_done(runner: Runner, sentinel: str) -> bool:
    try:
        wait_until(lambda: runner.ledger.events("end", sentinel), LIMIT)
    except AssertionError:
        return False
    return True


# Hostile values


def _strike(client: redis.Redis, chance: random.Random) -> int:
    """Write some hostile values; how many."""
    count = chance.randint(5, 40)
    for _ in range(count):
        queue = chance.choice(list(QUEUES))
        try:
            chance.choice(STRIKES)(client, chance, queue)
        except redis.ResponseError:
            # The server refuses it, so that no other program could have written it either.
            continue
    return count


def _key(chance: random.Random, name: str) -> str:
    return f"{PREFIX}:dlq:{name}"


def _job(client: redis.Redis, chance: random.Random, queue: str) -> None:
    push = chance.choice([client.lpush, client.rpush])
    push(f"{PREFIX}:django_lightweight_queue:{queue}", job_bytes(chance))


def _in_hand(client: redis.Redis, chance: random.Random, queue: str) -> None:
    number = chance.choice([1, 2, 3, 7, 1024])
    key = f"{PREFIX}:django_lightweight_queue:{queue}:processing:{number}"
    client.rpush(key, job_bytes(chance))


def _owner(client: redis.Redis, chance: random.Random, queue: str) -> None:
    """A process of another host, or one of this host that is dead."""
    record: Any = {
        "nonce": chance.choice(["gone", "", "\x1b[2J", "é" * 40]),
        "host": chance.choice(["elsewhere", os.uname().nodename, "\x1b]0;x\x07"]),
        "boot": "another",
        "pid": chance.choice([1, 2**22 + 1, 0]),
        "started": chance.choice([0, 1, 12345]),
        "exact": chance.random() < 0.3,
    }
    if chance.random() < 0.7:
        record[chance.choice(list(record))] = junk(chance)
    number = chance.choice(["1", "2", "3", "1025", "9" * 30, "x", "-1", ""])
    text = _damaged(chance, json.dumps(record).encode())
    client.hset(_key(chance, f"owner:{queue}"), number, text)


def _heartbeat(client: redis.Redis, chance: random.Random, queue: str) -> None:
    runner = {
        "nonce": "gone",
        "host": "x",
        "boot": "y",
        "pid": 1,
        "started": 1.0,
        "pool_id": "p",
        "machine": 1,
        "of": 1,
        "exact": False,
        "runs_cron": True,
        "settings_module": "x",
        "version": "5",
    }
    content: Any = {"runner": runner, "workers": [f"{queue}/1"], "busy": 0, "running": []}
    place = chance.choice([runner, content])
    place[chance.choice(list(place))] = junk(chance)
    nonce = chance.choice(["gone", "a", "*", "\n"])
    text = _damaged(chance, json.dumps(content).encode())
    client.set(_key(chance, f"alive:{nonce}"), text, px=chance.randint(1, 2000))


def _count(client: redis.Redis, chance: random.Random, queue: str) -> None:
    kind = chance.choice(["crashes", "attempts"])
    client.hset(_key(chance, f"{kind}:{queue}"), chance.choice(["a" * 40, "x"]), text(chance))


def _delayed(client: redis.Redis, chance: random.Random, queue: str) -> None:
    prefix = chance.choice([b"0" * 16 + b":", b"", b"short"])
    score = chance.choice([0.0, -math.inf, time.time() * 1000, -5.0, 1e300, math.inf])
    client.zadd(_key(chance, f"delayed:{queue}"), {prefix + job_bytes(chance): score})


def _lock(client: redis.Redis, chance: random.Random, queue: str) -> None:
    client.hset(_key(chance, f"locks:{queue}"), text(chance), text(chance))


def _idempotency_key(client: redis.Redis, chance: random.Random, queue: str) -> None:
    name = chance.choice(["cron:settled:tests.project.faults.settings", "cron:x:202601010000"])
    client.set(_key(chance, name), text(chance), px=chance.randint(1, 60_000))


def _failed(client: redis.Redis, chance: random.Random, queue: str) -> None:
    names = ("raw", "kind", "reason", "traceback", "ran", "attempts", "worker")
    fields: Any = {name: text(chance) for name in names if chance.random() < 0.8}
    fields["raw"] = job_bytes(chance)
    client.xadd(_key(chance, f"failed:{queue}"), fields)


def _pause(client: redis.Redis, chance: random.Random, queue: str) -> None:
    key = f"{PREFIX}:django_lightweight_queue:{queue}:pause"
    client.set(key, text(chance), px=chance.randint(1, 300))


def _server(client: redis.Redis, chance: random.Random, queue: str) -> None:
    if chance.random() < 0.3:
        client.script_flush()


STRIKES: tuple[Callable[[redis.Redis, random.Random, str], None], ...] = (
    *(_job, _job, _job, _in_hand, _owner, _owner, _heartbeat, _count, _delayed, _lock),
    *(_idempotency_key, _failed, _pause, _server),
)


def job_bytes(chance: random.Random) -> bytes:
    """A job with one or more of its fields replaced, or bytes that are no job."""
    content: dict[Any, Any] = {**GOOD, "args": ["fuzzed"]}
    for _ in range(chance.randint(0, 3)):
        name = chance.choice([*GOOD, "unknown", "retries", "__class__"])
        if chance.random() < 0.2:
            content.pop(name, None)
        else:
            content[name] = junk(chance)
    timeout = content.get("timeout")
    if isinstance(timeout, int | float) and timeout is not True and 0 < timeout < 60:
        # A worker whose job is over its time is killed, as it must be.
        content["timeout"] = 60
    if content.get("sigkill_on_stop"):
        content["sigkill_on_stop"] = junk(chance)
    return _damaged(chance, json.dumps(content).encode("utf-8", "surrogatepass"))


def junk(chance: random.Random) -> Any:
    """A value of JSON, often out of any range or of another type."""
    depth = chance.randint(1, 400)
    nested: Any = "x"
    for _ in range(depth):
        nested = [nested]
    return chance.choice(
        [
            *(None, True, False, 0, -1, 1, 2**31, 2**53, 2**63, 2**64, -(2**63), 10**400),
            *(0.0, -0.5, 1e308, math.inf, -math.inf, math.nan, 3.5),
            *("", "x", "\x00", "\x1b[31m", "‮", "\ud800", "é" * 300, "9" * 5000, "1e999"),
            *([], {}, [None], {"a": {}}, {"": ""}, nested),
            *("os.system", "dlq.__main__.main", "tests.project.faults.tasks", "a..b", ".", "日本"),
            *("2026-11-24", "9999-99-99 99:99:99.999999", "tests.project.faults.tasks.quick"),
        ]
    )


def text(chance: random.Random) -> bytes:
    return _damaged(chance, str(junk(chance)).encode("utf-8", "surrogatepass"))


def _damaged(chance: random.Random, raw: bytes) -> bytes:
    """The bytes, mostly; some are cut, changed or doubled."""
    if chance.random() < 0.7 or not raw:
        return raw
    at = chance.randrange(len(raw))
    return chance.choice(
        [
            raw[:at],
            raw[:at] + bytes([chance.randrange(256)]) + raw[at + 1 :],
            raw + raw,
            raw[at:],
            b"\xff\xfe" + raw,
            b"[" * 100_000,
            chance.randbytes(40),
        ]
    )


# Commands and settings


def _commands(chance: random.Random) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    yield ("status", "--format", "json"), {}
    yield ("failed", "list", "--format", "json"), {}
    yield ("status",), {}
    names = chance.sample(sorted(Settings.model_fields), 3)
    yield (
        ("plan", "--format", "json"),
        {f"LIGHTWEIGHT_QUEUE_{name.upper()}": _variable(chance) for name in names},
    )


def _variable(chance: random.Random) -> str:
    value = junk(chance)
    found = value if isinstance(value, str) else json.dumps(value)
    return found.replace("\x00", "").encode("utf-8", "replace").decode()[:2000]


def _traceback(runner: Runner, words: tuple[str, ...], more: dict[str, str]) -> Iterator[str]:
    """Yield what is wrong with how a command ended."""
    done = subprocess.run(
        [sys.executable, "-m", "dlq", *words],
        cwd=ROOT,
        env={**runner.environment, **more},
        capture_output=True,
        timeout=120,
        check=False,
    )
    shown = (done.stdout + done.stderr).decode("utf-8", "replace")
    if done.returncode not in (0, 1, 2, 3, 78) or b"Traceback" in done.stderr:
        yield f"dlq {' '.join(words)} with {more} ended with {done.returncode}: {shown[-2000:]}"
    if b"\x1b" in done.stdout + done.stderr:
        yield f"dlq {' '.join(words)} shows a control character"
