"""The figures of delays, unique jobs and results, by hand: `python -m tests.benchmarks.delays`.

lateness    how late delayed jobs start: a runner with two workers that wait
million     jobs that are due at once: the slowest command, and their order
unique      concurrent enqueues by 8 processes: doubles that were stored
idle        commands per second of an idle runner, with and without a delayed job
results     drain of a task of the framework, with results kept and without, in turns
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from dlq.backends.reliable_redis import ReliableRedisBackend
from dlq.config.settings import Settings
from dlq.job import new_job
from dlq.jobs.placement import AT_ONCE, Placement
from dlq.types import QueueName
from tests.backends.storages import Q, consuming, job, take
from tests.backends.test_unique import concurrent_doubles
from tests.kit.runner import Runner
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until

FAULTS = QueueName("faults")
RELIABLE = "dlq.backends.reliable_redis.ReliableRedisBackend"


def lateness(server: Server, count: int) -> None:
    backend = ReliableRedisBackend(Settings(redis_port=server.port))
    with tempfile.TemporaryDirectory() as directory:
        given = {"workers": {"faults": 2}, "backend": RELIABLE, "redis_port": server.port}
        with Runner(Path(directory), given) as runner:
            runner.started(2)
            began = time.time() + 3
            dues = {str(number): began + number * 0.05 for number in range(count)}
            for name, due in dues.items():
                made = new_job("tests.project.faults.tasks.quick", (int(name),), {}, None, False)
                backend.store([made], FAULTS, Placement(at=due), [""])
            limit = count * 0.05 + 20
            wait_until(lambda: len(runner.ledger.jobs("start")) == count, limit, what="all ran")
            to_wall = time.time() - time.monotonic()
            starts = {event.job: event.at + to_wall for event in runner.ledger.events("start")}
    late = sorted((starts[name] - due) * 1000 for name, due in dues.items())
    p99 = late[int(len(late) * 0.99) - 1]
    print(
        f"lateness of {count} jobs: earliest {late[0]:.1f} ms, median"
        f" {statistics.median(late):.1f} ms, p99 {p99:.1f} ms, latest {late[-1]:.1f} ms"
    )
    backend.reset()


def million(server: Server, count: int) -> None:
    backend = ReliableRedisBackend(Settings(redis_port=server.port, workers={Q: 3}))
    due = time.time() - 5
    for start in range(0, count, 1000):
        jobs = [job(number) for number in range(start, min(count, start + 1000))]
        backend.store(jobs, Q, Placement(at=due), [""] * len(jobs))
    with server.client() as client:
        client.config_set("slowlog-log-slower-than", 2_000)
        client.slowlog_reset()
        backend.promote({Q: 2})
        began, disorder, last = time.monotonic(), 0, -1
        with consuming(backend) as consumer:
            for _ in range(count):
                taken = take(consumer)
                assert taken.job is not None
                number = int(taken.job.args[0])
                disorder += number < last
                last = number
                consumer.acknowledge(taken)
        took = time.monotonic() - began
        slow = max((entry["duration"] for entry in client.slowlog_get(128)), default=0)
    print(
        f"{count:,} due at once: slowest command {slow / 1000:.1f} ms (0: below 2), {disorder} out"
        f" of order, drained in {took:.1f} s"
    )
    backend.reset()


def unique(server: Server, total: int) -> None:
    stored, keys = concurrent_doubles(Settings(redis_port=server.port), 8, total)
    print(
        f"{total:,} concurrent enqueues of {keys:,} different unique jobs: {stored - keys} doubles"
    )


def idle(server: Server, seconds: float) -> None:
    backend = ReliableRedisBackend(Settings(redis_port=server.port))
    with tempfile.TemporaryDirectory() as directory, server.client() as client:
        given = {"workers": {"faults": 2}, "backend": RELIABLE, "redis_port": server.port}
        with Runner(Path(directory), given) as runner:
            runner.started(2)
            for what in ("nothing delayed", "a delayed job in an hour"):
                time.sleep(3)
                client.config_resetstat()
                time.sleep(seconds)
                stats = client.info("commandstats")
                calls = stats.get("cmdstat_evalsha", {}).get("calls", 0)
                print(f"idle runner, {what}: {calls / seconds:.2f} scripts/s in all")
                made = new_job("tests.project.faults.tasks.quick", (1,), {}, None, False)
                backend.store([made], FAULTS, Placement(delay=3600), [""])
    backend.reset()


def results(server: Server, count: int) -> None:
    """Jobs of a task that does nothing, enqueued before the workers start."""
    backend = ReliableRedisBackend(Settings(redis_port=server.port))
    queue = QueueName("framework")
    keep: dict[str, list[float]] = {"nothing": [], "nothing_kept": []}

    def fill(name: str) -> None:
        path = f"tests.project.framework.tasks.{name}"
        for number in range(count):
            id = f"{name}{number}".replace("_", "")
            kwargs = {"django_lightweight_queue_task": id}
            made = new_job(path, (number,), kwargs, None, False)
            if name == "nothing":
                backend.enqueue(made, queue)
            else:
                record = {"status": "READY", "call": "{}", "enqueued": "0"}
                backend.store_with_result(made, queue, AT_ONCE, "", id, record, 600)

    for _ in range(3):
        for name in keep:
            fill(name)
            keep[name].append(drain(server, lambda: backend.length(queue) == 0))
    rates = {name: count / statistics.median(times) for name, times in keep.items()}
    ratio = rates["nothing_kept"] / rates["nothing"]
    print(
        f"drain of {count:,} tasks: {rates['nothing']:,.0f}/s without results,"
        f" {rates['nothing_kept']:,.0f}/s with: {ratio:.2f}"
    )
    backend.reset()


def drain(server: Server, is_empty: Callable[[], bool]) -> float:
    """Seconds from the first worker's start to an empty queue."""
    with tempfile.TemporaryDirectory() as directory:
        given = {
            "workers": {"framework": 1},
            "backend": RELIABLE,
            "redis_port": server.port,
            "worker_max_jobs": 0,
        }
        project = "tests.project.framework.settings"
        with Runner(Path(directory), given, django_settings=project) as runner:
            runner.started(1)
            began = time.monotonic()
            while not is_empty():
                time.sleep(0.005)
            return time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stages", nargs="*", default=["lateness", "unique", "idle", "results"])
    parser.add_argument("--jobs", type=int, help="How many, in place of the stage's own number.")
    options = parser.parse_args()
    sizes = {"lateness": 400, "million": 1_000_000, "unique": 100_000, "idle": 20, "results": 20000}
    for stage in options.stages:
        server = Server().start()
        try:
            globals()[stage](server, options.jobs or sizes[stage])
        finally:
            server.stop()


if __name__ == "__main__":
    main()
