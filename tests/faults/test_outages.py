"""The server goes away and comes back, under real workers."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import redis

from dlq.backends.redis_storage.fleet.heartbeats import ALIVE_FOR
from tests.kit.runner import ROOT, Runner
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until
from tests.process.conftest import Host

pytestmark = pytest.mark.chaos

BACKOFF_LIMIT = 5.0
"""Seconds between two attempts to reach a server that is away, at most."""


def cpu_seconds(pids: list[int]) -> float:
    """Processor time that these processes have used, from the scheduler's own count (ns)."""
    total = 0
    for pid in pids:
        total += int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
    return total / 1e9


def health(path: Path) -> int:
    command = [sys.executable, "-m", "dlq", "health", "--file", str(path), "--max-age", "3"]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True).returncode


@pytest.mark.parametrize("way", ["killed", "silent"])
@pytest.mark.parametrize("seconds", [3.0, pytest.param(30.0, marks=pytest.mark.long)])
def test_the_server_is_away(own_host: Host, way: str, seconds: float) -> None:
    """One worker has a job in hand that ends meanwhile, one has nothing to do."""
    host, server, go = own_host, own_host.server, own_host.directory / "go"
    health_file = host.directory / "health"
    runner = host.run("--health-file", str(health_file), workers=2)
    workers = [runner.worker_pid(f"faults/{number}") for number in (1, 2)]
    host.push("until_file", 0, str(go))
    wait_until(lambda: host.ledger.events("start", "0"))
    host.push("quick", 1)
    wait_until(lambda: host.ledger.events("end", "1") and _in_hand(host) == 1)

    used, gone_at = cpu_seconds(workers), time.monotonic()
    (server.kill if way == "killed" else server.freeze)()
    go.touch()
    wait_until(lambda: host.ledger.events("end", "0"), what="the job ends all the same")
    with pytest.raises(redis.RedisError), server.client(socket_timeout=0.5) as client:
        client.ping()
    wait_until(lambda: time.monotonic() - gone_at > seconds, seconds + 5)
    away = time.monotonic() - gone_at
    used = (cpu_seconds(workers) - used) / away / len(workers)
    lines = Counter(re.findall(r"^(faults/\d): .*; trying again", runner.output, re.M))
    assert health(health_file) == 0, "life does not depend on the server"
    (server.start if way == "killed" else server.thaw)()
    back_at = time.monotonic()
    for job in range(2, 52):
        host.push("quick", job)
    wait_until(lambda: len(host.ledger.events("end")) == 52, BACKOFF_LIMIT + 5)
    first = min(event.at for event in host.ledger.events("start") if event.at > back_at)

    assert first - back_at <= BACKOFF_LIMIT + 1
    wait_until(lambda: _in_hand(host) == 0)
    assert Counter(host.ledger.jobs("end")) == {str(job): 1 for job in range(52)}
    assert [runner.worker_pid(f"faults/{number}") for number in (1, 2)] == workers
    assert runner.output.count("| started") == 2, "no worker has left"
    if way == "killed":
        assert lines, "it is told"
    assert all(count <= 1 + away / 10 for count in lines.values()), runner.output
    assert used <= 0.01, f"{used:.2%} of a core for each worker"


def test_the_heartbeat_process_notices_silence_before_its_last_heartbeat_expires(
    own_host: Host,
) -> None:
    """Whatever REDIS_SOCKET_TIMEOUT is. Else a connection that a network has forgotten would have
    others take over what this runner has in hand."""
    host = own_host
    runner = host.run(redis_socket_timeout=30)
    host.push("quick", 1)
    wait_until(lambda: host.ledger.events("end", "1"))
    host.server.freeze()
    runner.wait_for_line("the heartbeat process: the server at .* does not answer", ALIVE_FOR - 2)
    host.server.thaw()
    runner.wait_for_line("the heartbeat process resumed", 5)
    assert host.client.exists(*host.client.keys("dlq:alive:*")) == 1


def test_what_was_acknowledged_outlives_the_server(own_host: Host) -> None:
    """Killed with jobs waiting and jobs in hand, four times; it comes back with its data."""
    host, server = own_host, own_host.server
    runner = host.run(workers=3)
    sent = 0
    for _ in range(4):
        with host.held():
            for _ in range(100):
                host.push("slow", sent, 0.005)
                sent += 1
        wait_until(lambda n=sent: len(host.ledger.events("end")) > n - 90)  # type: ignore[misc]  # mypy cannot infer a lambda's defaults
        server.kill()
        assert len(host.ledger.events("end")) < sent, "jobs wait, or are in hand"
        server.start()
    wait_until(lambda: len(set(host.ledger.jobs("end"))) == sent, 30)
    wait_until(lambda: _in_hand(host) == 0)
    assert host.waiting() == []
    ends = Counter(host.ledger.jobs("end"))
    assert set(ends.values()) == {1}, "the workers live, and know what they have run"
    assert runner.output.count("| started") == 3


def test_a_producer_fails_fast_and_says_what_became_of_its_job(own_host: Host) -> None:
    host = own_host
    runner = host.run()
    host.server.kill()
    began = time.monotonic()
    error = produce(runner, "quick(1)")
    assert time.monotonic() - began < 8
    assert "EnqueueError: tests.project.faults.tasks.quick was not enqueued: the server at" in error
    assert "connection refused" in error
    host.server.start()
    assert host.waiting() == []


@pytest.mark.parametrize("block", ["full", "half"])
def test_a_bulk_block_that_raises_sends_nothing_more(host: Host, block: str) -> None:
    runner = host.run("--only-queue", "faults", workers=1, max_crashes=1)
    runner.stop()
    calls = 25 if block == "full" else 5
    error = produce(
        runner,
        f"""
with quick.bulk_enqueue(batch_size=10) as enqueue:
    for job in range({calls}):
        enqueue(job)
    raise LookupError("the block raises")""",
    )
    assert error.endswith("LookupError: the block raises")
    assert len(host.waiting()) == (20 if block == "full" else 0), "whole batches only"


def test_a_full_server_drains(own_host: Host) -> None:
    """maxmemory with noeviction: nothing new goes in, everything comes out."""
    host = own_host
    for job in range(300):
        host.push("quick", job)
    host.push("raises", 300)
    host.client.set("ballast", b"x" * 8_000_000)
    host.client.config_set("maxmemory-policy", "noeviction")
    host.client.config_set("maxmemory", "4mb")
    assert _is_full(host)
    runner = host.run(workers=2)
    error = produce(runner, "quick(301)")
    assert "has reached maxmemory" in error
    assert "quick was not enqueued: " in error
    wait_until(lambda: len(host.ledger.events("end")) == 300, 20)
    wait_until(lambda: host.waiting() == [] and _in_hand(host) == 0)
    [alive] = host.client.keys("dlq:alive:*")
    left = host.client.pttl(alive)
    wait_until(lambda: host.client.pttl(alive) > left, 5, what="the runner still counts as alive")
    assert _is_full(host), "all that happened in a full server"
    assert "trying again" not in runner.output
    assert host.client.xlen("dlq:failed:faults") == 1
    assert runner.output.count("| started") == 2
    host.client.delete("ballast")
    assert not _is_full(host)
    host.push("quick", 302)
    wait_until(lambda: host.ledger.events("end", "302"), 5)
    assert Counter(host.ledger.jobs("end"))["0"] == 1


def test_a_primary_that_becomes_a_replica_is_waited_for(own_host: Host, server: Server) -> None:
    host = own_host
    runner = host.run(workers=2)
    host.push("quick", 1)
    wait_until(lambda: host.ledger.events("end", "1"))
    worker = host.ledger.events("end", "1")[0].pid
    _command(host, "REPLICAOF", "127.0.0.1", str(server.port))
    runner.wait_for_line("read-only replica", 20)
    _command(host, "REPLICAOF", "NO", "ONE")
    host.push("quick", 2)
    host.push("quick", 3)
    wait_until(lambda: len(host.ledger.events("end")) == 3, 10)
    assert runner.output.count("| started") == 2
    assert worker in {runner.worker_pid("faults/1"), runner.worker_pid("faults/2")}


@pytest.mark.parametrize("what", ["CLIENT KILL", "SCRIPT FLUSH", "FLUSHALL", "BUSY"])
def test_what_operators_do(own_host: Host, what: str) -> None:
    """Each while jobs run, and once more while the workers wait for one."""
    host = own_host
    runner = host.run(workers=2)
    for is_busy in (True, False):
        batch = range(100) if is_busy else range(100, 200)
        for job in batch:
            host.push("slow", job, 0.005)
        enough = set(map(str, batch[:10] if is_busy else batch))
        wait_until(lambda: enough <= set(host.ledger.jobs("end")), 15)  # noqa: B023 (called at once)
        _strike(host, what)
        if what != "FLUSHALL":
            everything = set(map(str, batch))
            wait_until(lambda: everything <= set(host.ledger.jobs("end")), 15)  # noqa: B023 (as above)
    host.push("quick", 999)
    wait_until(lambda: host.ledger.events("end", "999"), 10)
    assert set(Counter(host.ledger.jobs("end")).values()) == {1}
    assert runner.output.count("| started") == 2, "no worker has left"


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("password", "refuses the user or password"),
        ("permission", "lacks a permission for this user: .*evalsha"),
        ("disk", "cannot write its data to disk"),
        ("connections", "max number of clients reached"),
    ],
)
def test_a_server_that_refuses_is_waited_for(own_host: Host, what: str, said: str) -> None:
    """It lives and answers, and takes nothing from anybody: somebody has set it so, or its disk is
    full."""
    host = own_host
    runner = host.run(workers=2)
    for job in range(60):
        host.push("slow", job, 0.05)
    host.push("raises", 60)
    wait_until(lambda: len(host.ledger.events("end")) > 5)
    _refuse(host, what)
    runner.wait_for_line(said, 15)
    assert len(host.ledger.events("end")) < 60
    assert runner.output.count("; trying again") <= 6, (
        "two workers and the heartbeat process, by and by"
    )
    assert " resumed " not in runner.output
    _refuse_no_more(host, what)
    wait_until(lambda: len(host.ledger.events("end")) == 60, BACKOFF_LIMIT + 10)
    wait_until(lambda: host.waiting() == [] and _in_hand(host) == 0)
    assert set(Counter(host.ledger.jobs("end")).values()) == {1}
    assert host.client.xlen("dlq:failed:faults") == 1
    assert runner.output.count("| started") == 2, "no worker has left"


@pytest.mark.parametrize(
    ("seconds", "dequeue_timeout"), [(6, 1), pytest.param(150, 15, marks=pytest.mark.long)]
)
def test_idle_workers_are_no_trouble(host: Host, seconds: int, dequeue_timeout: int) -> None:
    runner = host.run(workers=2, dequeue_timeout=dequeue_timeout)
    for job in range(10):
        host.push("quick", job)
    wait_until(lambda: len(host.ledger.events("end")) == 10 and _in_hand(host) == 0)
    wait_until(lambda: _connections_of_dlq(host) >= 3, what="two workers and the heartbeat process")
    said, connections = runner.output, _connections_made(host)
    began, looks = time.monotonic(), _commands(host)
    wait_until(lambda: time.monotonic() - began > seconds, seconds + 5)
    assert _commands(host) - looks >= 2 * seconds / dequeue_timeout, "they have asked meanwhile"
    assert runner.output == said
    # The heartbeat process has three threads, each with a connection where it meets another's.
    assert _connections_made(host) - connections <= 2, "and on the same connections"


def produce(runner: Runner, code: str) -> str:
    """Run code of a web process; the last line of what it prints to stderr, '' where it worked."""
    program = f"import django\ndjango.setup()\nfrom tests.project.faults.tasks import *\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=dict(runner.environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stderr.strip().rpartition("\n")[2]


def _strike(host: Host, what: str) -> None:
    if what == "BUSY":
        host.client.config_set("busy-reply-threshold", 20)
        with host.server.client() as spinner:
            connection = spinner.connection_pool.make_connection()
            connection.connect()
            connection.send_command("EVAL", "while true do end", 0)
        wait_until(lambda: _is_busy(host), 2, what="the server is busy")
        host.client.script_kill()
        wait_until(lambda: not _is_busy(host), 2)
    elif what == "CLIENT KILL":
        assert _command(host, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes") >= 2
    else:
        assert _command(host, *what.split()) is not None


def _refuse(host: Host, what: str) -> None:
    if what == "password":
        _command(host, "CONFIG", "SET", "requirepass", "another")
    elif what == "permission":
        _command(host, "ACL", "SETUSER", "default", "-evalsha")
    elif what == "connections":
        _command(host, "CONFIG", "SET", "maxclients", "1")
    else:
        # Where a directory has its name, the file cannot be written, not even by root.
        (host.server.directory / "dump.rdb").mkdir()
        _command(host, "CONFIG", "SET", "save", "3600 1")
        _command(host, "BGSAVE", "SCHEDULE")
        wait_until(lambda: host.client.info("persistence")["rdb_last_bgsave_status"] == "err")
    if what in ("password", "connections"):
        # Those who are in are not asked again.
        _strike(host, "CLIENT KILL")


def _refuse_no_more(host: Host, what: str) -> None:
    if what == "password":
        _command(host, "CONFIG", "SET", "requirepass", "")
    elif what == "permission":
        _command(host, "ACL", "SETUSER", "default", "+evalsha")
    elif what == "connections":
        _command(host, "CONFIG", "SET", "maxclients", "100")
    else:
        _command(host, "CONFIG", "SET", "save", "")


def _command(host: Host, *words: str) -> Any:
    execute: Any = host.client.execute_command
    return execute(*words)


def _is_busy(host: Host) -> bool:
    try:
        host.client.llen("any")
    except redis.ResponseError as error:
        return str(error).startswith("BUSY")
    return False


def _is_full(host: Host) -> bool:
    try:
        host.client.set("more", "x")
    except redis.OutOfMemoryError:
        return True
    return False


def _in_hand(host: Host) -> int:
    return sum(len(host.in_hand(number)) for number in (1, 2, 3))


def _connections_of_dlq(host: Host) -> int:
    return sum(client["name"] == "dlq" for client in host.client.client_list())


def _connections_made(host: Host) -> int:
    return int(host.client.info("stats")["total_connections_received"])


def _commands(host: Host) -> int:
    return int(host.client.info("stats")["total_commands_processed"])
