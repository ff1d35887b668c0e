"""The two users of the README's safety page can do their work on a real server, and no more."""

from __future__ import annotations

import json
import re
import shlex
import signal
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from dlq.backends.redis_storage.acl import dlq_acl
from tests.examples.shop import Project
from tests.examples.test_readme import TEXT
from tests.examples.test_running import is_confirmed, place_order, running
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until

USERS = {
    words[3]: words[1:]
    for command in re.findall(r"^ +(valkey-cli (?:.*\\\n)*.*)$", TEXT, re.MULTILINE)
    for words in [shlex.split(command.replace("\\\n", " "))]
}
"""The words of each command, by the name of its user."""


@pytest.fixture
def users(server: Server) -> Iterator[Server]:
    with server.client() as client:
        client.execute_command("ACL", "LOG", "RESET")
        for rule in USERS.values():
            client.execute_command(*rule)
    yield server
    with server.client() as client:
        client.execute_command("ACL", "DELUSER", *USERS)


def as_user(project: Project, server: Server, name: str) -> Project:
    url = f"redis://{name}:SECRET@127.0.0.1:{server.port}/0"
    extra = {**project.extra, "LIGHTWEIGHT_QUEUE_REDIS_URL": url}
    extra.pop("LIGHTWEIGHT_QUEUE_REDIS_PORT", None)
    return Project(project.temporary, project.warm, extra=extra)


def failed_ids(project: Project) -> list[str]:
    done = project.run("dlq failed list --format json")
    return [job["id"] for job in json.loads(done.out)["jobs"]]


def test_there_are_two_users() -> None:
    assert set(USERS) == {"shop", "shop-web"}


def test_the_rule_is_the_one_that_the_backends_are_tested_with() -> None:
    assert USERS["shop"] == ["ACL", "SETUSER", "shop", "on", ">SECRET", *dlq_acl("shop").split()]


def test_workers_and_commands_work_and_web_processes_enqueue(
    project_with_server: Project, users: Server
) -> None:
    web = as_user(project_with_server, users, "shop-web")
    worker = as_user(project_with_server, users, "shop")
    with running(worker, "exec dlq run") as process:
        wait_until(lambda: worker.run("dlq status").code == 0, 30, what="all workers are there")
        place_order(web, "ann@example.com")
        wait_until(lambda: is_confirmed(worker, "ann@example.com"), 30, what="the mail was sent")
        with users.client() as client:
            client.lpush("shop:django_lightweight_queue:emails", "no job", "none either")
        wait_until(lambda: len(failed_ids(worker)) == 2, 30, what="they are failed jobs")
        first, second = failed_ids(worker)
        for command in (
            f"dlq failed show {first}",
            f"dlq failed retry {first}",
            f"dlq failed discard {second} --yes",
            "dlq pause emails --for 1h",
            "dlq resume emails",
            "dlq deduplicate emails",
            "dlq clear emails --yes",
            "dlq failed list",
            "dlq cron run expire_orders",
            "dlq status",
        ):
            done = worker.run(command)
            assert done.code == 0, (command, done.out, done.err)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, worker.output
    assert "NOPERM" not in worker.output
    with users.client() as client:
        denied: Any = client.execute_command("ACL", "LOG")
    assert denied == []


@pytest.mark.parametrize("name", USERS)
@pytest.mark.parametrize(
    "command", ["FLUSHALL", "KEYS *", "CONFIG GET *", "GET other", "LPUSH other x", "SHUTDOWN"]
)
def test_a_user_can_do_no_more(users: Server, name: str, command: str) -> None:
    with (
        redis.Redis("127.0.0.1", users.port, username=name, password="SECRET") as client,
        pytest.raises(redis.exceptions.NoPermissionError),
    ):
        client.execute_command(*command.split())
