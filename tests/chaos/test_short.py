"""The short forms, for each change. Figures: the last section of the fault table."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from tests.chaos import scenarios
from tests.chaos.fuzz import fuzz
from tests.kit.valkey import Server

pytestmark = pytest.mark.chaos


def test_killed_workers_lose_nothing(tmp_path: Path, server: Server) -> None:
    report = scenarios.kills(tmp_path, server, jobs=20_000, per_second=5, workers=4, seed=1)
    assert report.sent == 20_000
    assert report.kills >= 5, "the fault must have happened"
    assert report.interrupted >= 1, "and within a job"
    assert report.lost == 0, report.line()
    assert report.duplicates <= report.kills, report.line()
    assert report.overlaps == 0, report.line()
    assert report.p99 is not None
    assert report.p99 <= 1.0, report.line()


def test_rolling_restarts_lose_and_double_nothing(tmp_path: Path, server: Server) -> None:
    report = scenarios.restarts(tmp_path, server, jobs=50_000, restarts=3, machines=3, seed=1)
    assert report.sent == 50_000
    assert (report.lost, report.duplicates, report.overlaps) == (0, 0, 0), report.line()


def test_hostile_values_stop_no_queue(tmp_path: Path, server: Server) -> None:
    """Half a minute of the fuzzer, with a seed of its own each time; it is in the report."""
    report = fuzz(tmp_path, server, minutes=0.5, seed=secrets.randbelow(2**31))
    assert report.failures == (), report.line()
    assert report.rounds >= 3
    assert report.sentinels == 2 * report.rounds


def test_mutated_payloads_become_failed_jobs(tmp_path: Path, server: Server) -> None:
    report, pids = scenarios.payloads(tmp_path, server, count=10_000, seed=1)
    assert report.failed == 10_000, report.line()
    assert report.lost == 0, report.line()
    assert len(pids) == 1, "the worker must not have been restarted"
