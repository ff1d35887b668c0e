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
PREEMPTED = 60_000
"""And one that the kernel takes the processor from meanwhile, on a machine with much else to do: a
command that is slow by itself is so each time, and with a million jobs slower than this."""


@pytest.mark.parametrize("jobs", [50_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_no_command_takes_long(own_host: Host, warm: Warm, jobs: int) -> None:
    """Start, run, show, pause, deduplicate, clear. The server's own records judge; at the end they
    have one command that is slow on purpose."""
    host, key = own_host, f"django_lightweight_queue:{QUEUE}"
    host.client.config_set("appendfsync", "no")
    for first in range(0, jobs, 10_000):
        with host.held():
            for job in range(first, first + 10_000):
                host.push("quick", job // 2)
    host.client.config_set("slowlog-max-len", "1000")
    host.client.config_set("slowlog-log-slower-than", str(LIMIT))
    host.client.slowlog_reset()
    host.client.config_resetstat()

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
    stats: Any = host.client.info("commandstats")
    times: Any = host.client.info("latencystats")
    host.client.eval("for i = 1, 30000000 do end", 0)
    entries: Any = host.client.slowlog_get(1000)
    newest, *slow = [(entry["duration"], entry["command"][:60]) for entry in entries]
    assert newest[1].startswith(b"EVAL for i"), "slow ones are seen"
    assert max(slow, default=(0,))[0] < PREEMPTED, slow
    assert len(slow) <= sum(found["calls"] for found in stats.values()) / 100, slow
    assert {name: found["p50"] for name, found in times.items() if found["p50"] > LIMIT} == {}
    assert "cmdstat_keys" not in stats
