"""Ctrl-C: every verb exits with 130, says what was done, and never shows a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.cli.conftest import Project
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until

VERBS = [
    ["plan"],
    ["check"],
    ["status"],
    ["status", "--watch"],
    ["failed", "list"],
    ["failed", "show", "x"],
    ["failed", "retry", "--all", "--yes"],
    ["failed", "discard", "--all", "--yes"],
    ["pause", "run", "--for", "1h"],
    ["resume", "worker"],
    ["clear", "run", "--yes"],
    ["deduplicate", "run"],
    ["cron", "next"],
    ["cron", "run", "expire_baskets"],
    ["--settings", "shop.settings", "cron", "run", "expire_baskets"],
    ["config", "show"],
    ["config", "explain", "WORKERS"],
]
"""Those that load a project. Some have `run` and `worker` among their words."""


@contextmanager
def blocked(project: Project, *words: str) -> Iterator[subprocess.Popen[str]]:
    """`dlq` while the project's settings module reads from a pipe in which nothing comes."""
    fifo = project.directory / "fifo"
    os.mkfifo(fifo)
    project.add_settings(f"open({str(fifo)!r}).read()")
    process = start(project, *words)
    opened: list[int] = []

    def is_reading() -> bool:
        assert process.poll() is None, process.communicate()
        try:
            opened.append(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            return False
        return True

    try:
        wait_until(is_reading, 30, what="the settings module reads")
        yield process
    finally:
        os.close(opened[0])
        process.kill()
        process.communicate()


def start(project: Project, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "dlq", *words],
        cwd=project.directory,
        env=project.env(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_every_verb_exits_with_130(project: Project, words: list[str]) -> None:
    with blocked(project, *words) as process:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130, out + err
    assert out == ""
    assert err.startswith("\ninterrupted: ")
    assert err.count("\n") == 2, err


def test_a_bulk_action_says_how_far_it_came(live: Project, server: Server) -> None:
    """It stops between two steps, so that the number is exact, and can be repeated."""
    total = 20_000
    with server.client() as client:
        pipe = client.pipeline(transaction=False)
        for number in range(total):
            pipe.xadd("dlq:failed:emails", {"raw": f'{{"n": {number}}}', "kind": "raised"})
        pipe.execute()

        def left() -> int:
            return int(client.xlen("dlq:failed:emails"))

        process = start(live, "failed", "retry", "--queue", "emails", "--yes")
        wait_until(interrupt_when(process, lambda: left() < total), 30, what="the first step")
        _, err = process.communicate(timeout=20)
        assert process.returncode == 130, err
        assert f"interrupted: {total - left():,} of {total:,} failed jobs were retried;" in err
        assert 0 < left() < total
        assert client.llen("django_lightweight_queue:emails") == total - left()
        answer = live.dlq("failed", "retry", "--queue", "emails", "--yes")
        answer.has("Put ", " jobs back on emails.", code=0)
        assert client.llen("django_lightweight_queue:emails") == total


def interrupt_when(process: subprocess.Popen[str], fact: Callable[[], bool]) -> Callable[[], bool]:
    def happened() -> bool:
        assert process.poll() is None, process.communicate()
        if fact():
            process.send_signal(signal.SIGINT)
            return True
        return False

    return happened
