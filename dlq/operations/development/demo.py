"""A complete run on a private server, with real processes: plan, workers, jobs from another
process, one failure, a clean stop. What it shows is what happened.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from dlq.config import PREFIX
from dlq.diagnostics.refusal import ConfigurationRefused
from dlq.errors import DlqError
from dlq.operations import failed_jobs as failed
from dlq.planning.plan import Plan, make_plan
from dlq.planning.pool import make_pool
from dlq.project.load import Project, load_project

SETTINGS = "dlq.demo.settings"
LEDGER = "DLQ_DEMO_LEDGER"
LIMIT = 20.0
"""Seconds for each step. It takes about one altogether."""


class DemoFailed(DlqError):
    """A step of the demo didn't come to its end. The text has what the runner said."""


class Workers(NamedTuple):
    """`ledger` has a line for each job that ended well, `log` what the runner says."""

    ledger: Path
    log: Path


class QueueResult(NamedTuple):
    queue: str
    jobs: int
    done: int
    failed: int


class Result(NamedTuple):
    """`seconds` from the first enqueue to the last end, both processes' start included."""

    queues: tuple[QueueResult, ...]
    failures: tuple[tuple[str, str], ...]
    seconds: float

    @property
    def jobs(self) -> int:
        return sum(queue.jobs for queue in self.queues)

    @property
    def done(self) -> int:
        return sum(queue.done for queue in self.queues)

    def as_document(self) -> dict[str, Any]:
        return {
            "jobs": self.jobs,
            "done": self.done,
            "seconds": self.seconds,
            "queues": [queue._asdict() for queue in self.queues],
            "failures": [{"task": task, "reason": reason} for task, reason in self.failures],
        }


JOBS = {"default": 15, "emails": 5}
"""What `dlq.demo.enqueue` enqueues; one of the emails is delayed."""
FAILING = 1


def leave_variables_out() -> None:
    """What the environment says of the user's own project is not about the demo's."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]


def prepare() -> tuple[Project, Plan]:
    """Load the demo's project; the server must run already. Raises ConfigurationRefused."""
    project = load_project(SETTINGS)
    plan = make_plan(project, make_pool(None, None))
    if not plan.is_valid:
        raise ConfigurationRefused("the demo's own configuration is broken", plan.findings)
    return project, plan


@contextmanager
def running_workers() -> Iterator[Workers]:
    """`dlq run` in a process of its own, ready when this is entered, and stopped as an operator
    would when it is left. Raises DemoFailed."""
    with tempfile.TemporaryDirectory(prefix="dlq-demo-") as directory:
        ledger, log = Path(directory, "ledger"), Path(directory, "log")
        ledger.touch()
        with log.open("wb") as output:
            runner = subprocess.Popen(
                [sys.executable, "-m", "dlq", "run", "--settings", SETTINGS],
                env=_environment(ledger),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            _wait(lambda: log.read_text().count("| started") >= 3, runner, log, "workers start")
            yield Workers(ledger, log)
            runner.send_signal(signal.SIGTERM)
            code = runner.wait(LIMIT)
            if code != 0:
                raise DemoFailed(f"the runner stopped with code {code}:\n{_tail(log)}")
        except subprocess.TimeoutExpired:
            raise DemoFailed(f"the runner did not stop:\n{_tail(log)}") from None
        finally:
            if runner.poll() is None:
                os.killpg(runner.pid, signal.SIGKILL)
                runner.wait()


def enqueue_and_wait(project: Project, workers: Workers) -> Result:
    """Enqueue from another process, and wait until every job has ended. Raises DemoFailed."""
    started = time.monotonic()
    web = subprocess.run(
        [sys.executable, "-m", "dlq.demo.enqueue"],
        env=_environment(workers.ledger),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    if web.returncode:
        raise DemoFailed(f"enqueueing failed:\n{web.stderr[-2000:]}")
    total = sum(JOBS.values())
    end = time.monotonic() + LIMIT
    while True:
        done = Counter(line.split(" ")[0] for line in workers.ledger.read_text().splitlines())
        bad = sum(failed.counts(project, failed.failed_queues(project)).values())
        if done.total() + bad >= total:
            break
        if time.monotonic() > end:
            raise DemoFailed(
                f"after {LIMIT:g} s {done.total()} of {total} jobs are done:\n{_tail(workers.log)}"
            )
        time.sleep(0.01)
    seconds = time.monotonic() - started
    failures = list(failed.select_failed(project, failed.Selection()))
    per_queue = Counter(job.queue for job in failures)
    kinds = {"default": "confirm", "emails": "mail"}
    return Result(
        tuple(
            QueueResult(queue, jobs, done[kinds[queue]], per_queue[queue])  # type: ignore[index]  # a QueueName is a str
            for queue, jobs in JOBS.items()
        ),
        tuple((job.job.path if job.job else "", job.failure.reason) for job in failures),
        seconds,
    )


def _environment(ledger: Path) -> dict[str, str]:
    return {**os.environ, "DJANGO_SETTINGS_MODULE": SETTINGS, LEDGER: str(ledger)}


def _wait(fact: Callable[[], bool], runner: subprocess.Popen[bytes], log: Path, what: str) -> None:
    end = time.monotonic() + LIMIT
    while not fact():
        if runner.poll() is not None:
            raise DemoFailed(f"the runner ended with code {runner.returncode}:\n{_tail(log)}")
        if time.monotonic() > end:
            raise DemoFailed(f"not within {LIMIT:g} s: {what}:\n{_tail(log)}")
        time.sleep(0.01)


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]
