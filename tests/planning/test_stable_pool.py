"""A pool with PLACEMENT = "stable": its plan, and the change of a running pool to it."""

from __future__ import annotations

from tests.cli.conftest import Project
from tests.kit.waiting import wait_until
from tests.planning.fleet import Fleet, fleet

TASKS = """\

from dlq import task


@task(queue="emails")
def note(machine, n):
    with open("ran.txt", "a") as file:
        file.write(f"{machine} {n}\\n")


@task(queue="webhooks")
def call():
    pass
"""

STABLE = {"LIGHTWEIGHT_QUEUE_PLACEMENT": "stable"}


def test_the_plan_names_it(project: Project) -> None:
    dealt = project.dlq("plan", "--of", "3", "--format", "json").json
    assert (dealt["pool"]["id"], dealt["pool"]["placement"]) == ("762eeb6a", "dealt")
    project.dlq("plan", "--of", "3", env=STABLE).has("placement stable", code=0)
    stable = project.dlq("plan", "--of", "3", "--format", "json", env=STABLE).json
    assert stable["pool"]["placement"] == "stable"
    assert stable["pool"]["id"] != dealt["pool"]["id"]
    # Each machine computes the same by itself.
    alone = [
        worker
        for machine in ("1", "2", "3")
        for worker in project.dlq(
            *("plan", "--machine", machine, "--of", "3", "--format", "json"), env=STABLE
        ).json["workers"]
    ]

    def key(worker: dict[str, object]) -> tuple[object, object]:
        return worker["queue"], worker["number"]

    assert sorted(alone, key=key) == sorted(stable["workers"], key=key)
    project.dlq("run", "--of", "1", "--expect-pool", dealt["pool"]["id"], env=STABLE).has(
        "--expect-pool", code=3
    )


def test_a_running_pool_changes_over_machine_by_machine(live: Project) -> None:
    """The documented path: compare, then restart one machine after the other, in any order. A
    worker whose number another machine still has waits for it, so no number has two owners, and
    each job runs once."""
    live.write("orders/tasks.py", TASKS)

    def lines() -> list[str]:
        written = live.directory / "ran.txt"
        return written.read_text().splitlines() if written.exists() else []

    planned = {
        f"{worker['queue']}/{worker['number']}"
        for worker in live.dlq("plan", "--of", "3", "--format", "json").json["workers"]
    }
    with fleet(live) as machines:
        for machine in ("1", "2", "3"):
            machines.start(machine, "--machine", machine, "--of", "3")
        wait_until(lambda: owners(machines) == planned, 30, what="all workers own their numbers")
        wait_until(
            lambda: live.dlq("plan", "--diff", "live", env=STABLE).code == 3, 20, what="the plan"
        )
        found = live.dlq("plan", "--diff", "live", "--format", "json", env=STABLE).json
        assert found["moved"], "the change moves something, or this test shows nothing"
        assert found["added"] == found["removed"] == []
        for machine in ("2", "1", "3"):
            live.python(f"from orders.tasks import note\nfor n in range(60): note('{machine}', n)")
            assert machines.stop(machine) == 0
            machines.start(machine, "--machine", machine, "--of", "3", env=STABLE)
            machines.wait_for_runners(3)
        wait_until(lambda: owners(machines) == planned, 30, what="all workers own their numbers")
        wait_until(lambda: len(lines()) >= 180, 30, what="all jobs have run")
        assert sorted(lines()) == sorted(f"{m} {n}" for m in "213" for n in range(60))
        assert set(machines.workers()) == planned
        assert set(machines.workers().values()) == {1}, "every worker once"
        wait_until(
            lambda: live.dlq("plan", "--diff", "live", env=STABLE).code == 0, 20, what="the plan"
        )


def owners(machines: Fleet) -> set[str]:
    """Return the workers that are alive, which for the reliable queues means: own their number."""
    return {
        f"{queue['queue']}/{number}"
        for queue in machines.status()["queues"]
        for number in range(1, queue["workers"]["planned"] + 1)
        if number not in queue["workers"]["missing"]
    }
