"""Jobs that use their process as if it were theirs: processes, threads, streams, descriptors.

Invariant: whatever a job, a hook or a stored byte does, the job ends as done, failed, retried or
given back within its timeout + 10 s, and the next job of the queue starts. Each test here ends with
that next job."""

from __future__ import annotations

import resource
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.kit.waiting import wait_until
from tests.process.conftest import FailedJobs, Host

GUESTS = "tests.project.faults.guests"


def push(host: Host, name: str, *args: Any, **fields: Any) -> None:
    host.push(name, *args, path=f"{GUESTS}.{name}", **fields)


def next_job_ends(host: Host, job: int = 99, limit: float = 15) -> None:
    host.push("quick", job)
    wait_until(lambda: host.ledger.events("end", str(job)), limit, what="the next job has ended")
    wait_until(lambda: not host.in_hand())


@pytest.mark.parametrize("name", ["terminates_a_process", "maps_in_a_pool", "maps_in_an_executor"])
def test_a_job_may_have_processes_of_its_own(
    host: Host, failed_jobs: FailedJobs, name: str
) -> None:
    runner = host.run()
    push(host, name, 1)
    next_job_ends(host)
    assert failed_jobs() == []
    assert host.ledger.jobs("end") == ["1", "99"]
    assert {event.pid for event in host.ledger.events("end")} == {runner.worker_pid("faults/1")}
    for code in host.ledger.jobs("exitcode"):
        assert code == str(-signal.SIGTERM)


def test_the_end_of_a_job_s_process_is_not_the_worker_s(
    host: Host, failed_jobs: FailedJobs
) -> None:
    """The child of a sigkill_on_stop job gets a TERM, and the job then takes its worker down."""
    host.run(max_crashes=2)
    push(host, "terminates_a_process_and_crashes", 1, sigkill_on_stop=True)
    next_job_ends(host)
    assert host.ledger.jobs("start") == ["1", "1", "99"]
    [failed] = failed_jobs()
    assert failed.failure.kind == "crashed"


@pytest.mark.parametrize(("prefix", "ignored"), [((), "False"), (("nohup",), "True")])
def test_programs_start_with_the_signals_that_the_runner_started_with(
    host: Host, prefix: tuple[str, ...], ignored: str
) -> None:
    host.run(prefix=prefix)
    push(host, "shows_hangup_of_a_program", 1)
    next_job_ends(host)
    assert host.ledger.jobs("ignored") == [ignored]


def test_threads_of_a_job_are_joined_before_its_worker_ends(host: Host) -> None:
    host.run(worker_max_jobs=1)
    push(host, "works_on_in_a_thread", 1, 1.0)
    next_job_ends(host)
    assert not host.ledger.events("thread"), "the next job does not wait for them"
    wait_until(lambda: len(host.ledger.events("thread")) == 2)


@pytest.mark.parametrize("preload", [True, False], ids=["forked", "spawned"])
def test_exit_handlers_of_imports_run_once_in_each_worker(host: Host, preload: bool) -> None:
    """As those of OpenTelemetry and Sentry, which send what has been collected."""
    runner = host.run(
        preload=preload,
        worker_max_jobs=1,
        environment={"DJANGO_SETTINGS_MODULE": "tests.project.faults.flushing"},
    )
    next_job_ends(host, 1)
    next_job_ends(host, 2)
    workers = {event.pid for event in host.ledger.events("end")}
    wait_until(lambda: len(host.ledger.events("flushed")) == 2)
    runner.signal(signal.SIGTERM)
    assert runner.wait() == 0
    flushed = [event.pid for event in host.ledger.events("flushed")]
    assert {*workers, runner.pid} <= set(flushed)
    assert len(flushed) == len(set(flushed))


def test_what_a_job_sets_in_its_process_ends_with_it(host: Host) -> None:
    runner = host.run()
    push(host, "shows_what_is_the_processs", 1)
    push(host, "sets_what_is_the_processs", 2)
    push(host, "shows_what_is_the_processs", 3)
    next_job_ends(host)
    for event in ("language", "zone", "precision", "traps", "locale", "timeout"):
        before, after = host.ledger.jobs(event)
        assert before == after, event
    assert {event.pid for event in host.ledger.events("end")} == {runner.worker_pid("faults/1")}


@pytest.mark.parametrize("way", ["close", "detach"])
def test_a_job_that_closes_its_streams_is_done(
    host: Host, failed_jobs: FailedJobs, way: str
) -> None:
    runner = host.start(environment={"DJANGO_SETTINGS_MODULE": "tests.project.faults.listening"})
    push(host, "closes_its_streams", 1, way)
    push(host, "says", 2, "said by a job")
    next_job_ends(host)
    assert host.ledger.jobs("start") == ["1", "99"], "it ran once"
    assert failed_jobs() == []
    assert runner.output.count("said by a job") == 2
    assert len({event.pid for event in host.ledger.events("end")}) == 1


@pytest.mark.parametrize("hook", ["process_job", "process_result", "process_exception"])
def test_a_hook_that_exits_changes_nothing(host: Host, failed_jobs: FailedJobs, hook: str) -> None:
    runner = host.run(
        middleware=["tests.project.faults.middleware.Exits"],
        environment={"TEST_HOOK_THAT_EXITS": hook},
    )
    host.push("quick", 1)
    host.push("raises", 2)
    next_job_ends(host)
    assert [failed.failure.kind for failed in failed_jobs()] == ["raised"]
    assert host.ledger.jobs("end") == ["1", "99"]
    assert {event.pid for event in host.ledger.events("end")} == {runner.worker_pid("faults/1")}


@pytest.mark.parametrize("hook", ["process_job", "process_result"])
def test_a_hook_that_hangs_ends_with_the_timeout_of_its_job(
    host: Host, failed_jobs: FailedJobs, hook: str
) -> None:
    host.run(
        middleware=["tests.project.faults.middleware.Hangs"],
        environment={"TEST_HOOK_THAT_HANGS": hook},
    )
    host.push("slow", 1, 0.0, timeout=1)
    next_job_ends(host, limit=11)
    assert [failed.failure.kind for failed in failed_jobs()] == ["timeout"]


def test_an_exception_that_cannot_be_looked_at_is_a_failure(
    host: Host, failed_jobs: FailedJobs
) -> None:
    runner = host.run()
    push(host, "raises_hostile", 1)
    next_job_ends(host)
    [failed] = failed_jobs()
    assert failed.failure.reason == "Hostile: (its text cannot be shown: str() raised)"
    assert {event.pid for event in host.ledger.events()} == {runner.worker_pid("faults/1")}


def test_a_module_that_raises_at_import_fails_its_job_at_once(
    host: Host, failed_jobs: FailedJobs
) -> None:
    host.run()
    host.push("uses_token", 1, path="tests.project.faults.late.uses_token")
    next_job_ends(host, limit=5)
    [failed] = failed_jobs()
    assert failed.failure.kind == "unknown"
    assert "importing tests.project.faults.late raises KeyError" in failed.failure.reason
    assert "A_VARIABLE_OF_THE_WEB_PROCESS" in failed.failure.traceback


@pytest.mark.parametrize(
    "path", ["dlq.__main__.x", "tests.project.faults.__main__.x", "dlq.cli.app.x"]
)
def test_a_job_cannot_start_a_program(host: Host, failed_jobs: FailedJobs, path: str) -> None:
    runner = host.run()
    host.push("x", 1, path=path)
    next_job_ends(host)
    [failed] = failed_jobs()
    assert failed.failure.kind == "unknown"
    assert {event.pid for event in host.ledger.events()} == {runner.worker_pid("faults/1")}


def test_nothing_is_sent_to_a_file_of_a_job(
    host: Host, failed_jobs: FailedJobs, tmp_path: Path
) -> None:
    file = tmp_path / "opened by the job"
    host.run()
    push(host, "closes_all_descriptors", 1, str(file))
    next_job_ends(host)
    assert file.read_bytes() == b""
    assert host.ledger.jobs("end") == ["1", "99"]
    assert failed_jobs() == []
    wait_until(lambda: not host.in_hand())


@pytest.mark.parametrize("preload", [True, False], ids=["forked", "spawned"])
def test_workers_start_also_in_a_directory_that_is_gone(host: Host, preload: bool) -> None:
    """As release directories are removed while their runner lives."""
    directory = host.directory / "release"
    directory.mkdir()
    runner = host.run(preload=preload, worker_max_jobs=1, directory=directory)
    push(host, "deletes_the_directory", 1, str(directory))
    next_job_ends(host)
    assert "Traceback" not in runner.output


def test_a_finalizer_that_hangs_keeps_no_job_waiting(host: Host) -> None:
    runner = host.run()
    push(host, "leaves_a_finalizer_that_hangs", 1)
    next_job_ends(host, limit=15)
    assert host.ledger.jobs("start") == ["1", "99"], "it is not run again"
    runner.wait_for_line("killed: it did not get ready for its next job within")


@pytest.mark.parametrize("limit", [150, 40])
def test_a_low_limit_on_open_files(host: Host, limit: int) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert hard == resource.RLIM_INFINITY or hard > limit
    host.run(prefix=("sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh"))
    next_job_ends(host)
