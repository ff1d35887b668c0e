"""Jobs, cron jobs, pauses and jobs in hand pass between the real 4.11 and dlq, both ways."""

from __future__ import annotations

import json
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.compat.predecessor import Shop, kill_worker, pythons, stop
from tests.kit.environments import Environment
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until
from tests.kit.warm import Warm

BACKENDS = [
    "django_lightweight_queue.backends.redis.RedisBackend",
    "django_lightweight_queue.backends.reliable_redis.ReliableRedisBackend",
]

REDIS, RELIABLE = BACKENDS

WAYS = [("old", "new"), ("new", "old")]

CALLS = [
    [[81], {}],
    [["Straße 😀 \u2028"], {"subject": None, "again": True}],
    [[[1, 2.5, {"deep": [[]]}]], {}],
    [[""], {"a-b": "x" * 10_000}],
]


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> str:
    """The reliable one, unless the test says otherwise: cron jobs, pauses and the stored form are
    the same code in both."""
    return str(getattr(request, "param", RELIABLE))


@pytest.fixture
def shop(
    server: Server, predecessor: Environment, sides: dict[str, Warm], backend: str, tmp_path: Path
) -> Shop:
    return Shop(pythons(predecessor), sides, server, backend, "shop", tmp_path)


def notes(shop: Shop) -> list[Any]:
    return shop.ledger("note")


def expected(calls: list[Any]) -> list[Any]:
    return [[args[0], kwargs] for args, kwargs in calls]


@pytest.mark.parametrize(("giver", "taker"), WAYS)
@pytest.mark.parametrize(
    ("backend", "prefix"),
    [(REDIS, "shop"), (RELIABLE, "shop"), (RELIABLE, "")],
    ids=["redis", "reliable", "no prefix"],
    indirect=["backend"],
)
def test_jobs_go_both_ways(shop: Shop, giver: str, taker: str, prefix: str) -> None:
    shop.prefix = prefix
    shop.drive(giver, "enqueue", task="note", calls=CALLS[:2])
    shop.drive(giver, "bulk", task="note", calls=CALLS[2:])
    with shop.server.client() as client:
        assert client.llen(shop.key("emails")) == len(CALLS)
    assert shop.drive(taker, "length", queue="emails") == len(CALLS)
    with shop.worker(taker) as worker:
        wait_until(lambda: len(notes(shop)) == len(CALLS), 20, what="all have run")
        wait_until(lambda: not in_hand(shop), 10, what="all are acknowledged")
        stop(taker, worker)
    assert notes(shop) == expected(CALLS)
    assert shop.drive(giver, "length", queue="emails") == 0


def test_stored_jobs_are_the_same_letter_for_letter(shop: Shop) -> None:
    stored: dict[str, list[str]] = {}
    for side in ("old", "new"):
        shop.drive(side, "enqueue", task="note", calls=CALLS)
        with shop.server.client() as client:
            jobs: Any = client.lrange(shop.key("emails"), 0, -1)
            client.flushall()
        stored[side] = [job.decode() for job in jobs]
    times = {
        side: [json.loads(job)["created_time"] for job in jobs] for side, jobs in stored.items()
    }
    timeless = {
        side: [job.replace(when, "") for job, when in zip(jobs, times[side], strict=True)]
        for side, jobs in stored.items()
    }
    assert timeless["old"] == timeless["new"]
    assert len(times["old"][0]) == len(times["new"][0])


@pytest.mark.parametrize(("giver", "taker"), WAYS)
def test_cron_jobs_go_both_ways(shop: Shop, giver: str, taker: str) -> None:
    shop.drive(giver, "execute", args=["note", "cron"], queue="emails")
    with shop.server.client() as client:
        (raw,) = jobs_in(client, shop.key("emails"))
    assert raw["path"] == "django_lightweight_queue.cron_scheduler.execute"
    assert raw["args"] == ["note", "cron"]
    with shop.worker(taker):
        wait_until(lambda: shop.ledger("command") == ["cron"], 20, what="the command has run")


@pytest.mark.parametrize(("giver", "taker"), WAYS)
def test_pauses_go_both_ways(shop: Shop, giver: str, taker: str) -> None:
    shop.manage(giver, "queue_pause", "emails", "--for", "1h")
    with shop.server.client() as client:
        assert 3590 <= int(client.ttl(shop.key("emails:pause"))) <= 3600
    assert shop.drive(taker, "paused", queue="emails") is True
    shop.drive(giver, "enqueue", task="note", calls=CALLS[:1])
    with shop.worker(taker):
        wait_until(lambda: is_blocking_or_asking(shop), 20, what="the worker looks for work")
        assert notes(shop) == []
        shop.manage(giver, "queue_resume", "emails")
        wait_until(lambda: len(notes(shop)) == 1, 30, what="it has run after the pause")
    assert shop.drive(taker, "paused", queue="emails") is False


@pytest.mark.parametrize(("killed", "heir"), WAYS)
def test_a_job_of_a_killed_worker_is_resumed(shop: Shop, killed: str, heir: str) -> None:
    file = shop.directory / "go"
    shop.drive(killed, "enqueue", task="wait_for_file", calls=[[[str(file)], {}]])
    shop.drive(killed, "enqueue", task="note", calls=CALLS[:1])
    with shop.worker(killed) as worker:
        wait_until(lambda: shop.ledger("begin"), 20, what="the job has begun")
        kill_worker(worker, shop)
        assert worker.returncode == -signal.SIGKILL
    assert in_hand(shop) == 1
    file.touch()
    with shop.worker(heir) as worker:
        wait_until(lambda: notes(shop), 30, what="the job behind it has run")
        wait_until(lambda: not in_hand(shop), 10, what="all are acknowledged")
        stop(heir, worker)
    assert len(shop.ledger("begin")) == 2
    assert len(shop.ledger("end")) == 1


@pytest.mark.parametrize(("killed", "heir"), WAYS)
def test_a_job_of_a_number_that_is_gone_is_given_back(shop: Shop, killed: str, heir: str) -> None:
    """Fewer workers after the change: what worker 2 had in hand waits for nobody else."""
    file = shop.directory / "go"
    shop.workers = {"emails": 2}
    shop.drive(killed, "enqueue", task="wait_for_file", calls=[[[str(file)], {}]])
    with shop.worker(killed, number=2) as worker:
        wait_until(lambda: shop.ledger("begin"), 20, what="the job has begun")
        kill_worker(worker, shop)
    assert in_hand(shop, 2) == 1
    file.touch()
    shop.workers = {"emails": 1}
    with shop.process(heir, "queue_runner") as runner:
        wait_until(lambda: shop.ledger("end"), 60, what="another worker has run it")
        runner.send_signal(signal.SIGTERM)
        runner.wait(40)
    assert in_hand(shop, 2) == 0
    assert len(shop.ledger("begin")) == 2
    assert len(shop.ledger("end")) == 1


@pytest.mark.parametrize(
    ("backend", "machines"),
    [(REDIS, ("old", "new")), (RELIABLE, ("new", "old"))],
    ids=["redis", "reliable"],
    indirect=["backend"],
)
def test_a_mixed_pool_runs_every_job_once(shop: Shop, machines: tuple[str, str]) -> None:
    shop.workers = {"emails": 4}
    calls = [[[number], {}] for number in range(200)]
    options = [("--machine", str(number), "--of", "2") for number in (1, 2)]
    with (
        shop.process(machines[0], "queue_runner", *options[0]) as first,
        shop.process(machines[1], "queue_runner", *options[1]) as second,
    ):
        shop.drive("old", "bulk", task="note", calls=calls[:100])
        shop.drive("new", "bulk", task="note", calls=calls[100:])
        wait_until(lambda: len(notes(shop)) >= 200, 60, what="all have run")
        wait_until(lambda: both_have_run(shop), 60, what="both machines take jobs")
        for runner in (first, second):
            runner.send_signal(signal.SIGTERM)
        for runner in (first, second):
            runner.wait(40)
    assert Counter(what for what, _ in notes(shop) if isinstance(what, int)) == Counter(range(200))
    assert shop.drive("old", "length", queue="emails") == 0
    assert [in_hand(shop, number) for number in (1, 2, 3, 4)] == [0, 0, 0, 0]


def both_have_run(shop: Shop) -> bool:
    """Four workers, one process each: all of them have run something. More work comes until so."""
    if len(set(shop.pids("note"))) >= 4:
        return True
    shop.drive("new", "bulk", task="note", calls=[[["more"], {}]] * 8)
    return False


def in_hand(shop: Shop, number: int = 1) -> int:
    with shop.server.client() as client:
        return int(client.llen(shop.key(f"emails:processing:{number}")))


def jobs_in(client: Any, key: str) -> list[Any]:
    return [json.loads(raw) for raw in client.lrange(key, 0, -1)]


def is_blocking_or_asking(shop: Shop) -> bool:
    """Some other client than ours has asked the server for something."""
    with shop.server.client() as client:
        own = client.client_id()
        return any(int(other["id"]) != int(own) for other in client.client_list())
