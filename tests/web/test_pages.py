"""What the pages show, and who may see and do it."""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import time
from html.parser import HTMLParser
from io import StringIO
from itertools import takewhile
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings as SettingsWrapper

from dlq import runtime
from dlq.backends.base import Failure, PreviousProcess
from dlq.backends.redis_storage.fleet.host_identity import here
from dlq.cli.dispatch import run
from dlq.job import new_job
from dlq.types import QueueName, Runner, WorkerNumber
from dlq.web.gate import PERMISSIONS, Route, url_of
from dlq.web.placeholder import Queue
from dlq.web.routes import ROUTES, urls
from tests.kit.ports import free_port
from tests.kit.valkey import Server
from tests.web.conftest import Visitor

EMAILS = QueueName("emails")
TASK = "tests.project.orders.tasks.confirm"
GETS = [route for route in ROUTES if route.method == "GET"]
POSTS = [route for route in ROUTES if route.method == "POST"]
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202eevil\"' onload=x"


def a_runner() -> Runner:
    host, boot = here()
    return Runner(
        nonce=secrets.token_hex(8),
        host=host,
        boot=boot,
        pid=os.getpid(),
        started=time.time(),
        pool_id="00000000",
        machine=1,
        of=1,
        exact=False,
        runs_cron=False,
        settings_module="tests.project.settings",
        version="0",
    )


def fail_one(*args: Any, reason: str = "ValueError: no such order", path: str = TASK) -> str:
    """Make one failed job on the server; its id."""
    backend: Any = runtime.current().backend(EMAILS)
    backend.enqueue(new_job(path, args, {}, None, False), EMAILS)
    runner, logger = a_runner(), logging.getLogger("tests")
    consumer = backend.consumer(EMAILS, WorkerNumber(1), runner, PreviousProcess(), logger)
    delivery = consumer.take(0)
    assert delivery is not None
    consumer.fail(delivery, Failure("raised", reason, traceback=f"Traceback\n{reason}"))
    consumer.close()
    return str(next(iter(backend.failed_jobs(EMAILS))).id)


def waiting() -> int:
    return runtime.current().backend(EMAILS).length(EMAILS)


def failed_count() -> int:
    backend: Any = runtime.current().backend(EMAILS)
    return int(backend.failed_count(EMAILS))


def query_of(name: str, id: str = "") -> dict[str, str]:
    """What a route needs to know."""
    needs = {
        **dict.fromkeys(("queue", "pause", "resume", "clear", "deduplicate"), ("queue",)),
        **dict.fromkeys(("failed_job", "retry", "discard"), ("queue", "id")),
        "run_cron": ("row",),
    }
    values = {"queue": "emails", "id": id, "row": "1"}
    return {key: values[key] for key in needs.get(name, ())}


@pytest.mark.parametrize("route", GETS, ids=lambda route: route.name)
def test_each_page_shows_itself_and_its_json(route: Route, visitor: Visitor) -> None:
    client, query = visitor(superuser=True), query_of(route.name, fail_one(81))
    page = client.get(url_of(route.name, query))
    assert page.status_code == 200, page.content
    assert b"<h1>" in page.content
    document = client.get(url_of(route.name, {**query, "format": "json"}))
    assert document["Content-Type"] == "application/json"
    json.loads(document.content)


def test_the_overview_is_the_document_of_dlq_status(visitor: Visitor) -> None:
    shown = visitor(superuser=True).get(url_of("overview", {"format": "json"})).json()
    assert {queue["queue"] for queue in shown["queues"]} >= {"emails"}
    assert [finding["id"] for finding in shown["findings"]] == ["dlq.W503"]


COMMANDS = {
    "overview": ("status",),
    "queue": ("status", "--queue", "emails"),
    "failed": ("failed", "list", "--limit", "50"),
    "failed_job": ("failed", "show", "{id}"),
    "plan": ("plan", "--of", "1"),
    "settings": ("config", "show"),
}
"""What prints the document of a page; the cron page adds to `dlq cron next` what became of rows."""

MOMENTS = re.compile(r'("(at|made_at|generated_at)": )"[^"]*"|("(latency|age|since)": )[0-9.e-]+')
"""What differs from one look to the next."""


@pytest.mark.parametrize("name", COMMANDS)
def test_the_json_of_a_page_is_that_of_its_command_byte_for_byte(
    name: str, visitor: Visitor, capfd: pytest.CaptureFixture[str]
) -> None:
    id = fail_one(81)
    runtime.current().backend(EMAILS).enqueue(new_job(TASK, (7,), {}, None, False), EMAILS)
    query = {**query_of(name, id), "format": "json"}
    page = visitor(superuser=True).get(url_of(name, query)).content.decode()
    words = [word.format(id=id) for word in COMMANDS[name]]
    capfd.readouterr()
    run([*words, "--format", "json"])
    printed, problems = capfd.readouterr()
    assert printed, problems
    assert MOMENTS.sub("", page).splitlines() == MOMENTS.sub("", printed).splitlines()


@pytest.mark.parametrize("queues", [1, 400])
def test_a_page_sends_few_commands_however_many_queues(
    queues: int, visitor: Visitor, server: Server, settings: SettingsWrapper
) -> None:
    """A script counts as one; what it looks at is bounded by QUEUES_PER_LOOK."""
    settings.LIGHTWEIGHT_QUEUE_WORKERS = {f"queue-{number}": 1 for number in range(queues)}
    client = visitor(superuser=True)
    client.get(url_of("overview"))
    with server.client() as watcher, watcher.monitor() as monitor:
        assert client.get(url_of("overview")).status_code == 200
        with server.client() as other:
            other.echo("the end")
        sent = list(takewhile(lambda each: "the end" not in each["command"], monitor.listen()))
    assert sum(each["client_type"] != "lua" for each in sent) <= 15 + 3 * queues // 50


def test_a_pause_says_who_and_why(visitor: Visitor) -> None:
    client = visitor(superuser=True)
    client.post(url_of("pause"), {"queue": "emails", "for": "1h", "reason": "provider down"})
    name = LogEntry.objects.latest("pk").user.get_username()
    page = client.get(url_of("overview")).content.decode()
    assert f"more ({name}): provider down" in page
    client.post(url_of("resume"), {"queue": "emails"})
    shown = client.get(url_of("overview", {"format": "json"})).json()["queues"]
    assert [queue["pause"] for queue in shown if queue["queue"] == "emails"] == [None]
    keys = runtime.current().backend(EMAILS).keys  # type: ignore[attr-defined]  # this backend has them
    assert not runtime.current().backend(EMAILS).client.exists(keys.pause_note(EMAILS))  # type: ignore[attr-defined]  # likewise


def test_the_queue_page_shows_what_runs_next(visitor: Visitor) -> None:
    backend: Any = runtime.current().backend(EMAILS)
    for number in range(25):
        backend.enqueue(new_job(TASK, (number,), {"vip": "secret"}, None, False), EMAILS)
    assert len(backend.peek(EMAILS, 3)) == 3
    query = {"queue": "emails", "format": "json"}
    shown = visitor(superuser=True).get(url_of("queue", query)).json()["next"]
    assert [job["args"] for job in shown] == [[number] for number in range(20)]
    assert shown[0]["fit"]["kind"] == "unknown_keyword"
    client = visitor("view_queue")
    assert "secret" not in client.get(url_of("queue", query)).content.decode()
    page = client.get(url_of("queue", {"queue": "emails"})).content.decode()
    assert "does not fit" in page
    assert "secret" not in page


@pytest.mark.parametrize("mode", ["full", "read-only", "off"])
@pytest.mark.parametrize(
    "permissions", [(), *((one,) for one in PERMISSIONS), PERMISSIONS], ids="+".join
)
def test_who_may_do_what(
    permissions: tuple[str, ...],
    mode: str,
    visitor: Visitor,
    settings: SettingsWrapper,
    server: Server,
) -> None:
    """Ask every address by every method, with every permission and mode of ADMIN_PAGES."""
    settings.LIGHTWEIGHT_QUEUE_ADMIN_PAGES = mode
    client = visitor(*permissions)
    for route in ROUTES:
        for method in ("get", "post", "put", "delete"):
            with server.client() as client_of_server:
                client_of_server.flushall()
            query = query_of(route.name, fail_one(81))
            before = waiting(), failed_count()
            if method == "post":
                answer = client.post(url_of(route.name), {**query, "for": "1h"})
            else:
                answer = getattr(client, method)(url_of(route.name, query))
            allowed = {"view_queue", route.permission} <= set(permissions)
            expected = {200, 302}
            if mode == "off":
                expected = {404}
            elif method != route.method.lower():
                expected = {405}
            elif not allowed or (route.method == "POST" and mode == "read-only"):
                expected = {403}
            assert answer.status_code in expected, (route.name, method)
            if method != "post" or expected != {200, 302}:
                assert (waiting(), failed_count()) == before, "nothing is written"


def test_every_address_is_behind_the_gate() -> None:
    """A view that is added beside the table of routes would be found here."""
    patterns = [pattern.name for pattern in urls(admin.site)]
    found = [name for name in _names(admin.site.get_urls()) if str(name).startswith("dlq_")]
    assert sorted(map(str, found)) == sorted(map(str, patterns))


def _names(patterns: Any) -> list[str | None]:
    found: list[str | None] = []
    for pattern in patterns:
        inner = getattr(pattern, "url_patterns", None)
        found += _names(inner) if inner is not None else [pattern.name]
    return found


def test_somebody_who_is_not_logged_in_is_sent_to_the_login(client: Client, db: None) -> None:
    for route in ROUTES:
        answer = client.get(url_of(route.name))
        assert answer.status_code == 302
        assert "/login/" in answer["Location"]


def test_a_post_without_the_token_is_refused(visitor: Visitor) -> None:
    client = visitor(superuser=True)
    client.handler.enforce_csrf_checks = True
    for route in POSTS:
        assert client.post(url_of(route.name), query_of(route.name)).status_code == 403


def test_retry_puts_a_job_back_and_is_written_down(visitor: Visitor) -> None:
    id = fail_one(81)
    answer = visitor("view_queue", "operate_queue").post(
        url_of("retry"), {"queue": "emails", "id": id}, follow=True
    )
    assert f"Put {TASK} back on emails.".encode() in answer.content
    assert (waiting(), failed_count()) == (1, 0)
    [entry] = LogEntry.objects.all()
    assert entry.object_repr == f"retry {id}"


def test_what_cannot_be_undone_is_asked_for_first(visitor: Visitor) -> None:
    first = fail_one(1)
    client = visitor("view_queue", "operate_queue", "discard_queue")
    question = client.post(url_of("discard_all"), {"queue": "emails", "task": ""})
    assert b"Discard 1 failed jobs" in question.content
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', question.content.decode()))
    later = fail_one(2)
    done = client.post(url_of("discard_all"), fields, follow=True)
    assert b"Discard: 1 of 1 failed jobs." in done.content
    backend: Any = runtime.current().backend(EMAILS)
    assert [job.id for job in backend.failed_jobs(EMAILS)] == [later], "it failed meanwhile"
    assert first != later


def test_pause_and_resume(visitor: Visitor) -> None:
    client = visitor("view_queue", "operate_queue")
    backend: Any = runtime.current().backend(EMAILS)
    client.post(url_of("pause"), {"queue": "emails", "for": "1h"})
    assert backend.is_paused(EMAILS)
    assert b"paused for" in client.get(url_of("queue", {"queue": "emails"})).content
    client.post(url_of("resume"), {"queue": "emails"})
    assert not backend.is_paused(EMAILS)


def test_arguments_need_their_permission(visitor: Visitor) -> None:
    id = fail_one("4111 1111 1111 1111", reason="ValueError: card 4111")
    query = {"queue": "emails", "id": id}
    for extra in ({}, {"format": "json"}):
        for route in ("failed", "failed_job"):
            without = visitor("view_queue").get(url_of(route, {**query, **extra})).content
            assert b"4111" not in without
    assert (
        b"4111"
        in visitor("view_queue", "view_job_arguments").get(url_of("failed_job", query)).content
    )


class Tags(HTMLParser):
    """The elements of a page and the text between them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_hostile_text_is_only_text(visitor: Visitor) -> None:
    id = fail_one(HOSTILE, reason=HOSTILE, path=f"a.{HOSTILE}")
    client = visitor(superuser=True)
    for route in GETS:
        content = client.get(url_of(route.name, query_of(route.name, id))).content.decode()
        page = Tags()
        page.feed(content)
        scripts = [attributes for tag, attributes in page.found if tag == "script"]
        assert all(attributes.get("src") for attributes in scripts), "no inline script"
        assert not [tag for tag, attributes in page.found if "onload" in attributes]
        assert not [
            tag for tag, attributes in page.found if "style" in attributes or tag == "style"
        ]
        assert "\x1b" not in content
        assert "\u202e" not in content


def test_a_server_that_is_away_is_a_page_that_says_so(
    visitor: Visitor, settings: SettingsWrapper
) -> None:
    settings.LIGHTWEIGHT_QUEUE_REDIS_PORT = free_port()
    answer = visitor(superuser=True).get(url_of("overview"))
    assert answer.status_code == 503
    assert b"cannot be reached" in answer.content


def test_a_server_that_hangs_is_a_page_within_seconds(
    visitor: Visitor, settings: SettingsWrapper
) -> None:
    own = Server().start()
    try:
        settings.LIGHTWEIGHT_QUEUE_REDIS_PORT = own.port
        client = visitor(superuser=True)
        assert client.get(url_of("overview")).status_code == 200
        own.freeze()
        began = time.monotonic()
        answer = client.get(url_of("overview"))
        assert answer.status_code == 503
        assert b"does not answer" in answer.content
        assert time.monotonic() - began < 10
    finally:
        own.thaw()
        own.remove()


def test_the_placeholder_asks_no_database(db: None) -> None:
    assert list(Queue.objects.all()) == []
    call_command("dumpdata", "dlq", stdout=StringIO())
    call_command("makemigrations", "--check", "--dry-run", stdout=StringIO())
