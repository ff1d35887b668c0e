"""The bare loops that no queue in Python can beat: redis-py and nothing else.

    python -m tests.benchmarks.bare loop|script|push COUNT

`loop`: one job per round trip, acknowledged and taken in one pipeline. `script`: 32 jobs per round
trip, in one script. `push`: one LPUSH per job. Nothing is decoded, found or run. Prints seconds.
"""

from __future__ import annotations

import json
import os
import sys
import time

import redis

BATCH = 32
QUEUE = "bare"
IN_HAND = "bare:processing:1"
JOB = json.dumps(
    {
        "path": "tests.benchmarks.project.with_lightweight.tasks.nothing",
        "args": [],
        "kwargs": {},
        "timeout": None,
        "sigkill_on_stop": False,
        "created_time": "2026-11-24 08:00:00.000000",
    }
).encode()

MOVE = """
redis.call('DEL', KEYS[2])
local jobs = redis.call('RPOP', KEYS[1], ARGV[1])
if jobs then redis.call('LPUSH', KEYS[2], unpack(jobs)) end
return jobs
"""


def loop(client: redis.Redis, count: int) -> float:
    _fill(client, count)
    raw = client.lmove(QUEUE, IN_HAND, "RIGHT", "LEFT")
    began = time.perf_counter()
    while raw:
        with client.pipeline(transaction=False) as pipe:
            pipe.lrem(IN_HAND, 1, raw)  # type: ignore[arg-type]  # bytes are what a list has
            pipe.lmove(QUEUE, IN_HAND, "RIGHT", "LEFT")
            raw = pipe.execute()[1]
    return time.perf_counter() - began


def script(client: redis.Redis, count: int) -> float:
    _fill(client, count)
    move = client.register_script(MOVE)
    began = time.perf_counter()
    while move(keys=[QUEUE, IN_HAND], args=[BATCH]):
        pass
    return time.perf_counter() - began


def push(client: redis.Redis, count: int) -> float:
    client.ping()
    began = time.perf_counter()
    for _ in range(count):
        client.lpush(QUEUE, JOB)
    return time.perf_counter() - began


def _fill(client: redis.Redis, count: int) -> None:
    for begin in range(0, count, 1000):
        client.lpush(QUEUE, *[JOB] * min(1000, count - begin))


if __name__ == "__main__":
    verbs = {"loop": loop, "script": script, "push": push}
    with redis.Redis("127.0.0.1", int(os.environ["BENCH_PORT"])) as client:
        print(json.dumps(verbs[sys.argv[1]](client, int(sys.argv[2]))))
