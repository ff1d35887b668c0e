"""`dlq enqueue`, `dlq delayed`, `dlq clear --delayed`, and `manage.py dlq`."""

from __future__ import annotations

from typing import Any

from tests.cli.conftest import Project


def listed(project: Project, *words: str) -> list[dict[str, Any]]:
    answer = project.dlq("delayed", "list", "--format", "json", *words)
    content: list[dict[str, Any]] = answer.json["jobs"]
    return content


def test_enqueue_and_list_and_run_and_discard(live: Project) -> None:
    live.dlq("enqueue", "orders.tasks.confirm", "81").has(
        "Enqueued orders.tasks.confirm on queue default.", code=0
    )
    url = '{"fail": true}'
    live.dlq("enqueue", "call", "https://a.example", "--kwargs", url, "--delay", "5m").has(
        "Enqueued orders.tasks.call on queue webhooks.", code=0
    )
    live.dlq("enqueue", "confirm", "82", "--delay", "2m", "--queue", "emails").has(code=0)
    answer = live.dlq("delayed", "list")
    answer.has("QUEUE", "orders.tasks.confirm", "fail=true", "2 delayed jobs", code=0)
    first, second = listed(live)
    assert (first["queue"], first["args"]) == ("emails", [82])
    assert second["kwargs"] == {"fail": True}
    assert [job["id"] for job in listed(live, "--task", "call")] == [second["id"]]
    live.dlq("status").has("1 delayed job")
    live.dlq("delayed", "run", "--task", "confirm", "--dry-run").has("would be due now", code=0)
    live.dlq("delayed", "run", first["id"]).has("1 delayed job due now.", code=0)
    assert listed(live)[0]["due"].startswith("1970")
    live.dlq("delayed", "discard", "--all").has("stdin is not a terminal: add --yes", code=2)
    live.dlq("delayed", "discard", "--all", "--yes").has("2 delayed jobs discarded.", code=0)
    live.dlq("delayed", "list").has("No delayed jobs.", code=0)


def test_clear_delayed(live: Project) -> None:
    live.dlq("enqueue", "confirm", "1")
    live.dlq("enqueue", "confirm", "2", "--delay", "1h")
    live.dlq("clear", "default", "--delayed", "--yes").has(code=0)
    assert listed(live) == []
    assert live.dlq("clear", "default", "--dry-run", "--format", "json").json["cleared"] == {
        "default": 1
    }


def test_mistakes(live: Project) -> None:
    live.dlq("enqueue", "confrim", "1").has("no task is called 'confrim': did you mean", code=2)
    live.dlq("enqueue", "confirm").has("missing 1 required positional argument", code=2)
    live.dlq("enqueue", "confirm", "1", "--kwargs", "[1]").has("is no JSON object", code=2)
    live.dlq("enqueue", "confirm", "1", "--kwargs", "{").has("is not JSON", code=2)
    live.dlq("enqueue", "confirm", "1", "--delay", "soon").has("is not a duration", code=2)
    live.dlq("delayed", "run").has("which ones?", code=2)
    live.dlq("delayed", "discard", "zz").has("begins with 'zz': see dlq delayed list", code=2)
    live.dlq("delayed", "list", "--queue", "emials").has("did you mean 'emails'?", code=2)


def test_manage_py_runs_the_same_program(live: Project) -> None:
    live.manage("dlq", "enqueue", "confirm", "81").has("Enqueued orders.tasks.confirm", code=0)
    assert live.manage("dlq", "delayed", "list", "--format", "json").json["total"] == 0
    live.manage("dlq", "delayed", "run").has("which ones?", code=2)
    live.python(
        "from django.core.management import call_command\n"
        "call_command('dlq', 'enqueue', 'confirm', '7')\n"
        "try: call_command('dlq', 'enqueue', 'confrim')\n"
        "except Exception as error: print(type(error).__name__, error.returncode)\n"
    ).has("Enqueued", "CommandError 2", code=0)
