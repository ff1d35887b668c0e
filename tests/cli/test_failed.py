"""`dlq failed`: jobs that really failed in a real worker."""

from __future__ import annotations

import pytest

from dlq import __version__
from tests.cli.conftest import Project
from tests.cli.running import running
from tests.cli.test_queues import KEY, enqueue
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until


@pytest.fixture
def failed(live: Project, server: Server) -> Project:
    """Three failed jobs: two calls that raised, and bytes that are no job."""
    enqueue(live, "call('https://a.example', fail=True)", "call('https://b.example', fail=True)")
    with server.client() as client:
        client.lpush(KEY.format("webhooks"), b"\x1b[31m{")
    with running(live, "-m", "dlq", "run"):
        wait_until(lambda: len(listed(live)) == 3, 20, what="three failed jobs")
    return live


def listed(project: Project, *words: str) -> list[dict[str, object]]:
    answer = project.dlq("failed", "list", "--format", "json", *words)
    content: list[dict[str, object]] = answer.json["jobs"]
    return content


def test_list_and_show(failed: Project) -> None:
    answer = failed.dlq("failed", "list").has(
        "QUEUE", "orders.tasks.call", "fail=true", "ValueError: no answer from https://a", code=0
    )
    assert "\x1b" not in answer.out
    assert "3 failed jobs. dlq failed show " in answer.out
    jobs = listed(failed, "--task", "call")
    assert [job["kwargs"] for job in jobs] == [{"fail": True}] * 2
    ident = str(jobs[0]["id"])
    shown = failed.dlq("failed", "show", ident)
    assert shown.code == 0
    assert ident in shown.out
    assert "orders/tasks.py" in shown.out
    assert "(raised)" in shown.out
    raw = next(job for job in listed(failed) if job["task"] is None)
    assert raw["kind"] == "undecodable"
    shown = failed.dlq("failed", "show", str(raw["id"]))
    assert "\x1b" not in shown.out
    assert "raw       \\x1b[31m{" in shown.out


def test_newest_first_over_all_queues(live: Project, server: Server) -> None:
    queues = ["webhooks", "emails", "webhooks"]
    with running(live, "-m", "dlq", "run"), server.client() as client:
        for count, queue in enumerate(queues, 1):
            client.lpush(KEY.format(queue), b"{")
            wait_until(lambda n=count: len(listed(live)) == n, 20, what="it has failed")  # type: ignore[misc]  # mypy cannot infer a lambda's defaults
    assert [job["queue"] for job in listed(live)] == queues
    newest, second, _ = listed(live)
    assert [job["id"] for job in listed(live, "--limit", "2")] == [newest["id"], second["id"]]
    live.dlq("failed", "show", str(newest["id"])[0]).has(
        f"is not unique: {second['id']} in emails, {newest['id']} in webhooks", "--queue", code=2
    )


def test_failures_of_one_cause_are_one_line_and_are_retried_together(failed: Project) -> None:
    answer = failed.dlq("failed", "list", "--by-error")
    answer.has("ERROR ID", "ValueError: no answer from …", "3 failed jobs, 2 errors.", code=0)
    groups = failed.dlq("failed", "list", "--by-error", "--format", "json").json["groups"]
    [raised] = [group for group in groups if group["kind"] == "raised"]
    assert raised["jobs"] == 2
    assert len(listed(failed, "--error", raised["id"])) == 2
    failed.dlq("failed", "retry", "--error", raised["id"], "--yes").has("Put 2 jobs back", code=0)
    assert [job["kind"] for job in listed(failed)] == ["undecodable"]


def test_many_failures_are_listed_by_error(live: Project, server: Server) -> None:
    with running(live, "-m", "dlq", "run"), server.client() as client:
        client.lpush(KEY.format("webhooks"), *[b"{"] * 21)
        wait_until(lambda: len(listed(live)) == 21, 30, what="they have failed")
    live.dlq("failed", "list").has("21 failed jobs, 1 error.", code=0)
    live.dlq("failed", "list", "--one-by-one").has("21 failed jobs.", code=0)


def test_filters(failed: Project) -> None:
    assert len(listed(failed, "--queue", "webhooks")) == 3
    assert listed(failed, "--queue", "emails") == []
    assert len(listed(failed, "--limit", "1")) == 1
    assert len(listed(failed, "--task", "orders.*")) == 2
    failed.dlq("failed", "list", "--queue", "webhook").has("did you mean 'webhooks'?", code=2)
    failed.dlq("failed", "list", "--queue", "emails").has("No failed jobs in emails.", code=0)


def test_retry(failed: Project, server: Server) -> None:
    ident = str(listed(failed, "--task", "call")[0]["id"])
    failed.dlq("failed", "retry", "--all", "--dry-run").has(
        "3 failed jobs would be retried", code=0
    )
    failed.dlq("failed", "retry", "--all").has("Put 3 jobs back on webhooks?", "--yes", code=2)
    assert len(listed(failed)) == 3
    failed.dlq("failed", "retry", ident).has("Put 1 job back on webhooks.", code=0)
    with server.client() as client:
        assert client.llen(KEY.format("webhooks")) == 1
    answer = failed.dlq("failed", "retry", "--task", "call", "--all", "--yes", "--format", "json")
    envelope = {"format_version": "1", "dlq": __version__}
    assert answer.json == {**envelope, "retried": 1, "gone": 0, "dry_run": False}
    assert [job["task"] for job in listed(failed)] == [None]


def test_discard(failed: Project, server: Server) -> None:
    ident = str(listed(failed)[0]["id"])
    failed.dlq("failed", "discard", ident).has("for good?", "--yes", code=2)
    failed.dlq("failed", "discard", "", "--yes").has("no failed job has the id ''", code=2)
    failed.dlq("failed", "discard", ident, "--yes").has("Discarded 1 failed job of webhooks.")
    failed.dlq("failed", "discard", "--all", "--queue", "webhooks", "--yes").has(code=0)
    assert listed(failed) == []
    with server.client() as client:
        assert client.llen(KEY.format("webhooks")) == 0
    failed.dlq("failed", "show", ident).has(f"no failed job has the id '{ident}'", code=2)


def test_w534_failed_jobs_that_were_dropped(live: Project, server: Server) -> None:
    live.environment["LIGHTWEIGHT_QUEUE_FAILED_KEEP"] = "3"
    with server.client() as client, running(live, "-m", "dlq", "run"):
        client.lpush(KEY.format("emails"), *[b"{" * n for n in range(1, 6)])
        wait_until(lambda: not client.llen(KEY.format("emails")), 20, what="the jobs are taken")
        wait_until(
            lambda: client.xinfo_stream("dlq:failed:emails")["entries-added"] == 5,
            20,
            what="five failed jobs",
        )

        def warnings() -> list[str]:
            findings = live.dlq("status", "--format", "json").json["findings"]
            return [f["message"] for f in findings if f["id"] == "dlq.W534"]

        message = "queue 'emails' has dropped 2 failed jobs: FAILED_KEEP is 3"
        assert warnings() == [message]
        live.dlq("failed", "list").has("2 older failed jobs dropped", code=0)
        ident = str(listed(live)[0]["id"])
        live.dlq("failed", "discard", ident, "--yes").has(code=0)
        assert warnings() == [message], "a discarded job is not a dropped one"
        live.dlq("failed", "discard", "--queue", "emails", "--yes").has(code=0)
        assert warnings() == [], "the count starts again"
        assert client.keys("dlq:removed") == []
