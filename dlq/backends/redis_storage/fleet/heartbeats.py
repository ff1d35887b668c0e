"""The heartbeats of runners: a key that lasts ALIVE_FOR and is renewed while the runner lives.

Invariant: the heartbeat of a living runner is never late by more than a third of ALIVE_FOR,
whatever the server's size and latency. So nothing that a heartbeat process does for others may
stand between two renewals."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any, cast

import redis

from dlq.backends.redis_storage.keys import Keys, pattern
from dlq.backends.redis_storage.lua.scripts import RENEW_HEARTBEAT, SET_EXPIRING
from dlq.backends.redis_storage.stored_values import MOST, parse_json, read_record
from dlq.backends.redis_storage.transport.connect import run_script
from dlq.backends.state import KillRequest, QueueActivity, RunnerState, RunningJob
from dlq.types import Runner

ALIVE_FOR = 10.0
"""Seconds that a heartbeat lasts. It is renewed every 2 s, so four may be late or lost."""

GONE_FOR = 5.0
"""Seconds for which a runner of another host must have shown no heartbeat. When the server comes
back after an outage none has one for a moment; those that live renew it within seconds."""


PLAN_FOR = 60.0
"""Seconds that a published plan lasts. It is renewed every 10 s, and outlives its last runner."""


def heartbeat(state: RunnerState) -> str:
    """Return the value of a heartbeat."""
    fields = state._asdict()
    del fields["age"]
    return json.dumps(
        {
            **fields,
            "runner": state.runner._asdict(),
            "running": [job._asdict() for job in state.running],
            "activity": {queue: list(done) for queue, done in state.activity.items()},
            "exits": dict(state.exits),
        }
    )


def renew(client: redis.Redis, keys: Keys, state: RunnerState) -> list[KillRequest]:
    """Set the heartbeat; return the requests to end jobs. A script does it, because a full server
    refuses a plain SET: its runners would count as dead, and their jobs be given to others."""
    names = (keys.alive(state.runner.nonce), keys.kills(state.runner.nonce))
    answer: Any = run_script(
        client, RENEW_HEARTBEAT, names, heartbeat(state), int(ALIVE_FOR * 1000)
    )
    requests = (read_record(KillRequest, parse_json(text)) for text in answer[1::2])
    return [request for request in requests if request is not None]


def request_kill(client: redis.Redis, keys: Keys, runner: Runner, request: KillRequest) -> None:
    """Leave a request for the runner's next heartbeat."""
    pipe = client.pipeline(transaction=True)
    pipe.hset(keys.kills(runner.nonce), request.worker, json.dumps(request._asdict()))
    pipe.expire(keys.kills(runner.nonce), int(ALIVE_FOR))
    pipe.execute()


def withdraw(client: redis.Redis, keys: Keys, runner: Runner) -> None:
    client.delete(keys.alive(runner.nonce))


def publish_plan(client: redis.Redis, keys: Keys, pool_id: str, document: str) -> None:
    run_script(client, SET_EXPIRING, (keys.plan(pool_id),), document, int(PLAN_FOR * 1000))


def renew_plan(client: redis.Redis, keys: Keys, pool_id: str) -> bool:
    return bool(client.expire(keys.plan(pool_id), int(PLAN_FOR)))


def published_plan(client: redis.Redis, keys: Keys, pool_id: str) -> str | None:
    document = cast("bytes | None", client.get(keys.plan(pool_id)))
    return None if document is None else document.decode("utf-8", "replace")


def living(client: redis.Redis, keys: Keys) -> Callable[[str], bool]:
    """Return a function that says whether the runner with a nonce has a heartbeat. It asks once
    for each: a runner has many workers."""
    return cache(lambda nonce: bool(client.exists(keys.alive(nonce))))


def runners(client: redis.Redis, keys: Keys) -> list[RunnerState]:
    found = []
    for key in client.scan_iter(f"{pattern(keys.alive(''))}*", count=1000):
        value, ttl = client.get(key), client.pttl(key)
        state = _read(cast("bytes", value) or b"")
        if state is not None:
            found.append(state._replace(age=min(max(0.0, ALIVE_FOR - ttl / 1000), ALIVE_FOR)))
    return sorted(found, key=lambda state: (state.runner.machine or 0, state.runner.started))


def _read(value: bytes) -> RunnerState | None:
    """Return what a heartbeat says, its age apart; None for what is not a heartbeat."""
    content = parse_json(value)
    if not isinstance(content, dict):
        return None
    runner = read_record(Runner, content.get("runner"))
    workers, busy = content.get("workers"), content.get("busy")
    if runner is None or type(busy) is not int or not 0 <= busy <= MOST:
        return None
    if not isinstance(workers, list) or not all(isinstance(name, str) for name in workers):
        return None
    running = content.get("running")
    jobs = [read_record(RunningJob, job) for job in running] if isinstance(running, list) else []
    return RunnerState(
        runner,
        0.0,
        tuple(workers),
        busy,
        tuple(job for job in jobs if job is not None),
        _read_activity(content.get("activity")),
        _read_exits(content.get("exits")),
        content.get("is_supervised") is not False,
    )


def _read_exits(content: object) -> dict[str, str]:
    if not isinstance(content, dict):
        return {}
    return {name: text for name, text in content.items() if isinstance(text, str)}


def _read_activity(content: object) -> dict[str, QueueActivity]:
    found = {}
    for queue, counts in content.items() if isinstance(content, dict) else ():
        if isinstance(counts, list):
            fields = dict(zip(QueueActivity._fields, counts, strict=False))
            activity = read_record(QueueActivity, fields)
            if activity is not None:
                found[queue] = activity
    return found
