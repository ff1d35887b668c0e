"""A queue that is far too long: nothing of ours holds the server up."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.faults.conftest import dlq
from tests.kit.waiting import wait_until
from tests.kit.warm import Warm
from tests.process.conftest import QUEUE, Host

pytestmark = pytest.mark.chaos

LIMIT = 10_000
"""Microseconds that a command may keep the server from others."""


@pytest.mark.parametrize("jobs", [50_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_no_command_takes_long(own_host: Host, warm: Warm, jobs: int) -> None:
    """Start, run, show, pause, deduplicate, clear. The server's log of slow commands judges; at the
    end it has one that is slow on purpose, and no other."""
    host, key = own_host, f"django_lightweight_queue:{QUEUE}"
    host.client.config_set("appendfsync", "no")
    for first in range(0, jobs, 10_000):
        with host.held():
            for job in range(first, first + 10_000):
                host.push("quick", job // 2)
    host.client.config_set("slowlog-max-len", "1000")
    host.client.config_set("slowlog-log-slower-than", str(LIMIT))
    host.client.slowlog_reset()

    runner = host.run(workers=2)
    wait_until(lambda: len(host.ledger.events("end")) > 1000, 30)
    dlq(warm, runner, "pause", QUEUE, "--for", "1h")
    status = json.loads(dlq(warm, runner, "status", "--format", "json"))
    [queue] = [entry for entry in status["queues"] if entry["queue"] == QUEUE]
    assert queue["waiting"] > jobs / 2
    dlq(warm, runner, "failed", "list")
    before = host.client.llen(key)
    dlq(warm, runner, "deduplicate", QUEUE)
    assert host.client.llen(key) <= before / 2 + 1
    dlq(warm, runner, "clear", QUEUE, "--yes")
    assert host.client.llen(key) == 0
    assert runner.stop() == 0
    host.client.eval("for i = 1, 30000000 do end", 0)
    entries: Any = host.client.slowlog_get(100)
    slow = [(entry["duration"], entry["command"][:60]) for entry in entries]
    assert len(slow) == 1, slow
    assert slow[0][1].startswith(b"EVAL for i")
