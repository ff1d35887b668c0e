"""`dlq status`: what runs, what waits, and an exit code that a probe can use."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

from dlq.backends.base import OwnerState, QueueState, RunnerState
from dlq.operations.monitoring.rates import by_queue
from dlq.operations.status import judge, queue_status
from dlq.types import QueueName, Runner, WorkerNumber
from tests.cli.conftest import TASKS, Project
from tests.cli.running import running
from tests.cli.test_queues import KEY, enqueue
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until


def ids(project: Project) -> list[str]:
    return [finding["id"] for finding in project.dlq("status", "--format", "json").json["findings"]]


def test_w503_no_runner_at_all(live: Project) -> None:
    """Said once: not for each queue."""
    answer = live.dlq("status").has("Valkey", "127.0.0.1", "0 machines", code=1)
    row = next(line for line in answer.out.splitlines() if line.startswith("emails"))
    assert row.split() == ["emails", "0", "-", "0", "0", "0", "-", "0/3", "no", "worker"]
    answer.has("warning[dlq.W503]: no runner is alive: 10 workers of the configuration are not")
    assert ids(live) == ["dlq.W503"]


def test_a_configuration_without_workers_is_well(live: Project) -> None:
    live.environment["LIGHTWEIGHT_QUEUE_WORKERS"] = "emails=0"
    live.write("orders/cron.py", "CONFIG = ()\n")
    live.dlq("status").has("0/0", code=0)


def test_w502_jobs_without_a_worker(live: Project) -> None:
    enqueue(live, "confirm(1)")
    live.dlq("pause", "default", "--for", "90m")
    answer = live.dlq("status").has(
        "warning[dlq.W502]: queue 'default' has 1 job and no living worker", "paused until", code=1
    )
    assert "in 1 h 30 min" in answer.out


def test_runners_and_their_workers(live: Project) -> None:
    with running(live, "-m", "dlq", "run", "--machine", "1", "--of", "2") as runner:
        runner.wait_for("| started")
        wait_until(lambda: len(live.dlq("status", "--format", "json").json["runners"]) == 1, 15)
        status = live.dlq("status", "--format", "json").json
        (seen,) = status["runners"]
        assert seen["machine"] == 1
        assert seen["of"] == 2
        assert seen["pid"] == runner.process.pid
        row = live.dlq("status").out.partition("MACHINE")[2].splitlines()[1].split()
        assert row[:3] == ["1", "of", "2"]
        assert row[3:5] == [seen["host"], str(seen["pid"])]
        assert row[5] == seen["pool_id"]
        wait_until(lambda: "dlq.W503" in ids(live), 15, what="machine 2 is missed")
        # The numbers that the plan gives to machine 2.
        live.dlq("status").has(
            "queue 'emails' has 1 of 3 workers: emails/1, emails/3 have no living worker",
            "queue 'images' has 1 of 2 workers: images/2 has no living worker",
            code=1,
        )
        [emails] = [queue for queue in status["queues"] if queue["queue"] == "emails"]
        assert emails["workers"]["planned"] == 3
        with running(live, "-m", "dlq", "run", "--machine", "2", "--of", "2"):
            wait_until(lambda: ids(live) == [], 20, what="the pool is complete")
            assert live.dlq("status").code == 0


def test_the_dead_worker_of_a_living_runner() -> None:
    """It leaves its record, and from another host nobody can look for its process."""
    runner = Runner("a0", "web-1", "", 1, 0.0, "4db02050", 1, 1, False, False, "shop.settings", "5")
    owners = [
        OwnerState(WorkerNumber(number), "a0", "web-1", number, True) for number in (1, 2, 5000)
    ]
    state = QueueState(QueueName("emails"), 0, 0, 0, 0, None, None, tuple(owners))
    seen = RunnerState(runner, 1.0, ("emails/2",), 0)
    found = queue_status(state, 2, {"a0": seen.workers}, by_queue([seen])["emails"])
    assert (found.alive, found.missing) == (2, (1,))
    assert [finding.id for finding in judge([found], [seen])] == ["dlq.W503"]


def test_w501_machines_disagree(live: Project) -> None:
    with (
        running(live, "-m", "dlq", "run", "--machine", "1", "--of", "2"),
        running(live, "-m", "dlq", "run", "--machine", "2", "--of", "3"),
    ):
        wait_until(lambda: "dlq.W501" in ids(live), 20)
        live.dlq("status").has("machines disagree about the pool", "<- other pool", code=1)


def test_w504_one_machine_twice(live: Project) -> None:
    with running(live, "-m", "dlq", "run"), running(live, "-m", "dlq", "run"):
        wait_until(lambda: "dlq.W504" in ids(live), 20)


def test_a_server_that_does_not_answer_is_told_soon(live: Project, server: Server) -> None:
    """Long before REDIS_SOCKET_TIMEOUT is over: a probe has a limit of its own."""
    server.freeze()
    try:
        began = time.monotonic()
        live.dlq("status").has("does not answer", code=2)
        assert time.monotonic() - began < 15
    finally:
        server.thaw()


def test_watch_prints_a_line_for_each_look(live: Project) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "dlq", "status", "--watch", "--interval", "0.1", "--format", "json"],
        cwd=live.directory,
        env=live.env(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        looks = [json.loads(process.stdout.readline()) for _ in range(3)]
        assert looks[0]["at"] < looks[1]["at"] < looks[2]["at"]
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()
        process.communicate()


def test_limits_for_whoever_is_woken(live: Project) -> None:
    live.environment["LIGHTWEIGHT_QUEUE_WORKERS"] = "emails=0"
    live.write("orders/cron.py", "CONFIG = ()\n")
    limits = ("--max-age", "5m", "--max-waiting", "0", "--max-failed", "0")
    live.dlq("status", *limits).has("0/0", code=0)
    enqueue(live, "confirm(1)")
    live.dlq("status", *limits).has(
        "warning[dlq.W536]: 1 queue has more than 0 waiting jobs: default (1)",
        "it has no living worker: dlq run",
        code=1,
    )
    live.dlq("status", "--max-failed", "-1").has("-1 is less than 0", code=2)


def test_prometheus_text(live: Project) -> None:
    enqueue(live, "confirm(1)")
    answer = live.dlq("status", "--format", "prometheus")
    assert 'dlq_queue_jobs{queue="default",state="waiting"} 1\n' in answer.out
    assert answer.code == 1, "as in the other formats: something is wrong"
    live.dlq("status", "--format", "prometheus", "--watch").has("--watch prints no", code=2)


def test_w512_workers_of_4_11_beside_tasks_of_the_framework(live: Project, server: Server) -> None:
    """A worker of 4.11 waits for a job as this connection does."""
    tasks = "TASKS = {'default': {'BACKEND': 'dlq.django_tasks.DlqBackend'}}\n"
    live.write("shop/settings.py", f"from shop.base import *\n\n{tasks}")
    assert "dlq.W512" not in ids(live)
    with server.client() as client:
        connection = client.connection_pool.get_connection()
        connection.send_command("BRPOPLPUSH", KEY.format("emails"), "elsewhere", 30)
        wait_until(lambda: "dlq.W512" in ids(live), what="it is seen")
        connection.disconnect()


STUCK = f"""\
import time

{TASKS}

@task()
def wait():
    time.sleep(600)
"""


def test_a_stuck_job_is_shown_and_killed(live: Project) -> None:
    live.write("orders/tasks.py", STUCK)
    live.dlq("kill", "default/1", "--yes").has("worker 'default/1' runs no job", code=2)
    live.dlq("kill", "default").has("write QUEUE/NUMBER", code=2)
    enqueue(live, "from orders.tasks import wait", "wait()")
    with running(live, "-m", "dlq", "run") as runner:
        runner.wait_for("| started")
        wait_until(lambda: "orders.tasks.wait" in live.dlq("status").out, 15, what="it is shown")
        row = next(line for line in live.dlq("status").out.splitlines() if ".wait " in line)
        worker = row.split()[1]
        enqueue(live, "confirm(7)")
        live.dlq("kill", worker).has("stdin is not a terminal: add --yes", code=2)
        live.dlq("kill", worker, "--yes").has("dlq failed list --queue default", code=0)
        wait_until(lambda: "killed" in live.dlq("failed", "list", "--format", "json").out, 15)
        [job] = live.dlq("failed", "list", "--format", "json").json["jobs"]
        assert (job["kind"], job["task"]) == ("killed", "orders.tasks.wait")
        assert "was ended by `dlq kill` after" in job["reason"]
        wait_until(lambda: "runs no job" in live.dlq("kill", worker, "--yes").err, 15)


def test_a_pause_with_a_reason(live: Project) -> None:
    live.dlq("pause", "emails", "--for", "1h", "--reason", "provider down").has(code=0)
    live.dlq("status").has("): provider down")
