"""Standard streams that are closed, that have another encoding, or that the project's code uses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Project
from tests.cli.test_queues import KEY, enqueue
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until


@pytest.mark.parametrize("streams", ["0", "1", "2", "01", "02", "12", "012"])
def test_a_closed_stream_counts_as_dev_null(project: Project, streams: str) -> None:
    words = ["check", "--format", "json"]
    run_with_closed(project, streams, [sys.executable, "-m", "dlq", *words], 0)


@pytest.mark.parametrize("words", [["plan"], ["explain", "E101"], ["--help"], ["config", "show"]])
def test_verbs_without_a_server_without_streams(project: Project, words: list[str]) -> None:
    run_with_closed(project, "012", [sys.executable, "-m", "dlq", *words], 0)


@pytest.mark.parametrize("streams", ["1", "012"])
def test_verbs_with_a_server_without_streams(live: Project, server: Server, streams: str) -> None:
    for words, code in (
        (["pause", "emails", "--for", "1h"], 0),
        (["status"], 1),
        (["failed", "list"], 0),
        (["clear", "emails"], 2),
        (["clear", "emails", "--yes"], 0),
        (["cron", "run", "expire_baskets"], 0),
    ):
        run_with_closed(live, streams, [sys.executable, "-m", "dlq", *words], code)
    run_with_closed(live, streams, [sys.executable, "manage.py", "queue_resume", "emails"], 0)
    run_with_closed(live, streams, [sys.executable, "manage.py", "queue_configuration"], 0)
    with server.client() as client:
        assert client.keys("*:pause") == []


def run_with_closed(project: Project, streams: str, command: list[str], code: int) -> None:
    """Run it as a shell does with `<&- >&- 2>&-`; what isn't closed goes to a file."""
    log = Path(project.directory, "log")
    closing = " ".join(f"{number}>&-" if number != "0" else "0<&-" for number in streams)
    with log.open("w") as output:
        done = subprocess.run(
            ["sh", "-c", f'exec "$@" {closing}', "sh", *command],
            cwd=project.directory,
            env=project.env(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            timeout=60,
            check=False,
        )
    said = log.read_text()
    assert done.returncode == code, (command, streams, said)
    assert "Traceback" not in said


def test_a_runner_with_closed_streams(live: Project, server: Server) -> None:
    log = Path(live.directory, "log")
    alive = Path(live.directory, "alive")
    command = [sys.executable, "-m", "dlq", "run", "--health-file", str(alive)]
    enqueue(live, "confirm(1)")
    with log.open("w") as output:
        process = subprocess.Popen(
            ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *command],
            cwd=live.directory,
            env=live.env(),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        with server.client() as client:
            wait_until(lambda: not client.llen(KEY.format("default")), 30, what="the job is taken")
        wait_until(alive.exists, 30, what="the supervisor says that it lives")
        process.terminate()
        assert process.wait(20) == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
    assert log.read_text() == ""
