"""Owners of worker numbers: claims, fences, overflow numbers, and lists that dead runners leave."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from dlq.backends.base import PreviousProcess
from dlq.backends.redis_storage.fleet.heartbeats import GONE_FOR
from dlq.backends.redis_storage.fleet.host_identity import here, process_started, state_of
from dlq.backends.redis_storage.fleet.ownership import this_process
from dlq.backends.redis_storage.keys import LAST_NUMBER
from dlq.backends.reliable_redis import ReliableRedisBackend
from dlq.errors import NotOwner
from dlq.job import encode
from dlq.types import Runner
from tests.backends.conftest import Make
from tests.backends.storages import (
    FAILURE,
    ONE,
    Q,
    consumer_of,
    consuming,
    drain,
    first_argument,
    job,
    make_runner,
    take,
)
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until

QUEUE = f"django_lightweight_queue:{Q}"
IN_HAND = f"{QUEUE}:processing"


def elsewhere(**more: Any) -> Runner:
    """A runner of a host whose processes can't be looked up from here."""
    return make_runner(host="elsewhere", boot="another kernel", **more)


@contextmanager
def holding(server: Server, number: int, nonce: str = "n0", jobs: int = 1) -> Iterator[Any]:
    """Another process that has a number and so many jobs in hand."""
    command = [sys.executable, "-m", "tests.backends.holder"]
    command += [str(server.port), str(number), nonce, str(jobs)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "holds\n"
            yield process
        finally:
            process.kill()


# Claims


def test_the_second_claimant_learns_who_owns_the_number(
    reliable: ReliableRedisBackend, server: Server
) -> None:
    reliable.bulk_enqueue([job(n) for n in range(3)], Q)
    with holding(server, 1) as process, consuming(reliable) as second:
        for _ in range(2):
            with pytest.raises(NotOwner) as raised:
                second.take(0)
            assert raised.value.owner.startswith(f"process {process.pid} on ")
            assert str(process.pid) in str(raised.value)
        (owner,) = reliable.queue_state(Q).owners
        assert (owner.pid, owner.nonce, owner.alive) == (process.pid, "n0", True)
        assert reliable.length(Q) == 2, "the second one took nothing"
        with consuming(reliable, 2) as other:
            assert drain(other) == [1, 2]


def test_a_dead_process_of_this_host_is_replaced_at_once(
    reliable: ReliableRedisBackend, server: Server
) -> None:
    reliable.enqueue(job(0), Q)
    with holding(server, 1) as process:
        process.kill()
        process.wait(10)
        began = time.monotonic()
        with consuming(reliable) as consumer:
            taken = take(consumer)
            assert time.monotonic() - began < 1
            assert taken.redelivered
            assert taken.crashes == 1
            consumer.acknowledge(taken)
            assert consumer.take(0) is None


def test_a_zombie_is_dead(reliable: ReliableRedisBackend, server: Server) -> None:
    """Its pid is still there, until its parent has asked how it ended."""
    reliable.enqueue(job(0), Q)
    with holding(server, 1) as process:
        process.kill()
        wait_until(lambda: _state(process.pid) == "Z")
        with consuming(reliable) as consumer:
            taken = take(consumer)
            assert taken.redelivered
            consumer.acknowledge(taken)


def test_an_owner_on_another_host_is_replaced_when_it_shows_no_life(
    reliable: ReliableRedisBackend,
) -> None:
    reliable.enqueue(job(0), Q)
    runner = elsewhere()
    gone = consumer_of(reliable, 1, runner)
    taken = take(gone)
    with consuming(reliable) as consumer:
        with pytest.raises(NotOwner, match="elsewhere"):
            consumer.take(0)
        reliable.withdraw(runner)
        began = time.monotonic()
        with pytest.raises(NotOwner):
            consumer.take(0)  # perhaps the server was away, and it shows life again soon
        reliable.renew_heartbeat(runner, [], 0)
        with pytest.raises(NotOwner):
            consumer.take(0)
        reliable.client.pexpire(reliable.keys.alive(runner.nonce), 20)
        wait_until(lambda: not reliable.runners(), 5)
        began = time.monotonic()
        found = wait_until(lambda: _unless_owned(consumer), 20)
        assert GONE_FOR <= time.monotonic() - began < GONE_FOR + 5
        assert found.raw == taken.raw
        # The fence: whoever was replaced can take and end nothing any more.
        for call in (
            lambda: gone.take(0),
            lambda: gone.fail(taken, FAILURE),
            lambda: gone.give_back(taken),
            lambda: gone.retry(taken, 0, FAILURE),
        ):
            with pytest.raises(NotOwner):
                call()
        state = reliable.queue_state(Q)
        assert (state.in_hand, state.failed, state.waiting, state.delayed) == (1, 0, 0, 0)
        consumer.acknowledge(found)
        assert consumer.take(0) is None
    gone.close()


def test_an_acknowledgement_of_one_who_was_replaced_takes_nothing(
    reliable: ReliableRedisBackend, server: Server
) -> None:
    """Its job is another's by now, who may be running it."""
    reliable.bulk_enqueue([job(0), job(1)], Q)
    runner = elsewhere()
    gone = consumer_of(reliable, 1, runner)
    taken = take(gone)
    with server.client() as client:
        record = client.hget("dlq:owner:emails", "1")
        assert record is not None
        client.hset("dlq:owner:emails", "1", record.replace(b"elsewhere", b"somewhere"))
        gone.acknowledge(taken)
        with pytest.raises(NotOwner):
            gone.take(0)
        assert client.lrange(f"{IN_HAND}:1", 0, -1) == [taken.raw]
        assert client.llen(QUEUE) == 1
        # Nor does it end the claim of its successor when it leaves.
        gone.close()
        assert client.hexists("dlq:owner:emails", "1")


def test_a_job_that_reaches_a_blocked_worker_which_was_replaced_stays_in_the_list(
    reliable: ReliableRedisBackend, server: Server
) -> None:
    """The server moves it there whoever owns the list. Its owner finds it, once."""
    gone = consumer_of(reliable, 1, elsewhere())
    assert gone.take(0) is None
    outcome: list[object] = []

    def wait_in_vain() -> None:
        try:
            outcome.append(gone.take(10))
        except NotOwner as error:
            outcome.append(error)

    thread = threading.Thread(target=wait_in_vain)
    thread.start()
    with server.client() as client:
        wait_until(lambda: client.info("clients")["blocked_clients"] == 1)
        record = client.hget("dlq:owner:emails", "1")
        assert record is not None
        client.hset("dlq:owner:emails", "1", record.replace(b"elsewhere", b"somewhere"))
        reliable.enqueue(job(0), Q)
        thread.join(10)
        assert isinstance(outcome[0], NotOwner)
        assert client.llen(f"{IN_HAND}:1") == 1
        assert client.llen(QUEUE) == 0
    gone.close()


def test_two_runners_on_the_same_numbers_run_each_job_once(
    reliable: ReliableRedisBackend, make: Make
) -> None:
    """Both have workers 1 and 2; the second pair waits, and takes over where the first one ends."""
    reliable.bulk_enqueue([job(n) for n in range(400)], Q)
    seen: Counter[int] = Counter()
    waited: Counter[str] = Counter()
    lock = threading.Lock()

    def work(runner: Runner, number: int, most: int) -> None:
        backend = make(ReliableRedisBackend)
        with consuming(backend, number, runner=runner) as consumer:
            end = time.monotonic() + 30
            while time.monotonic() < end and most:
                try:
                    taken = consumer.take(0)
                except NotOwner:
                    waited[runner.nonce] += 1
                    time.sleep(0.01)
                    continue
                if taken is None:
                    return
                most -= 1
                with lock:
                    seen[first_argument(taken)] += 1
                consumer.acknowledge(taken)

    first, second = make_runner(), make_runner()
    threads = [
        threading.Thread(target=work, args=(runner, number, most))
        for runner, most in ((first, 60), (second, 1000))
        for number in (1, 2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40)
    assert seen == Counter(range(400))
    assert sum(waited.values()) > 0


# Exact machines beside pools


def test_an_exact_machine_beside_a_pool_adds_a_worker(reliable: ReliableRedisBackend) -> None:
    _beside(reliable, make_runner(), make_runner(exact=True))


def test_a_pool_beside_an_exact_machine_adds_a_worker(reliable: ReliableRedisBackend) -> None:
    _beside(reliable, make_runner(exact=True), make_runner())


def _beside(reliable: ReliableRedisBackend, first: Runner, second: Runner) -> None:
    reliable.bulk_enqueue([job(n) for n in range(4)], Q)
    with (
        consuming(reliable, 1, runner=first) as one,
        consuming(reliable, 1, runner=second) as other,
        consuming(reliable, 2, runner=second) as third,
    ):
        in_hand = [(c, take(c)) for c in (one, other, third)]
        assert [first_argument(taken) for _, taken in in_hand] == [0, 1, 2]
        state = reliable.queue_state(Q)
        assert state.in_hand == 3
        assert [owner.number for owner in state.owners] == [1, 2, LAST_NUMBER + 1]
        # 4.11 takes over every list that it does not know: none of these lies where it looks.
        assert len(reliable.client.keys(f"{IN_HAND}:*")) == 2
        for consumer, taken in in_hand:
            consumer.acknowledge(taken)
        assert drain(one) == [3]
    assert reliable.queue_state(Q).in_hand == 0


def test_the_job_of_a_dead_overflow_worker_is_found_by_its_successor(
    reliable: ReliableRedisBackend, make: Make
) -> None:
    reliable.enqueue(job(0), Q)
    exact = elsewhere(exact=True)._replace(host="gone")
    with consuming(reliable, 1) as pool:
        taken = take(pool)
        pool.acknowledge(taken)
        reliable.enqueue(job(1), Q)
        dead = consumer_of(make(ReliableRedisBackend), 1, exact)
        assert first_argument(take(dead)) == 1
        record = reliable.client.hget("dlq:owner:emails", str(LAST_NUMBER + 1))
        assert record is not None
        reliable.client.delete(reliable.keys.alive(exact.nonce))
        reclaimed = _reclaim_after_a_while(reliable)
        assert [(back.number, back.jobs) for back in reclaimed] == [(LAST_NUMBER + 1, 1)]
        assert "gone" in reclaimed[0].owner
        assert drain(pool) == [1]
        dead.close()


# Lists that nobody reads any more


def test_jobs_of_a_runner_that_is_gone_come_back_in_order(
    reliable: ReliableRedisBackend, server: Server
) -> None:
    reliable.bulk_enqueue([job(n) for n in range(3)], Q)
    runner = elsewhere()
    gone = consumer_of(reliable, 2, runner)
    take(gone)
    with server.client() as client:
        # As of a batch, or of 4.11: more than one in the list, the oldest at its tail.
        for n in (10, 11):
            client.lpush(f"{IN_HAND}:2", encode(job(n)))
        assert reliable.reclaim([Q], make_runner()) == [], "it lives"
        reliable.withdraw(runner)
        (back,) = _reclaim_after_a_while(reliable)
        assert (back.queue, back.number, back.jobs) == (Q, 2, 3)
        assert "elsewhere" in back.owner
        assert not client.exists(f"{IN_HAND}:2", "dlq:owner:emails")
    with consuming(reliable) as consumer:
        assert drain(consumer) == [0, 10, 11, 1, 2]
    gone.close()


def test_an_unavailable_server_ends_no_runner(reliable: ReliableRedisBackend) -> None:
    """After it nobody has shown life for long, until the next heartbeat."""
    reliable.enqueue(job(0), Q)
    runner = elsewhere()
    alive = consumer_of(reliable, 1, runner)
    take(alive)
    reliable.withdraw(runner)
    assert reliable.reclaim([Q], make_runner()) == []
    reliable.renew_heartbeat(runner, [], 1)
    assert reliable.reclaim([Q], make_runner()) == []
    reliable.withdraw(runner)
    assert reliable.reclaim([Q], make_runner()) == [], "the time counts from when it was seen last"
    assert reliable.queue_state(Q).in_hand == 1
    alive.close()


def test_a_job_that_takes_whole_machines_down_is_a_failed_job_in_the_end(
    make: Make, server: Server
) -> None:
    backend = make(ReliableRedisBackend, max_crashes=2)
    backend.enqueue(job("killer"), Q)
    with server.client() as client:
        for _ in range(2):
            runner = elsewhere()
            taken = take(consumer_of(backend, 1, runner))
            backend.withdraw(runner)
            (back,) = _reclaim_after_a_while(backend)
            assert back.jobs == 1
        (kept,) = backend.failed_jobs(Q)
        assert kept.raw == taken.raw
        assert kept.failure.kind == "crashed"
        assert kept.failure.attempts == 2
        assert backend.length(Q) == 0
        assert not client.exists("dlq:crashes:emails")


def test_crashes_are_counted_and_forgotten_after_a_success(
    reliable: ReliableRedisBackend, server: Server
) -> None:
    reliable.enqueue(job(0), Q)
    runner = make_runner()
    dead = [consumer_of(reliable, 1, runner)]
    raw = take(dead[0]).raw
    known = PreviousProcess("started", "killed by SIGSEGV", raw=raw)
    dead.append(consumer_of(reliable, 1, runner, known))
    taken = take(dead[1])
    assert (taken.redelivered, taken.crashes) == (True, 1)
    with consuming(reliable, runner=runner, previous=known) as consumer:
        taken = take(consumer)
        assert (taken.redelivered, taken.crashes) == (True, 2)
        consumer.acknowledge(taken)
        assert consumer.take(0) is None
    with server.client() as client:
        assert not client.exists("dlq:crashes:emails")
    for consumer in dead:
        consumer.close()


@pytest.mark.parametrize("outcome", ["not_started", "stopped", "timed_out"])
def test_an_exit_that_no_job_is_to_blame_for_is_not_counted(
    reliable: ReliableRedisBackend, outcome: Any
) -> None:
    reliable.enqueue(job(0), Q)
    runner = make_runner()
    taken = take(consumer_of(reliable, 1, runner))
    known = PreviousProcess(outcome, "killed by SIGKILL", raw=taken.raw)
    with consuming(reliable, runner=runner, previous=known) as consumer:
        again = take(consumer)
        assert (again.redelivered, again.crashes) == (True, 0)
        consumer.acknowledge(again)


def test_give_back_all_is_for_dead_processes_of_this_runner(
    reliable: ReliableRedisBackend, server: Server
) -> None:
    reliable.bulk_enqueue([job(n) for n in range(3)], Q)
    runner = make_runner(nonce="n0")
    with holding(server, 1) as process:
        assert reliable.give_back_all(Q, ONE, runner) == 0, "it lives"
        process.kill()
        process.wait(10)
        assert reliable.give_back_all(Q, ONE, make_runner()) == 0, "it is another's"
        assert reliable.give_back_all(Q, ONE, runner) == 1
    assert reliable.queue_state(Q).owners == ()
    with consuming(reliable) as consumer:
        taken = take(consumer)
        assert (first_argument(taken), taken.crashes) == (0, 0)
        consumer.acknowledge(taken)
        assert drain(consumer) == [1, 2]


# Lists without a record: 4.11's


def test_startup_gives_back_what_lies_in_lists_that_nobody_has(
    reliable: ReliableRedisBackend, server: Server
) -> None:
    reliable.enqueue(job("waits"), Q)
    with server.client() as client, consuming(reliable, 3) as own:
        client.lpush(f"{IN_HAND}:2", encode(job("planned")))
        client.lpush(f"{IN_HAND}:7", encode(job("first")))
        client.lpush(f"{IN_HAND}:7", encode(job("second")))
        reliable.startup(Q)
        assert client.llen(f"{IN_HAND}:2") == 1, "a worker of the plan finds it by itself"
        assert not client.exists(f"{IN_HAND}:7")
        assert drain(own) == ["first", "second", "waits"]
    with consuming(reliable, 2) as consumer:
        assert drain(consumer) == ["planned"]


def test_startup_leaves_lists_that_have_owners(reliable: ReliableRedisBackend) -> None:
    reliable.enqueue(job(0), Q)
    owner = consumer_of(reliable, 9, elsewhere())
    taken = take(owner)
    reliable.startup(Q)
    assert reliable.queue_state(Q).in_hand == 1
    owner.acknowledge(taken)
    owner.close()


def test_the_list_of_a_live_4_11_worker_is_left_alone(
    reliable: ReliableRedisBackend, server: Server
) -> None:
    """It keeps no record. Its connection is there while it runs its job, and says what it did."""
    reliable.bulk_enqueue([job(0), job(1)], Q)
    with server.client() as old:
        old.exists(f"{QUEUE}:pause")
        assert old.lindex(f"{IN_HAND}:7", -1) is None
        raw = old.brpoplpush(QUEUE, f"{IN_HAND}:7", 1)
        reliable.startup(Q)
        assert reliable.reclaim([Q], make_runner()) == []
        assert reliable.client.lrange(f"{IN_HAND}:7", 0, -1) == [raw]
    # Its process has ended: any runner gives it back.
    wait_until(lambda: reliable.reclaim([Q], make_runner()), 5)
    with consuming(reliable) as consumer:
        assert drain(consumer) == [0, 1]


# What is known of another process


def test_a_living_process_of_this_host_keeps_its_number_without_a_heartbeat(
    reliable: ReliableRedisBackend, server: Server
) -> None:
    """Its heartbeat process may be stopped: its job must not run a second time."""
    reliable.enqueue(job(0), Q)
    ours = make_runner()
    with holding(server, 1, "n0") as process:
        reliable.client.delete(reliable.keys.alive("n0"))
        end = time.monotonic() + GONE_FOR + 2
        while time.monotonic() < end:
            assert reliable.reclaim([Q], ours) == []
        with consuming(reliable, 1, runner=ours) as second, pytest.raises(NotOwner):
            second.take(0)
        assert reliable.client.llen(f"{IN_HAND}:1") == 1
        process.kill()
        process.wait(10)
        (back,) = _reclaim_after_a_while(reliable)
        assert (back.number, back.jobs) == (1, 1)


def test_only_what_the_kernel_calls_dead_is_dead() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        started = process_started(process.pid)
        assert state_of(process.pid, started) == "alive"
        assert state_of(process.pid, started + 1) == "dead", "its pid is another process's now"
        assert state_of(process.pid, 0) == "unknown", "its start time was not known"
        process.kill()
        wait_until(lambda: _state(process.pid) == "Z")
        assert state_of(process.pid, started) == "dead", "a zombie"
    assert state_of(process.pid, started) == "dead"
    assert state_of(2**40, started) == "unknown"


UNDER_HIDEPID = """
import os, sys
from dlq.backends.redis_storage.fleet.host_identity import state_of
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
assert not os.path.exists(f"/proc/{sys.argv[1]}"), "it can't be seen"
print(state_of(int(sys.argv[1]), 12345))
"""


def test_a_process_that_cannot_be_seen_is_not_dead() -> None:
    """/proc is mounted with hidepid=2, so that users don't see each other's processes."""
    command = 'mount -t proc -o hidepid=2 proc /proc && exec "$0" -c "$1" "$2"'
    in_namespace = ("unshare", "--mount", "sh", "-c", command)
    with subprocess.Popen(["sleep", "60"]) as process:
        found = subprocess.run(
            [*in_namespace, sys.executable, UNDER_HIDEPID, str(process.pid)],
            capture_output=True,
            text=True,
        )
        process.kill()
    if "ermi" in found.stderr or found.returncode == 127:
        pytest.skip(f"needs root and mounts: {found.stderr.strip()}")
    assert found.stdout == "unknown\n", found.stderr


@pytest.mark.parametrize("namespace", ["--pid", "--time"])
def test_another_namespace_is_another_kernel(namespace: str) -> None:
    """Where pids or start times are counted anew, none of them can be compared."""
    code = "from dlq.backends.redis_storage.fleet.host_identity import here; print(here()[1])"
    found = subprocess.run(
        ["unshare", "--fork", namespace, sys.executable, "-c", code], capture_output=True, text=True
    )
    if "ermi" in found.stderr or found.returncode == 127:
        pytest.skip(f"needs root: {found.stderr.strip()}")
    assert found.stdout.strip() not in ("", here()[1]), found.stderr


# Records of other programs


@pytest.mark.parametrize(
    "fields",
    [
        {"nonce": {}},
        {"host": "\x1b[31m" + "x" * 10_000},
        {"pid": -1},
        {"pid": 10**400},
        {"pid": "1"},
        {"pid": True},
        {"started": 1e308},
        {"started": float("nan")},
        {"exact": "yes"},
        {"boot": None},
    ],
)
def test_a_hostile_record_stops_nothing(
    reliable: ReliableRedisBackend, fields: dict[str, Any]
) -> None:
    """What has not the types of a record is none; what has is shown without control characters."""
    record = this_process(elsewhere())._asdict() | fields
    heartbeat = {"runner": make_runner()._asdict() | fields, "workers": ["emails/1"], "busy": 0}
    client = reliable.client
    client.hset(f"dlq:owner:{Q}", mapping={"1": json.dumps(record), "9" * 5000: "{}"})
    client.set("dlq:alive:hostile", json.dumps(heartbeat), px=60_000)
    client.set("dlq:alive:nested", "[" * 200_000, px=60_000)
    client.rpush(f"{IN_HAND}:1", encode(job(0)))
    assert len(reliable.runners()) <= 1
    assert len(reliable.queue_state(Q).owners) <= 1
    (back,) = _reclaim_after_a_while(reliable)
    assert (back.jobs, back.owner.isprintable()) == (1, True)
    with consuming(reliable) as consumer:
        assert drain(consumer) == [0]


@pytest.mark.parametrize("count", ["x", "-7", str(2**63 - 1), "9" * 5000])
def test_hostile_counts_stop_no_job(reliable: ReliableRedisBackend, count: str) -> None:
    raw = encode(job(0))
    name = hashlib.sha1(raw).hexdigest()
    for key in (reliable.keys.crashes(Q), reliable.keys.attempts(Q)):
        reliable.client.hset(key, name, count)
    reliable.client.rpush(reliable.keys.processing(Q, 1), raw)
    with consuming(reliable) as consumer:
        taken = take(consumer)
        assert taken.redelivered
        assert taken.crashes >= 1
        assert consumer.attempts(taken) >= 0
        for delay in (float("nan"), float("-inf"), -1.0):
            assert consumer.retry(taken, delay, FAILURE)
            taken = take(consumer)
        assert consumer.retry(taken, float("inf"), FAILURE)
        assert consumer.take(0) is None
    assert reliable.queue_state(Q).delayed == 1


def test_a_broken_record_is_nobodys(reliable: ReliableRedisBackend) -> None:
    reliable.client.hset("dlq:owner:emails", mapping={"1": b"\xff{", "x": "y", "2": "{}"})
    assert reliable.queue_state(Q).owners == ()
    reliable.enqueue(job(0), Q)
    with consuming(reliable) as consumer:
        assert drain(consumer) == [0]
    assert reliable.reclaim([Q], make_runner()) == []


def _reclaim_after_a_while(backend: ReliableRedisBackend) -> list[Any]:
    """Reclaim as heartbeat processes do: again and again, with a runner of their own."""
    runner = make_runner()
    assert backend.reclaim([Q], runner) == []
    return wait_until(lambda: backend.reclaim([Q], runner), GONE_FOR + 10)


def _unless_owned(consumer: Any) -> Any:
    with suppress(NotOwner):
        return consumer.take(0)
    return None


def _state(pid: int) -> str:
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rpartition(")")[2].split()[0]
