"""`dlq plan --diff OLD`: a saved plan, stdin, or the options of another plan."""

from __future__ import annotations

import json

from tests.cli.conftest import Project

OLD = """\
LIGHTWEIGHT_QUEUE_WORKERS = {"emails": 2, "images": 2, "old": 1}
LIGHTWEIGHT_QUEUE_REDIS_PASSWORD = "a secret"
"""


def test_other_options_in_quotes(project: Project) -> None:
    project.write("config/old.py", OLD)
    answer = project.dlq("plan", "--of", "3", "--diff", "--config config/old.py --of 2").has(
        "emails/3", "added", "machine", "WORKERS", "config/old.py:1", "one by one", code=3
    )
    assert "a secret" not in answer.out
    found = project.dlq(
        *("plan", "--of", "3", "--diff", "--config config/old.py --of 2", "--format", "json")
    ).json
    assert found["same"] is False
    assert found["pool"]["old"]["of"] == 2
    assert {"queue": "emails", "number": 3} in [
        {"queue": worker["queue"], "number": worker["number"]} for worker in found["added"]
    ]
    assert [worker["queue"] for worker in found["removed"]] == ["old"]
    change = next(change for change in found["settings"] if change["name"] == "WORKERS")
    assert change["old"] == {"emails": 2, "images": 2, "old": 1}
    assert change["old_source"].startswith("config/old.py:1")
    assert change["new_source"].startswith("shop/base.py:5")


def test_a_saved_plan_of_one_machine_and_stdin(project: Project) -> None:
    saved = project.dlq("plan", "--machine", "2", "--of", "3", "--format", "json").out
    project.write("old.json", saved)
    project.dlq("plan", "--of", "3", "--diff", "old.json").has("Same plan: pool", code=0)
    project.dlq("plan", "--diff", "-", input=saved).has("Same plan: pool", code=0)
    # One machine is enough to know the whole pool.
    found = project.dlq("plan", "--of", "4", "--diff", "old.json", "--format", "json").json
    both = [
        {
            (worker["queue"], worker["number"]): worker["machine"]
            for worker in project.dlq("plan", "--of", of, "--format", "json").json["workers"]
        }
        for of in ("3", "4")
    ]
    assert {(move["queue"], move["number"]): move["to"] for move in found["moved"]} == {
        worker: machine for worker, machine in both[1].items() if both[0][worker] != machine
    }
    assert {hazard["kind"] for hazard in found["hazards"]} <= {"two_owners", "unserved_queue"}


def test_rows_and_their_times(project: Project) -> None:
    project.write("old.json", project.dlq("plan", "--format", "json").out)
    cron = project.directory / "orders/cron.py"
    cron.write_text(cron.read_text().replace('"15"', '"45"').replace("sync_stock", "other"))
    project.write("orders/management/commands/other.py", "from .expire_baskets import Command\n")
    found = project.dlq("plan", "--diff", "old.json", "--format", "json").json
    assert [row["command"] for row in found["cron"]["added"]] == ["other"]
    assert [row["command"] for row in found["cron"]["removed"]] == ["sync_stock"]
    (changed,) = found["cron"]["changed"]
    assert (changed["old"]["schedule"], changed["new"]["schedule"]) == ("15 3 * * *", "45 3 * * *")


def test_markdown_for_a_pull_request(project: Project) -> None:
    answer = project.dlq("plan", "--of", "2", "--diff", "--of 1", "--format", "markdown")
    assert answer.code == 3
    assert answer.out.startswith("### dlq plan\n")
    assert "| emails/1 | moved | machine 1 | machine 2 |" in answer.out
    project.dlq("plan", "--format", "markdown").has("--diff OLD", code=2)


def test_what_cannot_be_compared(project: Project) -> None:
    project.dlq("plan", "--diff", "none.json").has("No such file", "none.json", code=2)
    project.write("no.json", "{")
    project.dlq("plan", "--diff", "no.json").has("no.json is not JSON", code=2)
    project.write("other.json", json.dumps({"format_version": "1"}))
    project.dlq("plan", "--diff", "other.json").has("other.json is no plan", code=2)
    project.dlq("plan", "--diff", "--of 0").has("a pool has at least 1 machine", code=2)
    project.dlq("plan", "--diff", "--off 3").has("no such option", code=2)
    project.dlq("plan", "--diff", "--config 'x").has("quotation", code=2)
    project.add_settings("LIGHTWEIGHT_QUEUE_WORKERS = {'emails': -1}")
    project.dlq("plan", "--diff", "--of 2").has("not valid", code=2)


def test_findings_come_before_a_comparison(project: Project) -> None:
    project.write("old.json", project.dlq("plan", "--format", "json").out)
    project.add_settings("LIGHTWEIGHT_QUEUE_WORKERS = {'emails': -1}")
    project.dlq("plan", "--diff", "old.json").has("dlq.E1", "Not valid", code=1)
