"""Several runners on one server: pools, exact machines beside them, and machines that are gone."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.chaos.report import read
from tests.faults.conftest import elsewhere, needs_elsewhere
from tests.kit.runner import Runner, is_alive
from tests.kit.waiting import wait_until
from tests.process.conftest import FailedJobs, Host

pytestmark = pytest.mark.chaos

places = pytest.mark.parametrize(
    "prefix",
    [
        pytest.param((), id="here"),
        pytest.param(elsewhere("elsewhere"), marks=needs_elsewhere, id="elsewhere"),
    ],
)


@places
def test_the_same_number_on_two_machines(host: Host, prefix: tuple[str, ...]) -> None:
    first = host.run(workers=2)
    wait_until(lambda: host.client.hlen("dlq:owner:faults") == 2, what="it has its numbers")
    second = host.run(workers=2, prefix=prefix)
    own = {first.worker_pid(f"faults/{number}") for number in (1, 2)}
    for job in range(200):
        host.push("slow", job, 0.005)
    said = second.wait_for_line(r"faults/1 waits: its number belongs to process (\d+) on (\S+)")
    assert int(said[1]) in own
    assert said[2] == socket.gethostname()
    wait_until(lambda: len(host.ledger.events("end")) == 200, 20)
    assert set(Counter(host.ledger.jobs("start")).values()) == {1}
    assert {event.pid for event in host.ledger.events()} == own

    assert first.stop() == 0
    stopped = time.monotonic()
    host.push("quick", 200)
    [after] = wait_until(lambda: host.ledger.events("end", "200"), 5)
    assert after.pid == second.worker_pid("faults/1") or after.pid == second.worker_pid("faults/2")
    assert after.at - stopped < 3, "it had only waited"


def test_a_heartbeat_process_that_is_killed_is_replaced_in_time(host: Host) -> None:
    """Nothing happens to the jobs, nor to the numbers that another runner waits for."""
    first = host.run(workers=2)
    wait_until(lambda: host.client.hlen("dlq:owner:faults") == 2, what="it has its numbers")
    [alive] = host.client.keys("dlq:alive:*")
    second = host.run(workers=2)
    second.wait_for_line("waits: its number belongs to")
    host.push("until_file", 0, str(host.directory / "go"))
    wait_until(lambda: host.ledger.events("start", "0"))
    for times in range(1, 4):
        os.kill(_heartbeat_pid(first), signal.SIGKILL)
        left = host.client.pttl(alive)
        wait_until(lambda n=times: first.output.count("heartbeat | killed by SIGKILL") == n)  # type: ignore[misc]  # mypy cannot infer a lambda's defaults
        wait_until(lambda before=left: host.client.pttl(alive) > before, 8, what="it is renewed")  # type: ignore[misc]  # as above
    (host.directory / "go").touch()
    for job in range(1, 50):
        host.push("quick", job)
    wait_until(lambda: len(host.ledger.events("end")) == 50)
    own = {first.worker_pid(f"faults/{number}") for number in (1, 2)}
    assert {event.pid for event in host.ledger.events()} <= own
    assert set(Counter(host.ledger.jobs("start")).values()) == {1}


def test_a_heartbeat_process_that_hangs_is_replaced_in_time(host: Host) -> None:
    """Before the last heartbeat expires: nobody else takes the numbers over."""
    first = host.run(workers=2)
    wait_until(lambda: host.client.hlen("dlq:owner:faults") == 2, what="it has its numbers")
    [alive] = host.client.keys("dlq:alive:*")
    host.push("until_file", 0, str(host.directory / "go"))
    wait_until(lambda: host.ledger.events("start", "0"))
    hung = _heartbeat_pid(first)
    os.kill(hung, signal.SIGSTOP)

    def is_replaced() -> bool:
        assert host.client.exists(alive), "the heartbeat has expired"
        return not is_alive(hung) and int(host.client.pttl(alive)) > 9_000

    wait_until(is_replaced, 15, what="a new process sends heartbeats")
    first.wait_for_line(r"heartbeat \| killed after \d+ s without a sign of life")
    (host.directory / "go").touch()
    wait_until(lambda: host.ledger.events("end", "0"))
    assert host.ledger.jobs("start") == ["0"]


@places
def test_an_exact_machine_beside_a_pool(host: Host, prefix: tuple[str, ...]) -> None:
    pool = host.run(workers=2)
    wait_until(lambda: host.client.hlen("dlq:owner:faults") == 2, what="it has its numbers")
    exact = host.run(*exactly(host), workers=2, prefix=prefix)
    wait_until(lambda: host.client.hlen("dlq:owner:faults") == 4, what="it adds to them")
    for job in range(200):
        host.push("slow", job, 0.02)
    wait_until(lambda: len(host.ledger.events("end")) == 200, 20)
    assert set(Counter(host.ledger.jobs("start")).values()) == {1}
    everybody = {
        runner.worker_pid(f"faults/{number}") for runner in (pool, exact) for number in (1, 2)
    }
    assert {event.pid for event in host.ledger.events()} == everybody, "all four take part"

    for job in range(200, 204):
        host.push("until_file", job, str(host.directory / "go"))
    wait_until(lambda: len(host.ledger.events("start")) == 204)
    exact.signal(signal.SIGTERM)
    exact.wait_for_line("Waiting for 2 jobs")
    (host.directory / "go").touch()
    assert exact.wait(5) == 0
    wait_until(lambda: len(host.ledger.events("end")) == 204)
    wait_until(lambda: not processing(host), what="nothing is in anybody's hand")
    assert host.client.hlen("dlq:owner:faults") == 2


@needs_elsewhere
def test_machines_that_are_gone_for_good(host: Host, failed_jobs: FailedJobs) -> None:
    """One of a pool and an exact one beside it: what they had in hand is back within a minute."""
    stays = host.start("--machine", "2", "--of", "2", workers=2).started()
    gone = host.start("--machine", "1", "--of", "2", workers=2, prefix=elsewhere("gone")).started()
    exact = host.run(*exactly(host), prefix=elsewhere("gone-too"))
    wait_until(lambda: host.client.hlen("dlq:owner:faults") == 3, what="all have numbers")
    for job in range(3):
        host.push("until_file", job, str(host.directory / "go"))
    wait_until(lambda: len(host.ledger.events("start")) == 3)
    for runner in (gone, exact):
        runner.signal_everybody(signal.SIGKILL)
        wait_until(lambda r=runner: not r.pids(), 5)  # type: ignore[misc]  # mypy cannot infer a lambda's defaults
    died = time.monotonic()
    assert len(processing(host)) == 3
    wait_until(lambda: len(host.waiting()) == 2, 60, what="their jobs are back on the queue")
    assert time.monotonic() - died >= 10, "not before they count as dead"
    (host.directory / "go").touch()
    wait_until(lambda: len(host.ledger.events("end")) == 3)
    assert set(Counter(host.ledger.jobs("end")).values()) == {1}
    assert sorted(Counter(host.ledger.jobs("start")).values()) == [1, 2, 2]
    assert {event.pid for event in host.ledger.events("end")} == {stays.worker_pid("faults/1")}
    stays.wait_for_line("whose owner process .* on gone.* is gone, are back on their queue")
    wait_until(lambda: not processing(host))
    assert failed_jobs() == []


def test_a_pool_of_three_becomes_one_of_two(host: Host) -> None:
    """The worst order: the new machines start while the old ones still have jobs in hand."""
    old = [machine(host, number, 3) for number in (1, 2, 3)]
    wait_until(lambda: host.client.hlen("dlq:owner:faults") == 3, what="all have numbers")
    for job in range(3):
        host.push("until_file", job, str(host.directory / "go"))
    wait_until(lambda: len(host.ledger.events("start")) == 3)
    for job in range(3, 300):
        host.push("slow", job, 0.01)
    new = [machine(host, number, 2) for number in (1, 2)]
    for runner in new:
        runner.wait_for_line("waits: its number belongs to")
    for runner in old:
        runner.signal(signal.SIGTERM)
        runner.wait_for_line("Waiting for 1 job")
    assert not host.ledger.events("end"), "all three are still at work"
    (host.directory / "go").touch()
    assert [runner.wait(10) for runner in old] == [0, 0, 0]
    wait_until(lambda: len(host.ledger.events("end")) >= 300, 20)
    wait_until(lambda: not processing(host))
    report = read(host.ledger.path, seed=0, sent=300, failed=0, kills=(), seconds=0)
    assert (report.lost, report.duplicates, report.overlaps) == (0, 0, 0), report.line()
    pids = {event.pid for event in host.ledger.events("end")}
    assert len(pids) >= 4, "old and new have worked"


def machine(host: Host, number: int, of: int) -> Runner:
    """Of a pool with three workers."""
    return host.start("--machine", str(number), "--of", str(of), workers=3).started()


def exactly(host: Host) -> tuple[str, ...]:
    """The options of an exact machine. Its workers are those of the environment."""
    path: Path = host.directory / "exact.toml"
    path.write_text("max_crashes = 3\n")
    return ("--exact-configuration", "--config", str(path))


def _heartbeat_pid(runner: Runner) -> int:
    """What is left of its processes beside the supervisor and the workers."""
    others = {runner.pid, *(runner.worker_pid(f"faults/{number}") for number in (1, 2))}
    [heartbeat] = wait_until(
        lambda: set(runner.pids()) - others, 8, what="it has a heartbeat process"
    )
    return heartbeat


def processing(host: Host) -> list[bytes]:
    """The lists of jobs in hand that are not empty, of spare numbers too."""
    return list(host.client.scan_iter("*processing:*"))
