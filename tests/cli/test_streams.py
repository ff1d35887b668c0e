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


PRINTING = """
import os, subprocess
print("printed by the settings")
os.write(1, b"written by the settings\\n")
subprocess.run(["echo", "said by a child of the settings"])
"""


@pytest.mark.parametrize(
    "words",
    [
        ["plan", "--format", "json"],
        ["check", "--format", "sarif"],
        ["check", "--format", "github"],
        ["config", "show", "--format", "json"],
        ["config", "explain", "WORKERS", "--format", "json"],
        ["cron", "next", "--format", "json"],
        ["status", "--format", "json"],
        ["failed", "list", "--format", "json"],
        ["pause", "emails", "--for", "1h", "--format", "json"],
    ],
    ids=" ".join,
)
def test_what_the_project_prints_stays_out_of_machine_formats(
    live: Project, server: Server, words: list[str]
) -> None:
    live.add_settings(PRINTING)
    live.write("orders/apps.py", "print('printed by an app')\n")
    answer = live.dlq(*words)
    assert answer.err.count("by the settings") == 2
    assert "said by a child" in answer.err
    assert "by the settings" not in answer.out
    assert "said by" not in answer.out
    if words[-1] != "github":
        assert isinstance(answer.json, dict)


def test_settings_that_change_the_directory(live: Project, server: Server) -> None:
    live.write("elsewhere/.keep", "")
    live.add_settings("import os\nos.chdir('elsewhere')")
    live.dlq("plan", "--config", "config/special.py").has("images   6", code=0)
    live.dlq("config", "show", "--config", "config/special.py").has('{"images": 6}', code=0)
    words = ["run", "--config", "config/special.py", "--touch-file", "none/x.%s"]
    live.dlq(*words).has(f"cannot write {live.directory}/none/x.", code=2)


def test_a_manage_py_with_two_settings_modules(project: Project) -> None:
    path = project.directory / "manage.py"
    test = 'if "test" in sys.argv:\n    os.environ["DJANGO_SETTINGS_MODULE"] = "shop.base"\n'
    path.write_text(
        path.read_text().replace("os.environ.setdefault", f"{test}os.environ.setdefault")
    )
    project.dlq("plan").has(
        "manage.py names shop.base and shop.settings as the settings module",
        "dlq --settings shop.settings",
        code=2,
    )
    project.dlq("plan", "--settings", "shop.settings").has("emails", code=0)


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp1252"])
def test_any_text_can_be_printed_in_any_encoding(project: Project, encoding: str) -> None:
    project.write("config/names.py", 'LIGHTWEIGHT_QUEUE_WORKERS = {"почта": 1, "émails": -1}\n')
    for command in (
        ["-m", "dlq", "plan"],
        ["-m", "dlq", "check"],
        ["manage.py", "queue_configuration"],
    ):
        done = subprocess.run(
            [sys.executable, *command, "--config", "config/names.py"],
            cwd=project.directory,
            env=project.env({"PYTHONIOENCODING": encoding}),
            capture_output=True,
            timeout=60,
            check=False,
        )
        said = (done.stdout + done.stderr).decode(encoding)
        assert "Traceback" not in said
        assert "mails" in said
