"""A runner publishes its plan, and `dlq plan --diff live` compares with it."""

from __future__ import annotations

import json

from tests.cli.conftest import Project
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until
from tests.planning.fleet import fleet


def test_a_plan_against_the_one_that_runs(live: Project, server: Server) -> None:
    live.dlq("plan", "--diff", "live").has("no runner is alive", code=2)
    with fleet(live) as machines:
        machines.start("one", "--machine", "2", "--of", "3")
        machines.wait_for_runners(1)
        wait_until(
            lambda: live.dlq("plan", "--diff", "live").code == 0, 20, what="the plan is published"
        )
        live.dlq("plan", "--diff", "live").has("Same plan", "of 3 machines", code=0)
        live.dlq("plan", "--of", "3", "--diff", "live:1a2b3c4d").has(
            "no runner of that pool", code=2
        )
        found = live.dlq(
            *("plan", "--diff", "live", "--config", "config/special.py", "--format", "json")
        )
        assert found.code == 3
        assert {"queue": "images", "number": 6} in [
            {"queue": worker["queue"], "number": worker["number"]} for worker in found.json["added"]
        ]
        (pool,) = {runner["pool_id"] for runner in machines.status()["runners"]}
        key = f"dlq:plan:{pool}"
        client = server.client()
        published = json.loads(client.get(key) or "")
        assert published["pool"]["machine"] == 2
        assert len(published["cron"]["entries"]) == 3, "machine 1 schedules them, and all know them"
        assert 0 < client.ttl(key) <= 60

        machines.start("exact", "--exact-configuration", "--config", "config/special.py")
        machines.wait_for_runners(2)
        live.dlq("plan", "--diff", "live").has("runners of 2 pools are alive", "live:", code=2)
        # A server that loses its keys gets the plan again.
        client.flushall()
        wait_until(lambda: client.exists(key), 25, what="the plan is published again")
    live.dlq("plan", "--diff", "live").has("no runner is alive", code=2)
