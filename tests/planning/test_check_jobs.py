"""`dlq check --jobs`: stored jobs against the code of today."""

from __future__ import annotations

import json
from collections import Counter

import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from dlq.backends.state import StoredState
from dlq.execution.job_fit import JobFit
from dlq.job import CRON_TASK, encode, new_job
from dlq.operations.inspection.check_jobs import MOST_GROUPS, group_jobs
from dlq.types import QueueName
from tests.cli.conftest import Project
from tests.kit.valkey import Server
from tests.project.orders import tasks as orders

EMAILS = "django_lightweight_queue:emails"


def job(path: str, *args: object, **kwargs: object) -> bytes:
    return encode(new_job(path, args, kwargs, None, False))


def fill(client: redis.Redis) -> None:
    """Store jobs in every state, those of emails among them that no longer fit."""
    client.lpush(EMAILS, *(job("orders.tasks.call", "http://x", vip=True) for _ in range(5)))
    client.lpush(EMAILS, *(job("orders.tasks.confirm", number) for number in range(40)))
    client.lpush("django_lightweight_queue:stock", job(CRON_TASK, "sync_stock"))
    client.lpush("django_lightweight_queue:stock", job(CRON_TASK, "gone"))
    client.lpush(f"{EMAILS}:processing:2", job("orders.tasks.call"))
    delayed = {b"%017d" % number + job("orders.tasks.confirn", number): 9e14 for number in (1, 2)}
    client.zadd("dlq:delayed:emails", delayed)
    client.xadd(
        "dlq:failed:emails",
        {
            "raw": job("orders.tasks.call", "http://x", vip=True),
            "kind": "raised",
            "reason": "x",
            "traceback": "",
            "ran": "0.1",
            "attempts": "0",
            "worker": "emails/1",
        },
    )
    client.lpush("django_lightweight_queue:nowhere", b"no job")


def test_jobs_that_would_not_run(live: Project, server: Server) -> None:
    live.dlq("check", "--jobs").has("Checked 0 jobs", code=0)
    fill(server.client())
    before = {key: server.client().dump(key) for key in server.client().keys("*")}
    found = live.dlq("check", "--jobs", "--format", "json")
    assert found.code == 1
    content = found.json
    assert content["checked"] == {"delayed": 2, "waiting": 48, "running": 1, "failed": 1}
    assert content["misfits"] == 11
    groups = {(group["task"], group["kind"]): group for group in content["groups"]}
    assert {key: group["jobs"] for key, group in groups.items()} == {
        ("orders.tasks.call", "unknown_keyword"): 6,
        ("orders.tasks.confirn", "no_task"): 2,
        ("orders.tasks.call", "missing_argument"): 1,
        (CRON_TASK, "no_command"): 1,
        (None, "undecodable"): 1,
    }
    assert groups["orders.tasks.call", "unknown_keyword"]["queues"] == [
        {"queue": "emails", "state": "failed", "jobs": 1},
        {"queue": "emails", "state": "waiting", "jobs": 5},
    ]
    assert "orders.tasks.confirm" in groups["orders.tasks.confirn", "no_task"]["help"]
    assert len(groups["orders.tasks.call", "unknown_keyword"]["examples"]) == 3
    after = {key: server.client().dump(key) for key in server.client().keys("*")}
    assert after == before, "nothing is changed"

    live.dlq("check", "--jobs").has(
        "unknown keyword vip",
        "emails: 5 waiting, 1 failed",
        "did you mean orders.tasks.confirm",
        "('http://x', vip=True)",
        "Checked 52 jobs",
        "11 would not run",
        code=1,
    )
    github = live.dlq("check", "--jobs", "--format", "github")
    assert "E520" in github.out
    assert "file=orders/tasks.py,line=9" in github.out
    live.dlq("check", "--jobs", "orders/cron.py").has("leave out files", code=2)


def test_the_code_of_today_is_what_counts(live: Project, server: Server) -> None:
    server.client().lpush(EMAILS, job("orders.tasks.call", "http://x", vip=True))
    live.dlq("check", "--jobs").has("unknown keyword vip", code=1)
    tasks = live.directory / "orders/tasks.py"
    tasks.write_text(tasks.read_text().replace("fail=False", "fail=False, vip=False"))
    live.dlq("check", "--jobs").has("all fit this code", code=0)


def test_a_queue_whose_backend_cannot_show_jobs(live: Project) -> None:
    live.add_settings(
        "LIGHTWEIGHT_QUEUE_BACKEND_OVERRIDES = {'images':"
        " 'dlq.backends.synchronous.SynchronousBackend'}"
    )
    content = live.dlq("check", "--jobs", "--format", "json").json
    assert content["unread"] == ["images"]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b"]),
            st.sampled_from(["waiting", "failed"]),
            st.sampled_from(["good", "bad", "none"]),
        )
    )
)
def test_counts_add_up(jobs: list[tuple[str, StoredState, str]]) -> None:
    raws = {
        "good": job(orders.confirm.path, 1),
        "bad": job(orders.confirm.path, order=1),
        "none": job("none.at.all"),
    }
    report = group_jobs(
        [(QueueName(queue), state, raws[kind]) for queue, state, kind in jobs], JobFit([])
    )
    assert report.checked == Counter(state for _, state, _ in jobs)
    assert report.misfits == sum(kind != "good" for _, _, kind in jobs)
    assert sum(len(group.examples) for group in report.groups) <= 6


def test_the_number_of_groups_is_bounded() -> None:
    many = [(QueueName("a"), "waiting", job(f"none.t{n}")) for n in range(MOST_GROUPS + 7)]
    report = group_jobs(many, JobFit([]))  # type: ignore[arg-type] # the literal's type is lost
    assert len(report.groups) == MOST_GROUPS
    assert report.others == 7
    assert json.dumps(report.summary)
