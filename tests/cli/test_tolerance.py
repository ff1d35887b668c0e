"""A mistake in one setting stops no command that looks at the servers or pauses queues."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Project
from tests.kit.valkey import Server

MISTAKES = [
    ("LIGHTWEIGHT_QUEUE_WORKERS = {'emails': 1, 'images': -1}", "warning[dlq.E101]"),
    ("LIGHTWEIGHT_QUEUE_FAILED_KEEP = 'many'", "warning[dlq.E103]"),
    ("LIGHTWEIGHT_QUEUE_MIDDLEWARE = ['shop.middleware.Missing']", "warning[dlq.E113]"),
    ("LIGHTWEIGHT_QUEUE_ENABLE_PROMETHEUS = 'perhaps'", "warning[dlq.E103]"),
]
WHERE = [
    "LIGHTWEIGHT_QUEUE_REDIS_PREFIX = 3",
    "LIGHTWEIGHT_QUEUE_REDIS_PORT = 'x'",
    "LIGHTWEIGHT_QUEUE_BACKEND = 'shop.backends.Missing'",
    "LIGHTWEIGHT_QUEUE_BACKEND_OVERRIDES = ['reports']",
]


@pytest.mark.parametrize(("line", "warning"), MISTAKES)
def test_what_is_valid_is_worked_with(
    live: Project, server: Server, line: str, warning: str
) -> None:
    live.add_settings(line)
    live.dlq("status").has(warning, "QUEUE", code=1)
    answer = live.dlq("status", "--format", "json")
    assert warning[8:-1] in [finding["id"] for finding in answer.json["findings"]]
    live.dlq("failed", "list").has(warning, "No failed jobs.", code=0)
    live.dlq("pause", "images", "--for", "1h").has(warning, "Paused queue images", code=0)
    with server.client() as client:
        assert client.exists("django_lightweight_queue:images:pause")
    live.dlq("resume", "images").has(warning, code=0)
    live.manage("queue_pause", "images", "--for", "1h").has(warning, "Paused", code=0)
    live.dlq("clear", "images", "--yes").has("nothing was done", "error[", code=2)
    live.dlq("plan").has("error[", code=1)


@pytest.mark.parametrize("line", WHERE)
def test_nothing_is_done_on_a_server_that_may_be_the_wrong_one(
    live: Project, server: Server, line: str
) -> None:
    if "PORT" in line:
        del live.environment["LIGHTWEIGHT_QUEUE_REDIS_URL"]
    live.add_settings(line)
    for words in (["status"], ["failed", "list"], ["pause", "images", "--for", "1h"]):
        live.dlq(*words).has("error[dlq.E1", code=2)
    with server.client() as client:
        assert client.keys("*") == []
