"""Jobs that take their worker down, in every way there is, and workers that are killed."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.kit.runner import is_alive
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until
from tests.process.conftest import AT_MOST_ONCE, RELIABLE, FailedJobs, Host


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        ("segfaults", "killed by SIGSEGV"),
        ("kills_itself", "killed by SIGKILL (out of memory?)"),
        ("exits_hard", "exited with code 3"),
    ],
)
def test_a_job_that_takes_its_worker_down_becomes_a_failed_job(
    host: Host, failed_jobs: FailedJobs, task: str, reason: str
) -> None:
    raw = host.push(task, 1)
    host.push("quick", 2)
    runner = host.run(max_crashes=3)
    wait_until(lambda: host.ledger.events("end", "2"), what="the job after it is run")
    assert host.ledger.jobs("start") == ["1", "1", "1", "2"]
    assert len({event.pid for event in host.ledger.events("start")}) == 4
    [failed] = failed_jobs()
    assert (failed.raw, failed.failure.kind) == (raw, "crashed")
    assert reason in failed.failure.reason
    assert reason in runner.output
    wait_until(lambda: not host.in_hand(), what="nothing is in hand")


@pytest.fixture
def memory_group() -> Iterator[Path]:
    """A control group with little memory."""
    for root in (Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")):
        group = root / f"dlq-test-{os.getpid()}"
        with suppress(OSError):
            group.mkdir()
            limits = [group / name for name in ("memory.limit_in_bytes", "memory.max")]
            for limit in filter(Path.exists, limits):
                limit.write_text("200M")
                yield group
                # Who was in there may still be on the way out.
                wait_until(lambda group=group: _is_removed(group), 5)  # type: ignore[misc]  # mypy cannot infer a lambda's default
                return
            group.rmdir()
    pytest.skip("no control group can be made here: needs root, and cgroups that can be written")


def test_a_job_that_the_kernel_kills_for_its_memory(
    memory_group: Path, tmp_path: Path, server: Server
) -> None:
    into = f'echo $$ > {memory_group}/cgroup.procs && exec "$@"'
    with ExitStack() as stack:
        host = Host(tmp_path, server, stack)
        runner = host.run(max_crashes=2, prefix=("sh", "-c", into, "sh"))
        raw = host.push("eats_memory", 1, 500_000_000)
        host.push("quick", 2)
        wait_until(lambda: host.ledger.events("end", "2"), what="the job after it is run")
        assert host.ledger.jobs("start") == ["1", "1", "2"]
        assert host.ledger.jobs("end") == ["2"]
        entries: Any = host.client.xrange("dlq:failed:faults")
        [[_, failed]] = entries
        assert failed[b"raw"] == raw
        assert failed[b"kind"] == b"crashed"
        assert b"killed by SIGKILL (out of memory?)" in failed[b"reason"]
        assert _memory_kills(memory_group) == 2, "it was the kernel"
        assert runner.stop() == 0


def _is_removed(group: Path) -> bool:
    try:
        group.rmdir()
    except OSError:
        return False
    return True


def _memory_kills(group: Path) -> int:
    files = [group / name for name in ("memory.oom_control", "memory.events")]
    text = next(file.read_text() for file in files if file.exists())
    return int(dict(line.split() for line in text.splitlines())["oom_kill"])


@pytest.mark.parametrize(("task", "reason"), [("exits", "SystemExit: 3"), ("interrupts", "Keyb")])
def test_a_job_that_exits_fails_and_its_worker_stays(
    host: Host, failed_jobs: FailedJobs, task: str, reason: str
) -> None:
    host.push(task, 1)
    host.push("quick", 2)
    runner = host.run()
    wait_until(lambda: host.ledger.events("end", "2"))
    [failed] = failed_jobs()
    assert failed.failure.kind == "exit"
    assert failed.failure.reason.startswith(reason)
    assert {event.pid for event in host.ledger.events()} == {runner.worker_pid("faults/1")}


def test_a_killed_worker_is_replaced_within_a_second_and_its_job_is_run_again(
    host: Host, failed_jobs: FailedJobs
) -> None:
    runner = host.run()
    host.push("until_file", 1, str(host.directory / "go"))
    [first] = wait_until(lambda: host.ledger.events("start", "1"))
    os.kill(first.pid, signal.SIGKILL)
    killed = time.monotonic()
    second = wait_until(lambda: host.ledger.events("start", "1")[1:], 3)[0]
    assert second.at - killed < 1.0
    assert second.pid != first.pid
    (host.directory / "go").touch()
    wait_until(lambda: host.ledger.events("end", "1"))
    wait_until(lambda: not host.in_hand())
    assert failed_jobs() == []
    assert "killed by SIGKILL" in runner.output


def test_an_idle_worker_that_is_killed_blames_no_job(host: Host, failed_jobs: FailedJobs) -> None:
    runner = host.run(max_crashes=1)
    host.push("quick", 1)
    wait_until(lambda: host.ledger.events("end", "1"))
    wait_until(lambda: not host.in_hand())
    os.kill(runner.worker_pid("faults/1"), signal.SIGKILL)
    host.push("quick", 2)
    wait_until(lambda: host.ledger.events("end", "2"))
    assert failed_jobs() == []


def test_repeated_kills_of_idle_workers_are_answered_with_growing_pauses(host: Host) -> None:
    """What ends a worker before it has run anything will end the next one, too."""
    runner = host.run()
    starts = [time.monotonic()]
    for _ in range(3):
        before = runner.worker_pid("faults/1")
        os.kill(before, signal.SIGKILL)
        wait_until(lambda before=before: runner.worker_pid("faults/1") != before, 5)  # type: ignore[misc]  # mypy cannot infer a lambda's default
        starts.append(time.monotonic())
    pauses = [later - earlier for earlier, later in pairwise(starts)]
    assert pauses[0] < 0.5
    assert 0.9 < pauses[1] < 2
    assert 1.9 < pauses[2] < 3.5
    assert "started again in 2 s" in runner.output
    os.kill(runner.worker_pid("faults/1"), signal.SIGKILL)
    wait_until(lambda: announced(host) == [], 3.5, what="it is missed")
    wait_until(lambda: announced(host) == ["faults/1"], 8, what="it is back")
    host.push("quick", 1)
    wait_until(lambda: host.ledger.events("end", "1"))


def announced(host: Host) -> list[str]:
    """The workers that live, as the runner's heartbeat tells."""
    [key] = host.client.keys("dlq:alive:*")
    found: Any = host.client.get(key)
    workers: list[str] = json.loads(found)["workers"]
    return workers


@pytest.mark.parametrize("task", ["over_time_with_a_child", "stuck_in_c"])
def test_a_job_over_its_time_is_killed_with_all_it_started(
    host: Host, failed_jobs: FailedJobs, task: str
) -> None:
    runner = host.run()
    host.push(task, 1, timeout=1)
    host.push("quick", 2)
    [started] = wait_until(lambda: host.ledger.events("start", "1"))
    after = wait_until(lambda: host.ledger.events("end", "2"), 6)[0]
    assert 1 <= after.at - started.at < 3.5, "timeout + 2.5 s"
    assert not is_alive(started.pid)
    for child in host.ledger.jobs("child"):
        assert not is_alive(int(child))
    [failed] = failed_jobs()
    assert failed.failure.kind == "timeout"
    assert failed.failure.ran >= 1
    assert host.ledger.jobs("start") == ["1", "2"], "it is not run again"
    assert "ran longer than its timeout" in runner.output


def test_a_job_within_its_time_is_left_alone(host: Host, failed_jobs: FailedJobs) -> None:
    host.push("slow", 1, 0.2, timeout=0.5)
    host.push("slow", 2, 1.5)
    runner = host.run()
    wait_until(lambda: host.ledger.events("end", "2"))
    assert {event.pid for event in host.ledger.events()} == {runner.worker_pid("faults/1")}
    assert failed_jobs() == []


def test_a_child_that_comes_back_from_a_job_ends_at_once(host: Host) -> None:
    runner = host.run()
    host.push("forks", 1)
    host.push("quick", 2)
    wait_until(lambda: host.ledger.events("end", "2"))
    [child] = host.ledger.events("child", "1")
    assert not is_alive(child.pid)
    assert "forked and its child came back" in runner.output
    workers = {event.pid for event in host.ledger.events("end")}
    assert workers == {runner.worker_pid("faults/1")}
    assert host.ledger.jobs("end") == ["1", "2"]
    wait_until(lambda: not host.in_hand())


def test_what_a_job_changes_in_its_process_is_put_right(host: Host) -> None:
    host.push("leaves_a_mess", 1)
    host.push("shows_surroundings", 2)
    runner = host.run()
    wait_until(lambda: host.ledger.events("end", "2"))
    seen = {event.event: event.job for event in host.ledger.events()}
    assert seen["cwd"] == os.getcwd()
    assert seen["umask"] != "0o777"
    assert (seen["blocked"], seen["term"], seen["alarm"]) == ("[]", "False", "0.0")
    assert seen["streams"] == "[True, True, True]"
    assert "printed by a job" in runner.output
    assert len({event.pid for event in host.ledger.events()}) == 1
    assert runner.stop(2) == 0, "it still heeds the stop signal"


def test_nothing_that_is_printed_reaches_a_server(host: Host) -> None:
    host.push("takes_over_stdout", 1)
    host.push("shows_surroundings", 2)
    runner = host.run()
    wait_until(lambda: host.ledger.events("end", "2"))
    assert host.ledger.jobs("socket") == ["1"], "the socket did get the number of stdout"
    assert "printed by a job" in runner.output
    assert "standard streams" in runner.output
    wait_until(lambda: not host.in_hand())


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b'{"path": "a.b"}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"path": "a.b", "args": [], "kwargs": {}, "timeout": ' + b"9" * 5000 + b"}",
        b'{"path": "a.b", "args": [], "kwargs": {}, "created_time": "yesterday"}',
        b'{"path": "a.b\\u001b[2J", "args": [], "kwargs": {}}',
    ],
    ids=lambda raw: repr(raw[:12]),
)
def test_what_is_no_job_is_a_failed_job(host: Host, failed_jobs: FailedJobs, raw: bytes) -> None:
    host.push_raw(raw)
    host.push("quick", 1)
    runner = host.run()
    wait_until(lambda: host.ledger.events("end", "1"))
    [failed] = failed_jobs()
    assert failed.raw == raw
    assert failed.failure.kind in ("undecodable", "unknown")
    assert "\x1b" not in runner.output
    assert host.ledger.events("end", "1")[0].pid == runner.worker_pid("faults/1")


def test_a_job_that_raises_is_a_failed_job_with_its_traceback(
    host: Host, failed_jobs: FailedJobs
) -> None:
    host.push("raises", 1)
    host.push("gone", 2)
    host.push("quick", 3, "too", "many")
    host.run()
    raised, unknown, changed = wait_until(lambda: failed_jobs() if len(failed_jobs()) == 3 else [])
    assert raised.failure.kind == "raised"
    assert "in raises" in raised.failure.traceback
    assert raised.failure.worker == "faults/1"
    assert unknown.failure.kind == "unknown"
    assert changed.failure.reason.startswith("TypeError")


def test_a_task_with_retries_is_run_again_and_then_failed(
    host: Host, failed_jobs: FailedJobs
) -> None:
    host.push("raises_and_retries", 1)
    host.run()
    [failed] = wait_until(failed_jobs)
    assert host.ledger.jobs("start") == ["1", "1", "1"]
    assert failed.failure.attempts == 3
    first, second, third = (event.at for event in host.ledger.events("start"))
    assert second - first >= 0.2
    assert third - second >= 0.4


def test_a_worker_leaves_after_its_jobs_and_the_next_one_goes_on(host: Host) -> None:
    host.run(worker_max_jobs=2)
    for job in range(6):
        host.push("quick", job)
    wait_until(lambda: len(host.ledger.events("end")) == 6)
    assert sorted(host.ledger.jobs("end")) == [str(job) for job in range(6)]
    assert len({event.pid for event in host.ledger.events()}) == 3


def test_the_end_of_a_process_keeps_no_job_waiting(host: Host) -> None:
    """The process has given its number up: exit handlers run, and its memory is freed."""
    runner = host.run(worker_max_jobs=1)
    host.push("lingers", 1, 1)
    host.push("quick", 2)
    wait_until(lambda: host.ledger.jobs("end") == ["2", "1"])
    (first,) = host.ledger.events("start", "1")
    (second,) = host.ledger.events("start", "2")
    assert second.pid != first.pid
    assert "killed" not in runner.output


@pytest.mark.parametrize("backend", [RELIABLE, AT_MOST_ONCE])
def test_processes_that_do_not_end_do_not_pile_up(host: Host, backend: str) -> None:
    """The second one waits for the end of the first, for STOP_TIMEOUT and no longer."""
    runner = host.run(worker_max_jobs=1, backend=backend, stop_timeout=4)
    for job in range(4):
        host.push("lingers", job, 600)
    wait_until(lambda: len(host.ledger.jobs("start")) == 2)
    pids = {event.pid for event in host.ledger.events("start")}
    assert len(pids) == 2
    time.sleep(1.5)  # A turn of the supervisor's.
    assert host.ledger.jobs("start") == ["0", "1"]
    assert all(map(is_alive, pids))
    wait_until(lambda: len(host.ledger.jobs("start")) == 3)
    runner.wait_for_line("its exit handlers or threads of its jobs did not end")
    assert sum(map(is_alive, pids)) == 1
    began = time.monotonic()
    assert runner.stop() == 0
    assert time.monotonic() - began < 4 + 1
    assert len(host.waiting()) == 1


def test_a_bad_end_after_all_is_done_is_reported(host: Host) -> None:
    runner = host.run(worker_max_jobs=1)
    host.push("dies_at_exit", 1)
    wait_until(lambda: "faults/1 | killed by SIGKILL (out of memory?)" in runner.output)
    host.push("quick", 2)
    wait_until(lambda: host.ledger.jobs("end") == ["2"])
    assert not host.waiting() + host.in_hand()


def test_a_worker_leaves_when_it_has_long_been_idle(host: Host) -> None:
    runner = host.run(worker_max_idle=1, dequeue_timeout=1)
    first = runner.worker_pid("faults/1")
    wait_until(lambda: not is_alive(first), 6)
    host.push("quick", 1)
    [event] = wait_until(lambda: host.ledger.events("end", "1"))
    assert event.pid != first
    assert "killed" not in runner.output
    assert runner.output.count("faults/1 | started") == 1, "what goes as planned is no news"


@pytest.mark.parametrize(
    ("task", "fields", "kind"),
    [
        ("segfaults", {}, "crashed"),
        ("kills_itself", {}, "crashed"),
        ("over_time", {"timeout": 1}, "timeout"),
        ("exits", {}, "exit"),
    ],
)
def test_where_a_job_runs_once_at_most_its_death_is_not_silent(
    host: Host, failed_jobs: FailedJobs, task: str, fields: dict[str, Any], kind: str
) -> None:
    raw = host.push(task, 1, **fields)
    host.push("quick", 2)
    host.run(backend=AT_MOST_ONCE)
    wait_until(lambda: host.ledger.events("end", "2"))
    [failed] = wait_until(failed_jobs)
    assert (failed.raw, failed.failure.kind) == (raw, kind)
    assert host.ledger.jobs("start") == ["1", "2"]


def test_where_a_job_runs_once_at_most_one_that_was_killed_for_a_stop_goes_back(host: Host) -> None:
    raw = host.push("killable", 1, 60, sigkill_on_stop=True)
    runner = host.run(backend=AT_MOST_ONCE)
    [started] = wait_until(lambda: host.ledger.events("start", "1"))
    os.kill(started.pid, signal.SIGTERM)
    wait_until(lambda: len(host.ledger.events("start", "1")) == 2)
    assert runner.stop() == 0
    assert host.waiting() == [raw]
