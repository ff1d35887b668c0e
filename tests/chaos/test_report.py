"""What the ledger is read as: the figures of all scenarios depend on it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from tests.chaos.report import Kill, Report, read, together
from tests.kit.ledger import Ledger


def report(
    directory: Path, *events: tuple[float, int, str, str], kills: tuple[Kill, ...]
) -> Report:
    ledger = directory / "ledger"
    ledger.write_text("".join(json.dumps(event) + "\n" for event in events))
    return read(ledger, seed=0, sent=2, failed=0, kills=kills, seconds=1)


def test_a_job_that_is_run_again_after_a_kill(tmp_path: Path) -> None:
    found = report(
        tmp_path,
        (1.0, 7, "start", "a"),
        (2.5, 8, "start", "a"),
        (3.0, 8, "end", "a"),
        kills=(Kill(2.0, 2.0, 7),),
    )
    assert (found.lost, found.duplicates, found.overlaps, found.interrupted) == (1, 0, 0, 1)
    assert found.p50 == 0.5


def test_a_job_that_two_processes_run_at_once(tmp_path: Path) -> None:
    """The kill came only after the second start, or before the first."""
    for kill in (2.6, 0.5):
        found = report(
            tmp_path,
            (1.0, 7, "start", "a"),
            (2.5, 8, "start", "a"),
            (3.0, 7, "end", "a"),
            (3.0, 8, "end", "a"),
            kills=(Kill(kill, kill, 7),),
        )
        assert (found.overlaps, found.duplicates, found.interrupted) == (1, 1, 0)


def test_a_pid_that_was_given_out_again(tmp_path: Path) -> None:
    found = report(
        tmp_path,
        (1.0, 7, "start", "a"),
        (2.5, 8, "start", "a"),
        (3.0, 8, "end", "a"),
        (10.0, 7, "start", "b"),
        (12.0, 9, "start", "b"),
        (13.0, 9, "end", "b"),
        kills=(Kill(2.0, 2.0, 7), Kill(11.0, 11.0, 7)),
    )
    assert (found.lost, found.overlaps, found.interrupted) == (0, 0, 2)
    assert found.p99 == 1.0


def test_a_kill_that_was_late(tmp_path: Path) -> None:
    """Its sender was made to wait, and the worker began one more job meanwhile."""
    found = report(
        tmp_path,
        (2.1, 7, "start", "a"),
        (2.5, 8, "start", "a"),
        (3.0, 8, "end", "a"),
        kills=(Kill(2.0, 2.2, 7),),
    )
    assert (found.overlaps, found.interrupted) == (0, 1)


def test_a_line_that_a_kill_has_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    path.write_text('\n[1.0, 7, "start", "a"]\n\n[2.0, 7, "en\n[3.0, 8, "start", "a"]\n')
    assert [event.at for event in Ledger(path).events()] == [1.0, 3.0]


def test_rounds_are_added_up(tmp_path: Path) -> None:
    events = (1.0, 7, "start", "a"), (2.5, 8, "start", "a"), (3.0, 8, "end", "a")
    bad = report(tmp_path, *events, kills=(Kill(2.0, 2.0, 7),))
    good = replace(bad, lost=0, ended=2, p50=None, p99=None)
    assert (bad.is_good, good.is_good) == (False, True)
    whole = together([bad, good])
    assert (whole.sent, whole.ended, whole.lost, whole.kills, whole.seconds) == (4, 3, 1, 2, 2)
    assert (whole.p50, whole.p99) == (0.5, 0.5)
