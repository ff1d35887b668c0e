"""pause, resume, clear, deduplicate: through `dlq` and through manage.py, on a real server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.cli.conftest import Project
from tests.kit.valkey import Server

KEY = "django_lightweight_queue:{}"


def enqueue(project: Project, *calls: str) -> None:
    code = "from orders.tasks import call, confirm\n" + "\n".join(calls)
    assert project.python(code).code == 0


@pytest.mark.parametrize("command", ["dlq", "manage"])
def test_pause_and_resume(live: Project, server: Server, command: str) -> None:
    pause, resume = (
        (["pause"], ["resume"]) if command == "dlq" else (["queue_pause"], ["queue_resume"])
    )
    ask = getattr(live, command)
    ask(*pause, "emails", "webhooks", "--for", "1h2m3s").has(
        "Paused queue emails until ", "Paused queue webhooks until ", code=0
    )
    with server.client() as client:
        for queue in ("emails", "webhooks"):
            assert 3700 < client.ttl(f"{KEY.format(queue)}:pause") <= 3723
    ask(*resume, "emails", "webhooks").has("Resumed queue emails.", code=0)
    with server.client() as client:
        assert not client.exists(f"{KEY.format('emails')}:pause")


def test_pause_until_a_time_with_its_zone(live: Project, server: Server) -> None:
    end = (datetime.now(UTC) + timedelta(hours=2)).replace(microsecond=0)
    for text in (f"{end:%Y-%m-%dT%H:%M:%S%z}", f"{end:%Y-%m-%dT%H:%M:%S}Z"):
        live.dlq("pause", "emails", "--until", text).has(end.isoformat(" "), code=0)
        with server.client() as client:
            assert 7000 < client.ttl(f"{KEY.format('emails')}:pause") <= 7200


@pytest.mark.parametrize("verb", ["pause", "resume", "clear", "deduplicate"])
def test_an_unknown_queue_is_refused(live: Project, server: Server, verb: str) -> None:
    options = ["--for", "1h"] if verb == "pause" else ["--yes"] if verb == "clear" else []
    words = ["email", "images", "nothing", *options]
    said = ("no queue is called 'email': did you mean 'emails'?", "'nothing': there are cron, ")
    live.dlq(verb, *words).has(*said, code=2)
    live.manage(f"queue_{verb}", *words).has(*said, code=2)
    with server.client() as client:
        assert client.keys("*") == []


def test_a_queue_that_only_the_server_knows_can_be_cleared(live: Project, server: Server) -> None:
    enqueue(live, "confirm(1, django_lightweight_queue_queue='removed')")
    live.dlq("clear", "removed", "--yes").has("Cleared 1 job from queue removed.", code=0)


@pytest.mark.parametrize("command", ["dlq", "manage"])
def test_clear(live: Project, server: Server, command: str) -> None:
    enqueue(live, "confirm(1)", "confirm(2)", "call('u')")
    ask, verb = getattr(live, command), "clear" if command == "dlq" else "queue_clear"
    ask(verb, "default").has("Clear 2 jobs from default?", "--yes", code=2)
    with server.client() as client:
        assert client.llen(KEY.format("default")) == 2
    ask(verb, "default", "webhooks", "--yes").has(
        "Cleared 2 jobs from queue default.", "Cleared 1 job from queue webhooks.", code=0
    )
    with server.client() as client:
        assert client.llen(KEY.format("default")) == 0


@pytest.mark.parametrize("command", ["dlq", "manage"])
def test_deduplicate(live: Project, server: Server, command: str) -> None:
    enqueue(live, "confirm(1)", "confirm(1)", "confirm(2)")
    ask, verb = getattr(live, command), "deduplicate" if command == "dlq" else "queue_deduplicate"
    ask(verb, "default", "emails").has(
        "default: 3 jobs became 2, 1 duplicate dropped.",
        "emails: no duplicate jobs (0 in the queue).",
        code=0,
    )
    with server.client() as client:
        assert client.llen(KEY.format("default")) == 2


def test_the_override_file_is_obeyed(live: Project, server: Server) -> None:
    live.write("config/prefix.toml", 'redis_prefix = "other"\n')
    live.dlq("pause", "emails", "--for", "1h", "--config", "config/prefix.toml").has(code=0)
    live.manage("queue_pause", "images", "--for", "1h", "--extra-settings", "config/prefix.toml")
    with server.client() as client:
        assert sorted(client.keys("*:pause")) == [
            b"other:django_lightweight_queue:emails:pause",
            b"other:django_lightweight_queue:images:pause",
        ]


def test_a_backend_that_cannot_says_so(project: Project) -> None:
    project.add_settings(
        'LIGHTWEIGHT_QUEUE_BACKEND = "dlq.backends.synchronous.SynchronousBackend"'
    )
    project.dlq("pause", "emails", "--for", "1h").has(
        "queue 'emails': its backend dlq.backends.synchronous.SynchronousBackend doesn't support"
        " pausing",
        code=2,
    )


def test_a_server_that_is_away_is_told_without_a_traceback(project: Project) -> None:
    project.environment["LIGHTWEIGHT_QUEUE_REDIS_URL"] = "redis://127.0.0.1:1/0"
    for words in (["pause", "emails", "--for", "1h"], ["status"], ["failed", "list"]):
        answer = project.dlq(*words).has("127.0.0.1:1", code=2)
        assert answer.out == ""
