"""`dlq run --reload`: the code changes, is checked, and takes the place of the old one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dlq.process.supervisor.code_watch import CodeWatch
from tests.cli.conftest import Project
from tests.cli.running import running
from tests.cli.test_queues import enqueue

TASKS = (
    "from dlq import task\n\n@task(queue='images')\ndef confirm(order_id):\n"
    "    print('{}', order_id, flush=True)\n\ncall = confirm\n"
)


def test_is_refused_unless_debug(live: Project) -> None:
    live.dlq("run", "--reload").has(
        "--reload is for development, and DEBUG is False in shop.settings", code=2
    )


def test_new_code_runs_and_broken_code_keeps_the_old(live: Project) -> None:
    live.write("shop/settings.py", "from shop.base import *\n\nDEBUG = True\n")
    live.write("orders/tasks.py", TASKS.format("first"))
    with running(live, "-m", "dlq", "run", "--reload") as runner:
        enqueue(live, "confirm(1)")
        runner.wait_for("first 1\n")
        pid = runner.process.pid
        live.write("orders/tasks.py", "def broken(:\n")
        runner.wait_for("the configuration is refused")
        assert "broken" in runner.text or "invalid syntax" in runner.text
        live.write("orders/tasks.py", TASKS.format("second, longer"))
        runner.wait_for("Reloading.", 30)
        enqueue(live, "confirm(2)")
        runner.wait_for("second, longer 2\n", 30)
        assert runner.process.pid == pid
        assert runner.stop() == 0


def test_a_change_is_said_once_and_when_it_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dlq.process.supervisor.code_watch.LOOK_EVERY", -1.0)
    file = tmp_path / "override.toml"
    file.write_text("a")
    watch = CodeWatch([str(file)])
    assert not watch.has_changed()
    file.write_text("longer")
    assert [watch.has_changed() for _ in range(3)] == [False, True, False]
    os.unlink(file)
    assert [watch.has_changed() for _ in range(3)] == [False, True, False]
