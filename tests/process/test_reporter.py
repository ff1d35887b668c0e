"""What is reported to people and to the log appears on a console once."""

from __future__ import annotations

import io
import logging
import os
import re
import signal
import sys
from collections.abc import Iterator
from typing import TextIO

import pytest

from dlq.process.supervisor.reporter import Reporter
from tests.process.conftest import Host


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """In a tree of its own: what the test runner listens to is not in it."""
    root = logging.getLogger("tests.reporter")
    root.propagate = False
    root.setLevel(logging.INFO)
    logger = logging.getLogger("tests.reporter.supervisor")
    yield logger
    for each in (root, logger):
        each.handlers.clear()
        each.setLevel(logging.NOTSET)
    logger.propagate = True


def reported(logger: logging.Logger, level: str = "info") -> list[str]:
    lines: list[str] = []
    Reporter(lines.append, logger).report(level, "emails/1", "started, pid 7", "child_started")
    return lines


LINE = ["emails/1 | started, pid 7"]


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_record_on_the_console_takes_the_place_of_the_line(
    logger: logging.Logger, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stream: TextIO = getattr(sys, name)
    logger.addHandler(logging.StreamHandler(stream))
    assert reported(logger) == []
    out, err = capsys.readouterr()
    assert out + err == "emails/1 started, pid 7\n"


def test_a_console_that_leaves_it_out_gets_the_line(logger: logging.Logger) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(logging.WARNING)
    logger.addHandler(handler)
    assert reported(logger) == LINE
    assert reported(logger, "error") == []
    handler.setLevel(logging.NOTSET)
    logger.setLevel(logging.WARNING)
    assert reported(logger) == LINE


def test_a_log_elsewhere_gets_the_record_and_people_the_line(logger: logging.Logger) -> None:
    elsewhere = io.StringIO()
    logger.addHandler(logging.StreamHandler(elsewhere))
    assert reported(logger) == LINE
    assert elsewhere.getvalue() == "emails/1 started, pid 7\n"


def test_without_any_logging_the_last_resort_does_not_repeat_the_line(
    logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reported(logger, "error") == LINE
    assert capsys.readouterr().err == ""


def test_a_handler_further_up_counts_as_long_as_records_get_there(logger: logging.Logger) -> None:
    assert logger.parent is not None
    logger.parent.addHandler(logging.StreamHandler(sys.stderr))
    assert reported(logger) == []
    logger.propagate = False
    assert reported(logger) == LINE


@pytest.mark.parametrize(
    ("settings", "mark"), [("settings", r" \|"), ("listening", "")], ids=["silent", "listening"]
)
def test_a_worker_starts_and_dies_once_on_the_console(host: Host, settings: str, mark: str) -> None:
    module = f"tests.project.faults.{settings}"
    runner = host.start(environment={"DJANGO_SETTINGS_MODULE": module})
    started = runner.wait_for_line(rf"faults/1{mark} started, pid (\d+)")
    os.kill(int(started[1]), signal.SIGKILL)
    runner.wait_for_line(rf"(?s)faults/1{mark} started.*faults/1{mark} started")
    assert runner.stop() == 0
    assert len(re.findall("faults/1.* started, pid", runner.output)) == 2
    assert len(re.findall("faults/1.* killed by SIGKILL", runner.output)) == 1
