"""The heartbeat of a living runner is on time, whatever else its heartbeat process has to do."""

from __future__ import annotations

import time

import pytest

from dlq.backends.redis_storage.fleet.heartbeats import ALIVE_FOR
from dlq.process.heartbeat import BEAT_EVERY
from tests.kit.proxy import Proxy
from tests.kit.waiting import wait_until
from tests.process.conftest import Host, findings

QUEUES = 10
DELAY = 0.15
"""Seconds of each packet, each way. To look after ten queues takes so many answers that a heartbeat
which waited for their end would be late by more than its lifetime."""

SECONDS = 16.0


def test_a_slow_server_delays_no_heartbeat(host: Host) -> None:
    queues = {f"q{number}": 1 for number in range(QUEUES)}
    for number in range(40):
        host.client.lpush(f"django_lightweight_queue:left{number}", b"job")
    with Proxy(host.server.port) as proxy:
        host.start(workers=queues, redis_port=proxy.port)
        wait_until(lambda: host.client.keys("dlq:alive:*"), 15)
        (key,) = host.client.keys("dlq:alive:*")
        proxy.delay(DELAY)
        began, least = time.monotonic(), ALIVE_FOR
        sent = host.client.info("stats")["total_commands_processed"]
        while time.monotonic() - began < SECONDS:
            least = min(least, host.client.pttl(key) / 1000)
            time.sleep(0.02)
        assert host.client.info("stats")["total_commands_processed"] > sent
        late = ALIVE_FOR - BEAT_EVERY - least
        assert late <= ALIVE_FOR / 3, f"late by {late:.1f} s"


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
def test_w530_a_server_that_may_drop_jobs(host: Host, policy: str) -> None:
    """Reported at the start and by status."""
    before = host.client.config_get("maxmemory-policy")["maxmemory-policy"] or ""
    host.client.config_set("maxmemory-policy", policy)
    try:
        runner = host.run()
        runner.wait_for_line(rf"warning\[dlq.W532\]: the server at .* maxmemory-policy {policy}")
        (finding,) = findings(runner, "dlq.W532")
        assert policy in finding["message"]
        assert "noeviction" in finding["help"]
    finally:
        host.client.config_set("maxmemory-policy", before)
    assert findings(runner, "dlq.W532") == []
