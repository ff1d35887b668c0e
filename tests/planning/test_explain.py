"""`dlq explain NOUN`: findings, settings, tasks with arguments, queues, cron rows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlq.job import decode
from dlq.operations.inspection.explain_task import read_arguments
from tests.cli.conftest import Project

TASKS = """\
from dlq import task


@task(queue="emails", timeout=30, retries=3, retry_backoff=10, unique=60)
def confirm(order_id: int, *, vip: bool = False) -> None:
    pass


@task(queue="webhooks")
def call(url):
    pass


@task(queue="webhooks")
def sync_stock():
    pass
"""


@pytest.fixture
def shop(project: Project) -> Project:
    project.write("orders/tasks.py", TASKS)
    return project


def test_a_task(shop: Project) -> None:
    shop.dlq("explain", "orders.tasks.confirm", "--of", "3").has(
        "task orders.tasks.confirm(order_id: int, *, vip: bool = False)",
        "declared   orders/tasks.py:4",
        "emails/1 on machine 1 of 3",
        "at least once: a job whose worker dies runs again",
        "timeout    30 s",
        "retries    3, after 10, 20, 40 s",
        "unique     for 60 s",
        "atomic     no",
        code=0,
    )
    found = shop.dlq("explain", "confirm", "--of", "3", "--format", "json").json
    assert found["kind"] == "task"
    assert found["task"] == "orders.tasks.confirm"
    assert found["retries"] == [10, 20, 40]
    planned = shop.dlq("plan", "--of", "3", "--format", "json").json["workers"]
    assert found["machines"] == [
        {"machine": worker["machine"], "number": worker["number"]}
        for worker in planned
        if worker["queue"] == "emails"
    ]


def test_a_call_of_a_task(shop: Project) -> None:
    shop.dlq("explain", "confirm", "7", "vip=true").has(
        '"args": [7]', "arrives as  confirm(7, vip=True)", "fits        yes", code=0
    )
    shop.dlq("explain", "confirm", "seven", "vib=1").has(
        "no: unknown keyword vib; did you mean 'vip'?", code=1
    )
    found = shop.dlq("explain", "confirm", "seven", "--format", "json")
    assert found.code == 1
    call = found.json["call"]
    assert (call["fits"], call["kind"]) == (False, "wrong_type")
    assert decode(call["stored"].encode()).args == ["seven"]
    shop.dlq("explain", "confirm", "vip=true", "7").has("names come last", code=2)
    shop.dlq("explain", "emails", "7").has("is a queue: only a task has arguments", code=2)


def test_a_queue(shop: Project) -> None:
    shop.dlq("explain", "webhooks").has(
        "queue webhooks",
        "1 over the pool (implied by task call, orders/tasks.py:9)",
        "webhooks/1 on machine 1 of 1",
        "orders.tasks.call, orders.tasks.sync_stock",
        code=0,
    )
    shop.dlq("explain", "reports").has(
        "at most once: a job is gone", "cron rows  nightly_report", code=0
    )
    found = shop.dlq("explain", "emails", "--of", "2", "--format", "json").json
    assert (found["kind"], found["workers"], len(found["machines"])) == ("queue", 3, 3)


def test_a_cron_row(shop: Project) -> None:
    shop.dlq("explain", "nightly_report", "--of", "2").has(
        "cron row nightly_report",
        "declared      orders/cron.py:3",
        "15 3 * * *",
        "machine 1 of 2",
        "up to 600 s later, once",
        code=0,
    )
    (row,) = shop.dlq("explain", "nightly_report", "--format", "json").json["rows"]
    assert (row["schedule"], row["queue"], len(row["next"])) == ("15 3 * * *", "reports", 3)


def test_a_setting_and_a_finding(shop: Project) -> None:
    for name in ("WORKERS", "workers", "LIGHTWEIGHT_QUEUE_WORKERS", "setting:WORKERS"):
        shop.dlq("explain", name).has("WORKERS = ", "shop/base.py:5", code=0)
    found = shop.dlq("explain", "redis_password", "--format", "json").json
    assert (found["kind"], found["name"]) == ("setting", "REDIS_PASSWORD")
    found = shop.dlq("explain", "w204", "--format", "json").json
    assert (found["kind"], found["id"]) == ("finding", "dlq.W204")


def test_a_name_of_several_things(shop: Project) -> None:
    shop.dlq("explain", "sync_stock").has(
        "more than one thing: say task:orders.tasks.sync_stock or cron:sync_stock", code=2
    )
    shop.dlq("explain", "cron:sync_stock").has("cron row sync_stock", code=0)
    shop.dlq("explain", "task:sync_stock").has("task orders.tasks.sync_stock()", code=0)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("orders.tasks.confirn", "orders.tasks.confirm"),
        ("confrim", "confirm"),
        ("email", "emails"),
        ("WORKRES", "WORKERS"),
        ("nightly_rapport", "nightly_report"),
        ("E2O5", "E205"),
        ("queue:emials", "emails"),
    ],
)
def test_did_you_mean(shop: Project, text: str, meant: str) -> None:
    shop.dlq("explain", text).has("did you mean", meant, code=2)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(deadline=None)
@given(st.lists(JSON, max_size=4), st.dictionaries(st.sampled_from(["a", "b_c"]), JSON))
def test_arguments_are_read_as_json(args: list[Any], kwargs: dict[str, Any]) -> None:
    words = [json.dumps(value) for value in args]
    words += [f"{name}={json.dumps(value)}" for name, value in kwargs.items()]
    assert read_arguments(words) == (args, kwargs)


def test_arguments_that_are_no_json_are_text() -> None:
    assert read_arguments(["x", "http://a?b=c", "n=it's"]) == (
        ["x", "http://a?b=c"],
        {"n": "it's"},
    )
