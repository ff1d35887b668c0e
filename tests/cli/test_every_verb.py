"""What every verb has: an example in its help that it understands, and JSON in one envelope."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from dlq import __version__
from dlq.backends.redis_storage.fleet.heartbeats import heartbeat
from dlq.backends.state import RunnerState, RunningJob
from dlq.cli.app import App
from dlq.cli.framework.command import VerbCommand, VerbGroup
from dlq.types import Runner
from tests.cli.conftest import Project
from tests.cli.test_queues import enqueue
from tests.kit.valkey import Server

FOREIGN = {"config schema": "$schema"}
"""Verbs whose JSON is a document of another standard, and a key of that."""

PROCESSES = {"run", "worker", "demo", "init"}
"""Verbs that start processes or write files: their JSON has tests of its own."""

WORDS: dict[str, list[str]] = {
    "delayed run": ["--all", "--yes"],
    "delayed discard": ["--all", "--dry-run"],
    "enqueue": ["confirm", "1"],
    "cron explain": ["0 3 * * *"],
    "cron run": ["expire_baskets"],
    "config explain": ["WORKERS"],
    "failed show": ["{id}"],
    "failed retry": ["--all", "--dry-run"],
    "failed discard": ["--all", "--yes"],
    "pause": ["emails", "--for", "1h"],
    "kill": ["emails/1", "--yes"],
    "resume": ["emails"],
    "clear": ["default", "--yes"],
    "deduplicate": ["default"],
    "emit": ["procfile"],
    "explain": ["E101"],
    "health": ["--health-file", "manage.py", "--max-age", "7d"],
}


RUNNER = Runner("a0", "web-1", "", 1, 0.0, "4db02050", 1, 1, False, False, "shop.settings", "5")


def verbs(group: VerbGroup | None = None, before: str = "") -> Iterator[tuple[str, VerbCommand]]:
    group = group or App(name="dlq")
    context: Any = None
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, VerbGroup):
            yield from verbs(command, f"{before}{name} ")
        elif isinstance(command, VerbCommand):
            yield f"{before}{name}", command


ALL = dict(verbs())


@pytest.mark.parametrize("name", ALL)
def test_the_example_of_the_help_is_understood(name: str) -> None:
    epilog = str(ALL[name].epilog)
    assert epilog.startswith(f"Example: dlq {name}")
    words = shlex.split(re.split(r" [>|] ", epilog.removeprefix("Example: dlq "))[0])
    context: Any = ALL[name].make_context(name, words[len(name.split()) :])
    assert context.params


@pytest.mark.parametrize("name", [name for name in ALL if name not in PROCESSES])
def test_json_has_one_envelope(live: Project, server: Server, name: str) -> None:
    enqueue(live, "confirm(1)", "confirm(1)")
    with server.client() as client:
        raw = '{"path": "orders.tasks.call", "args": [], "kwargs": {}, "created_time": "%s"}'
        fields = {"raw": raw % "2026-01-31 08:00:00.250000", "reason": "no", "kind": "raised"}
        client.xadd("dlq:failed:emails", fields)
        client.set("django_lightweight_queue:emails:pause", "x", ex=1000)
        job = RunningJob("emails/1", "orders.tasks.call", 7, 1.0, None)
        client.set("dlq:alive:a0", heartbeat(RunnerState(RUNNER, 1.0, (), 1, (job,))), ex=1000)
    listed = live.dlq("failed", "list", "--format", "json").json
    words = [word.format(id=listed["jobs"][0]["id"]) for word in WORDS.get(name, [])]
    answer = live.dlq(*name.split(), *words, "--format", "json")
    assert answer.code in {0, 1}, f"{answer.err}: words for it go into WORDS"
    content = json.loads(answer.out)
    if name in FOREIGN:
        assert FOREIGN[name] in content
        return
    assert content["format_version"] == "1"
    assert content["dlq"] == __version__
    for text in times_of(content):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", text), text


def times_of(content: object) -> Iterator[str]:
    """Each text that begins as a date does, wherever it is."""
    if isinstance(content, dict):
        for name, value in content.items():
            # A finding's text and a job's own arguments are not dlq's times.
            if name not in {"message", "raw", "args", "kwargs"}:
                yield from times_of(value)
    elif isinstance(content, list):
        for item in content:
            yield from times_of(item)
    elif isinstance(content, str) and re.match(r"\d{4}-\d\d-\d\d", content):
        yield content
