"""`dlq status` knows what became of cron rows."""

from __future__ import annotations

from tests.cli.conftest import Project
from tests.cli.running import running
from tests.kit.waiting import wait_until


def test_the_worker_stores_how_a_command_ended(live: Project) -> None:
    live.dlq("cron", "run", "expire_baskets").has(code=0)

    def outcome() -> dict[str, object]:
        rows = live.dlq("status", "--format", "json").json["cron"]
        [row] = [row for row in rows if row["command"] == "expire_baskets"]
        found: dict[str, object] = row
        return found

    with running(live, "-m", "dlq", "run"):
        wait_until(lambda: outcome()["outcome"] == "ok", 20, what="it has run")
        row = outcome()
    assert row["ended"] is not None
    assert row["ended"] == row["last_success"]
