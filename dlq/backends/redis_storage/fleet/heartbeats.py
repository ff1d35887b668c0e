"""The heartbeats of runners: a key that lasts ALIVE_FOR and is renewed while the runner lives.

Invariant: the heartbeat of a living runner is never late by more than a third of ALIVE_FOR,
whatever the server's size and latency. So nothing that a heartbeat process does for others may
stand between two renewals."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import cast

import redis

from dlq.backends.redis_storage.keys import Keys, pattern
from dlq.backends.redis_storage.lua.scripts import SET_EXPIRING
from dlq.backends.redis_storage.transport.connect import run_script
from dlq.backends.state import RunnerState
from dlq.types import Runner

ALIVE_FOR = 10.0
"""Seconds that a heartbeat lasts. It is renewed every 2 s, so four may be late or lost."""

GONE_FOR = 5.0
"""Seconds for which a runner of another host must have shown no heartbeat. When the server comes
back after an outage none has one for a moment; those that live renew it within seconds."""


def heartbeat(runner: Runner, workers: Sequence[str], busy: int) -> str:
    """Return the value of a heartbeat."""
    return json.dumps({"runner": runner._asdict(), "workers": list(workers), "busy": busy})


def renew(
    client: redis.Redis, keys: Keys, runner: Runner, workers: Sequence[str], busy: int
) -> None:
    """Set the heartbeat. A script does it, because a full server refuses a plain SET: its runners
    would count as dead, and their jobs be given to others."""
    value = heartbeat(runner, workers, busy)
    run_script(client, SET_EXPIRING, (keys.alive(runner.nonce),), value, int(ALIVE_FOR * 1000))


def withdraw(client: redis.Redis, keys: Keys, runner: Runner) -> None:
    client.delete(keys.alive(runner.nonce))


def living(client: redis.Redis, keys: Keys) -> Callable[[str], bool]:
    """Return a function that says whether the runner with a nonce has a heartbeat. It asks once
    for each: a runner has many workers."""
    return cache(lambda nonce: bool(client.exists(keys.alive(nonce))))


def runners(client: redis.Redis, keys: Keys) -> list[RunnerState]:
    found = []
    for key in client.scan_iter(f"{pattern(keys.alive(''))}*", count=1000):
        value, ttl = client.get(key), client.pttl(key)
        try:
            content = json.loads(cast("bytes", value) or b"")
            runner = Runner(**content["runner"])
            workers, busy = tuple(content["workers"]), int(content["busy"])
        except (ValueError, TypeError, KeyError):
            continue
        found.append(RunnerState(runner, max(0.0, ALIVE_FOR - ttl / 1000), workers, busy))
    return sorted(found, key=lambda state: (state.runner.machine or 0, state.runner.started))
