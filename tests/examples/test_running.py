"""The example project at work on a real server, started in each of the ways that are shown."""

from __future__ import annotations

import configparser
import os
import re
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.examples.shop import EXAMPLES, Project
from tests.kit.waiting import wait_until


@contextmanager
def running(project: Project, command: str) -> Iterator[subprocess.Popen[str]]:
    """Killed with all of its session at the end, whatever happens."""
    process = project.start(command)
    try:
        yield process
    except BaseException:
        print(project.output)
        raise
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def place_order(project: Project, address: str) -> None:
    """A process of its own enqueues the job, as a web process would."""
    done = project.run(f"python manage.py place_order {address}")
    assert done.code == 0, done.err


def is_confirmed(project: Project, address: str) -> bool:
    with closing(sqlite3.connect(project.environment["SHOP_DATABASE"], timeout=20)) as database:
        rows = database.execute(
            "SELECT 1 FROM orders_order WHERE address = ? AND confirmed_at IS NOT NULL", [address]
        ).fetchall()
    mail = Path(project.environment["SHOP_MAIL"])
    letters = [file.read_text() for file in mail.iterdir()] if mail.exists() else []
    return len(rows) == 1 and sum(f"To: {address}" in letter for letter in letters) == 1


def works_and_stops(project: Project, process: subprocess.Popen[str]) -> None:
    place_order(project, "ann@example.com")
    wait_until(lambda: is_confirmed(project, "ann@example.com"), 30, what="the mail has been sent")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0, project.output


@pytest.mark.parametrize(
    "command",
    [
        "exec dlq run",
        "exec dlq run --machine 1 --of 1 --config ../pool.toml",
        "exec python manage.py queue_runner",
        "exec python manage.py queue_runner --machine 1 --of 1 --extra-settings ../pool.toml",
    ],
)
def test_a_job_is_enqueued_run_and_the_runner_stops(
    project_with_server: Project, command: str
) -> None:
    with running(project_with_server, command) as process:
        works_and_stops(project_with_server, process)


def test_the_procfile(project_with_server: Project) -> None:
    lines = (EXAMPLES / "Procfile").read_text().splitlines()
    commands = dict(line.split(": ", 1) for line in lines)
    with running(project_with_server, f"exec {commands['queue']}") as process:
        works_and_stops(project_with_server, process)


def unit() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[method-assign,assignment]  # as its documentation says
    parser.read(EXAMPLES / "systemd" / "dlq.service")
    return parser["Service"]


def as_here(command: str) -> str:
    """The unit's command line, for the program under test and a pool of one."""
    return re.sub(r"^\S+/dlq", "exec dlq", command).replace("--of 3", "--of 1")


class Manager:
    """systemd's end of the notification socket."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(30)
        self.said: list[str] = []

    def wait_for(self, word: str) -> None:
        while word not in self.said:
            self.said += self.socket.recv(4096).decode().splitlines()

    def forget(self) -> None:
        self.said.clear()


def test_the_systemd_unit(project_with_server: Project, tmp_path: Path) -> None:
    service = unit()
    manager = Manager(tmp_path / "notify")
    project = project_with_server
    project.extra |= {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "2000000"}
    with closing(manager.socket), running(project, as_here(service["ExecStart"])) as process:
        manager.wait_for("READY=1")
        manager.wait_for("WATCHDOG=1")
        manager.forget()
        # ExecReload=/bin/kill -HUP $MAINPID
        assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"
        process.send_signal(signal.SIGHUP)
        manager.wait_for("RELOADING=1")
        manager.wait_for("READY=1")
        works_and_stops(project, process)
        manager.wait_for("STOPPING=1")


def test_the_unit_does_not_restart_what_was_refused(project: Project) -> None:
    service = unit()
    project.extra["LIGHTWEIGHT_QUEUE_WORKERS"] = "emails=-1"
    done = project.run(as_here(service["ExecStart"]))
    assert str(done.code) == service["RestartPreventExitStatus"]
    assert done.code == 78


def test_the_unit_waits_longer_than_the_project_does() -> None:
    text = (EXAMPLES / "shop" / "shop" / "settings.py").read_text()
    (limit,) = re.findall(r"STOP_TIMEOUT = (\d+)", text)
    assert int(unit()["TimeoutStopSec"]) > int(limit)


def container() -> tuple[dict[str, Any], dict[str, str]]:
    content = yaml.safe_load((EXAMPLES / "kubernetes" / "statefulset.yaml").read_text())
    assert content["kind"] == "StatefulSet"
    pod = content["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    environment = {each["name"]: each["value"] for each in container["env"] if "value" in each}
    assert content["spec"]["replicas"] == int(environment["MACHINES"])
    assert pod["terminationGracePeriodSeconds"] > int(environment["LIGHTWEIGHT_QUEUE_STOP_TIMEOUT"])
    return container, environment


@pytest.mark.parametrize("ordinal", [0, 1, 2, 10])
def test_the_pod_derives_its_machine_from_its_ordinal(project: Project, ordinal: int) -> None:
    spec, environment = container()
    project.extra |= {**environment, "HOSTNAME": f"shop-queue-{ordinal}"}
    if ordinal >= 3:
        project.extra["MACHINES"] = "11"
    (shell, option, script) = spec["command"]
    assert (shell, option) == ("/bin/sh", "-c")
    planned = script.replace("dlq run", "dlq plan").replace('--health-file "$HEALTH_FILE"', "")
    done = project.run(planned)
    assert done.code == 0, done.err
    assert done.out.startswith(f"Plan for machine {ordinal + 1} of {project.extra['MACHINES']} "), (
        done.out
    )


def test_the_pod_works_and_its_probe_knows(project_with_server: Project, tmp_path: Path) -> None:
    spec, environment = container()
    project = project_with_server
    project.extra |= {**environment, "HOSTNAME": "shop-queue-0", "MACHINES": "1"}
    project.extra["HEALTH_FILE"] = str(tmp_path / "health")
    (_, _, probe) = spec["livenessProbe"]["exec"]["command"]
    assert project.run(probe).code != 0
    with running(project, spec["command"][2]) as process:
        wait_until(lambda: project.run(probe).code == 0, 30, what="the probe is content")
        works_and_stops(project, process)
