"""What each microsecond of a job goes to, in a real worker under a real supervisor on a real
server.

    python -m tests.benchmarks.profile_loop --jobs 20000

The worker is forked by `dlq run` as always; its functions are watched from the outside by a
stopwatch that was put around them before. The first line of the table is the same drain without
the stopwatch. Stages are named by the functions that they stand for: one that was renamed stops
the profile with its name.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import resource
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.bench import Bench, Sizes
from tests.benchmarks.processes import Workers
from tests.benchmarks.stages import Stage, Stopwatch
from tests.benchmarks.systems import DLQ
from tests.kit.waiting import wait_until

WORKER = "dlq.process.worker.worker:Worker"
CONSUMER = "dlq.backends.redis_storage.consumers.at_least_once:ReliableConsumer"
STAGES: tuple[Stage, ...] = (
    Stage("the loop itself", (f"{WORKER}.run",)),
    Stage("may it go on", (f"{WORKER}._reason_to_leave",)),
    Stage("take", (f"{WORKER}._take", f"{CONSUMER}.take")),
    Stage(
        "answer: wait, read, parse",
        ("dlq.backends.redis_storage.transport.channel:Channel.answer",),
    ),
    Stage("decode", ("dlq.job:decode",)),
    Stage("run: around the job", (f"{WORKER}._run", f"{WORKER}._refusal")),
    Stage("scoreboard", ("dlq.process.scoreboard:Slot.begin", "dlq.process.scoreboard:Slot.end")),
    Stage(
        "run: the job", ("dlq.execution.run_job:run_job", "dlq.execution.run_job:_call_function")
    ),
    Stage("find task", ("dlq.execution.find_task:find_task",)),
    Stage(
        "middleware",
        ("dlq.execution.run_job:Hooks.process_job", "dlq.execution.run_job:Hooks.process_result"),
    ),
    Stage(
        "transaction",
        (
            "dlq.execution.lazy_transaction:lazily_atomic",
            "dlq.execution.lazy_transaction:_LazyAtomic.__enter__",
            "dlq.execution.lazy_transaction:_LazyAtomic.__exit__",
        ),
    ),
    Stage(
        "acknowledge",
        (
            f"{WORKER}._report",
            f"{WORKER}._persist",
            f"{CONSUMER}.acknowledge",
        ),
    ),
    Stage(
        "send",
        (
            "dlq.backends.redis_storage.transport.channel:Channel.send",
            "dlq.backends.redis_storage.transport.channel:Channel.post",
        ),
    ),
    Stage("server retry", ("dlq.process.server_retry:ServerRetry.persist",)),
    Stage("tidy up", (f"{WORKER}._tidy_up",)),
    Stage("isolation", ("dlq.process.worker.isolation:Isolation.restore",)),
    Stage("close connections", ("dlq.process.worker.database:DatabaseConnections.tidy",)),
)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.profile_loop",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--jobs", type=int, default=20_000)
    parser.add_argument(
        "--cache", type=Path, default=Path(tempfile.gettempdir()) / "dlq-benchmarks"
    )
    options = parser.parse_args(arguments)
    bench = Bench(options.cache, Sizes())
    try:
        plain = _profile(bench, options.jobs, watched=False)
        watched = _profile(bench, options.jobs, watched=True)
    finally:
        bench.close()
    print(_table(options.jobs, plain, watched))
    return 0


def _profile(bench: Bench, jobs: int, *, watched: bool) -> dict[str, Any]:
    """What the worker found of itself. It leaves by itself after the last job."""
    bench.empty()
    bench.run_module(DLQ, "project.produce", "fill", str(jobs - 2))
    report = bench.directory / f"profile-{watched}"
    variables = {
        **bench.variables(DLQ),
        "LIGHTWEIGHT_QUEUE_WORKER_MAX_JOBS": str(jobs),
        "BENCH_PROFILE": str(report),
    }
    python = bench.environment(DLQ).python
    module = "tests.benchmarks.profile_loop"
    command = [python, "-m", module, "--as-supervisor", "watched" if watched else "plain"]
    with Workers(command, variables, bench.directory / "profile.log") as running:

        def is_written() -> bool:
            running.require_alive()
            return report.exists()

        wait_until(is_written, 120, what=f"a worker has run {jobs} jobs")
        # Now, before the supervisor stops: its next worker writes such a report when it leaves,
        # too.
        found: dict[str, Any] = json.loads(report.read_text())
        if found["jobs"] != jobs:
            raise RuntimeError(
                f"the worker left after {found['jobs']} of {jobs} jobs:\n{running.log_tail()}"
            )
    return found


def _as_supervisor(watched: bool) -> None:
    """`dlq run`, in this very process, with the watched functions in place before it forks."""
    from dlq import cli
    from dlq.process.worker.worker import Worker

    stopwatch = Stopwatch()
    if watched:
        for stage in STAGES:
            stopwatch.watch(stage)
    run = Worker.run

    @functools.wraps(run)
    def run_and_tell(worker: Worker) -> int:
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
        code = run(worker)
        after = resource.getrusage(resource.RUSAGE_SELF)
        content = {
            "jobs": worker._jobs,
            "wall": time.perf_counter() - began,
            "user": after.ru_utime - before.ru_utime,
            "system": after.ru_stime - before.ru_stime,
            "calls": stopwatch.calls,
            "own": stopwatch.own_times(),
            "cost": stopwatch.cost(),
        }
        unfinished = Path(os.environ["BENCH_PROFILE"] + ".part")
        unfinished.write_text(json.dumps(content))
        unfinished.rename(os.environ["BENCH_PROFILE"])
        return code

    Worker.run = run_and_tell  # type: ignore[method-assign, assignment]  # this is what a profile is
    cli.main(["run"])


def _table(jobs: int, plain: dict[str, Any], watched: dict[str, Any]) -> str:
    each = plain["wall"] / jobs * 1e6
    head = (
        f"{jobs} jobs, {jobs / plain['wall']:,.0f} a second, {each:.1f} us each, of which"
        f" {plain['user'] / jobs * 1e6:.1f} us user, {plain['system'] / jobs * 1e6:.1f} us system,"
        f" {each - (plain['user'] + plain['system']) / jobs * 1e6:.1f} us waiting"
    )
    lines = [
        head,
        "",
        "| stage | us a job | share | calls a job |",
        "|---|---|---|---|",
    ]
    total = sum(watched["own"].values())
    for stage in STAGES:
        own = watched["own"].get(stage.name, 0.0)
        lines.append(
            f"| {stage.name} | {own / jobs / 1000:.2f} | {own / total:.0%} |"
            f" {watched['calls'].get(stage.name, 0) / jobs:.2f} |"
        )
    lines += [
        f"| together | {total / jobs / 1000:.2f} | 100% | |",
        "",
        f"Watching cost {watched['cost'] / jobs / 1000:.1f} us a job, which is not in the table.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as-supervisor"]:
        _as_supervisor(sys.argv[2] == "watched")
    else:
        # As Ctrl-C does, so that the supervisor and the server are stopped on the way out.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        sys.exit(main(sys.argv[1:]))
