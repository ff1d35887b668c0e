"""The measurements. Each takes a bench and a system and gives values by metric.

What belongs together in a ratio, one worker and two for instance, is measured in one go.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.benchmarks.bare import JOB
from tests.benchmarks.bench import Bench, Readiness
from tests.benchmarks.processes import (
    Workers,
    busy_share,
    cpu_seconds,
    processor_times,
    pss_mib,
)
from tests.benchmarks.systems import DLQ, Bare, System
from tests.kit.waiting import wait_until

Values = Mapping[str, float]

SETTLED = 0.5
"""Seconds over which a tree of processes must use next to no processor time to count as idle."""


@dataclass(frozen=True, slots=True)
class Measure:
    """`once`: in the first round only, for what is the same each time and takes long."""

    name: str
    take: Callable[[Bench, System | Bare], Values]
    applies: Callable[[System | Bare], bool]
    once: bool = False


def drain(bench: Bench, system: System | Bare) -> Values:
    """Jobs per second, from the first job's run to the last one's: the start is another metric.

    With several in hand at once the last job may run before the few beside it; that is below one
    percent of the jobs.
    """
    if isinstance(system, Bare):
        return _bare(bench, system)
    jobs = round(system.pace * bench.sizes.seconds)
    values: dict[str, float] = {}
    for workers in bench.sizes.drain_workers:
        pace, busy = _drain(bench, system, workers, jobs * workers)
        values |= {f"drain/{workers}": pace, f"drain busy/{workers}": 100 * busy}
    if system.life is not None and system.life < jobs:
        values["drain/life"], _ = _drain(bench, system, 1, system.life - 10)
    return values


def enqueue(bench: Bench, system: System | Bare) -> Values:
    """Jobs per second of one process that calls the task in a loop, or in bulk."""
    if isinstance(system, Bare):
        return _bare(bench, system)
    values = {}
    for metric, verb, count in (
        ("enqueue", "one", bench.sizes.enqueue),
        ("bulk", "bulk", bench.sizes.bulk),
    ):
        if verb == "one" or system.has_bulk:
            bench.empty()
            seconds = bench.run_module(system, "project.produce", verb, str(count))
            values[metric] = count / seconds
    return values


def starts(bench: Bench, system: System | Bare) -> Values:
    """Milliseconds from before the call of a task to the first line of its job, with everything
    idle."""
    assert isinstance(system, System)
    bench.empty()
    with bench.start(system, 1) as running:
        bench.wait_ready(system, running, 1)
        _settle(running)
        seconds = bench.run_module(system, "project.produce", "starts", str(bench.sizes.starts))
    quantiles = statistics.quantiles(seconds, n=100, method="inclusive")
    return {"start p50": quantiles[49] * 1000, "start p99": quantiles[98] * 1000}


def footprint(bench: Bench, system: System | Bare) -> Values:
    """Of workers that wait for jobs: seconds until they do, memory, and what each worker beyond the
    first few adds."""
    return _by_workers(bench, system, _footprint, "pss")


def idle(bench: Bench, system: System | Bare) -> Values:
    """Of workers that wait for jobs: commands to the server and processor time, and what each
    worker beyond the first few adds."""
    return _by_workers(bench, system, _idle, "idle commands", "idle cpu")


def deduplicate(bench: Bench, system: System | Bare) -> Values:
    """Seconds of the command, its start included, and the server's slowest command in ms."""
    assert isinstance(system, System)
    assert system.deduplicate is not None
    bench.empty()
    content = json.loads(JOB)
    count = bench.sizes.duplicates
    with bench.client.pipeline(transaction=False) as pipe:
        for number in range(count):
            content |= {"args": [number // 2], "created_time": f"2026-11-24 08:00:00.{number:06d}"}
            pipe.lpush("django_lightweight_queue:default", json.dumps(content))
        pipe.execute()
    bench.client.slowlog_reset()
    seconds = bench.timed(system, system.deduplicate(bench.environment(system)))
    left = int(bench.client.llen("django_lightweight_queue:default"))
    if left != (count + 1) // 2:
        raise RuntimeError(f"{system.name}: {left} of {count} jobs are left, not half of them")
    slow = [entry["duration"] for entry in bench.client.slowlog_get(200_000)]
    return {"deduplicate": seconds, "deduplicate slowest": max(slow, default=0) / 1000}


def commands(bench: Bench, system: System | Bare) -> Values:
    """Seconds of `dlq plan`, and of the command that every Django developer knows the feel of."""
    assert isinstance(system, System)
    environment = bench.environment(system)
    times: dict[str, list[float]] = {"plan": [], "check": []}
    for _ in range(bench.sizes.commands):
        times["plan"].append(bench.timed(system, [environment.tool("dlq"), "plan"]))
        times["check"].append(bench.timed(system, environment.manage("check")))
    return {name: statistics.median(seconds) for name, seconds in times.items()}


def planner(bench: Bench, system: System | Bare) -> Values:
    """Seconds; see the module that is run."""
    values: dict[str, float] = bench.run_module(system, "large_plan")
    return values


def cron_rows(bench: Bench, system: System | Bare) -> Values:
    """Seconds; see the module that is run."""
    values: dict[str, float] = bench.run_module(system, "large_cron")
    return values


def _is_system(system: System | Bare) -> bool:
    return isinstance(system, System)


MEASURES: tuple[Measure, ...] = (
    Measure("drain", drain, lambda system: _is_system(system) or system.name != "bare-push"),
    Measure("enqueue", enqueue, lambda system: _is_system(system) or system.name == "bare-push"),
    Measure("starts", starts, _is_system),
    Measure("footprint", footprint, _is_system),
    Measure("idle", idle, _is_system, once=True),
    Measure(
        "deduplicate",
        deduplicate,
        lambda system: isinstance(system, System) and system.deduplicate is not None,
    ),
    Measure("commands", commands, lambda system: system is DLQ),
    Measure("planner", planner, lambda system: system is DLQ),
    Measure("cron rows", cron_rows, lambda system: system is DLQ),
)


def _bare(bench: Bench, system: Bare) -> Values:
    bench.empty()
    count = round(system.pace * bench.sizes.seconds)
    return {system.metric: count / bench.run_module(system, "bare", system.verb, str(count))}


def _drain(bench: Bench, system: System, workers: int, jobs: int) -> tuple[float, float]:
    """Jobs per second, and which share of all processors was busy meanwhile."""
    bench.empty()
    bench.run_module(system, "project.produce", "fill", str(jobs))
    with bench.start(system, workers) as running:
        limit = 60 + 10 * jobs / system.pace

        def marks() -> list[float]:
            running.require_alive()
            if not bench.ledger.exists():
                return []
            return [float(line) for line in bench.ledger.read_text().splitlines()]

        wait_until(marks, limit, what="the first job ran")
        before = processor_times()
        wait_until(lambda: len(marks()) >= 2, limit, what=f"{jobs} jobs ran")
        after = processor_times()
        first, last = min(times := marks()), max(times)
    return jobs / (last - first), busy_share(before, after)


def _by_workers(
    bench: Bench,
    system: System | Bare,
    look: Callable[[Bench, Workers, Readiness], Values],
    *added: str,
) -> Values:
    """What `look` finds at each number of workers, and by how much each of `added` grows with each
    worker from the least number to the greatest."""
    assert isinstance(system, System)
    values: dict[str, float] = {}
    for workers in bench.sizes.workers:
        bench.empty()
        with bench.start(system, workers) as running:
            ready = bench.wait_ready(system, running, workers)
            _settle(running)
            found = look(bench, running, ready)
        values |= {f"{metric}/{workers}": value for metric, value in found.items()}
    few, many = min(bench.sizes.workers), max(bench.sizes.workers)
    if few != many:
        for metric in added:
            grown = values[f"{metric}/{many}"] - values[f"{metric}/{few}"]
            values[f"{metric} per worker"] = grown / (many - few)
    return values


def _footprint(bench: Bench, running: Workers, ready: Readiness) -> Values:
    return {"ready wall": ready.wall, "ready cpu": ready.cpu, "pss": pss_mib(running.tree())}


def _idle(bench: Bench, running: Workers, ready: Readiness) -> Values:
    began, cpu = time.perf_counter(), cpu_seconds(running.tree())
    sent = _commands_sent(bench, bench.sizes.idle)
    seconds = time.perf_counter() - began
    used = cpu_seconds(running.tree()) - cpu
    return {"idle commands": sent / seconds, "idle cpu": used / seconds * 100}


def _commands_sent(bench: Bench, seconds: float) -> int:
    """How many commands clients send to the server in so many seconds. The server's statistics
    would count what its scripts call, too."""
    end = time.perf_counter() + seconds
    count = 0
    with bench.client.monitor() as monitor:  # type: ignore[no-untyped-call]  # redis has no type for it
        while (left := end - time.perf_counter()) > 0:
            if monitor.connection.can_read(left):
                count += monitor.next_command()["client_type"] != "lua"
    return count


def _settle(running: Workers) -> None:
    """Wait until the workers have nothing to do, for those systems that ever have nothing to do:
    a poller is as settled after a few seconds as it gets."""
    for _ in range(10):
        before = cpu_seconds(running.tree())
        time.sleep(SETTLED)
        if cpu_seconds(running.tree()) - before < SETTLED * 0.05:
            return
