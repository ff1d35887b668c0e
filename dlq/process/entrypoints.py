"""What each kind of child does, from its first line on. Called in the child only."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

from dlq import runtime
from dlq.backends.base import BackendWithRunners, PreviousProcess
from dlq.execution.describe import describe
from dlq.execution.run_job import Hooks
from dlq.process.posix.title import set_title, title_setter
from dlq.process.scoreboard import Scoreboard, Slot
from dlq.process.worker.database import DatabaseConnections
from dlq.process.worker.job_notes import JobNotes
from dlq.process.worker.unfinished_job import over_time, unfinished_delivery, write_outcome
from dlq.process.worker.worker import Worker, WorkerSpec
from dlq.types import Logger, QueueName, Runner

if TYPE_CHECKING:
    from dlq.cron.rows.row import CronRow

REPORT_LIMIT = 1
"""Seconds that a report for a killed worker may take while its supervisor waits to stop."""


class SharedResources(NamedTuple):
    """What the children of one supervisor share."""

    scoreboard: Scoreboard
    runner: Runner
    database: DatabaseConnections
    """Made before the fork: connecting to Django's signal takes a tenth of the memory that a
    worker's start writes to, and so copies."""


def run_worker(spec: WorkerSpec, shared: SharedResources, previous: PreviousProcess) -> int:
    slot = shared.scoreboard.slot(spec.slot)
    slot.occupy(os.getpid())
    _reseed()
    current = runtime.current()
    current.reset_connections()
    logger = current.logger("dlq.worker")
    try:
        worker = _make_worker(spec, shared, previous, slot, logger)
    except BaseException as error:
        slot.note_reason(describe(error))
        raise
    slot.note_reason("")
    return worker.run()


def _make_worker(
    spec: WorkerSpec,
    shared: SharedResources,
    previous: PreviousProcess,
    slot: Slot,
    logger: Logger,
) -> Worker:
    """Raises what the project's middleware and backend raise in their constructors."""
    current = runtime.current()
    observe: Callable[[str, float, bool], None] | None = None
    if spec.metrics_port is not None:
        from dlq.process import metrics

        observe = metrics.observer(spec.queue)
        metrics.serve_worker(spec.metrics_port, current.settings.prometheus_address, logger)
    backend = current.backend(spec.queue)
    return Worker(
        spec,
        current.settings,
        backend.consumer(spec.queue, spec.number, shared.runner, previous, logger),
        previous,
        Hooks(current.middleware(), logger),
        slot,
        logger,
        close_connections=current.reset_connections,
        database=shared.database,
        notes=JobNotes(backend, spec.queue, spec.name, logger),
        observe=observe,
        set_title=title_setter(),
    )


def _reseed() -> None:
    """Give this worker random numbers of its own. Python seeds `random` again in each fork; NumPy
    does not seed its global generator, and all workers would draw the same numbers."""
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()


def report_unfinished_job(
    spec: WorkerSpec, shared: SharedResources, previous: PreviousProcess
) -> int:
    """Report the job of a worker that was killed while its supervisor stops, since no next process
    will. Over its timeout, it is a failed job; killed for the stop, it goes back to the queue. Ends
    within REPORT_LIMIT."""
    signal.alarm(REPORT_LIMIT)
    current = runtime.current()
    current.reset_connections()
    backend = current.backend(spec.queue)
    logger = current.logger("dlq.worker")
    consumer = backend.consumer(spec.queue, spec.number, shared.runner, previous, logger)
    notes = JobNotes(backend, spec.queue, spec.name, logger)
    if not consumer.redelivers:
        outcome = unfinished_delivery(previous, spec.name)
        if outcome is not None:
            if outcome[1] is not None:
                notes.failed(outcome[0].job, outcome[1])
            write_outcome(consumer, *outcome)
    elif previous.outcome == "timed_out":
        delivery = consumer.take(0)
        if delivery is not None and delivery.redelivered:
            failure = over_time(delivery, previous, spec.name)
            notes.failed(delivery.job, failure)
            consumer.fail(delivery, failure)
        elif delivery is not None:
            consumer.give_back(delivery)
    consumer.close()
    if isinstance(backend, BackendWithRunners):
        backend.give_back_all(spec.queue, spec.number, shared.runner)
    return 0


def run_cron(
    rows: Sequence[CronRow], slot_index: int, supervisor: int, shared: SharedResources
) -> int:
    from dlq.process.posix.interruptible import Interruptible
    from dlq.scheduler import scheduler

    slot = shared.scoreboard.slot(slot_index)
    slot.occupy(os.getpid())
    set_title("dlq: cron scheduler")
    current = runtime.current()
    current.reset_connections()
    with Interruptible(supervisor, slot.beat) as interruptible:
        scheduler.run(
            rows,
            current.settings,
            shared.runner,
            stopped=interruptible.stopped,
            wait=interruptible.wait,
            logger=current.logger("dlq.scheduler"),
        )
    return 0


def run_heartbeat(
    workers: Sequence[WorkerSpec],
    planned: Collection[QueueName],
    reader: int,
    slot_index: int,
    shared: SharedResources,
    plan_document: Callable[[], str] | None,
) -> int:
    from dlq.process.heartbeat import Heartbeat

    slot = shared.scoreboard.slot(slot_index)
    slot.occupy(os.getpid())
    set_title("dlq: heartbeat")
    current = runtime.current()
    current.reset_connections()
    logger = current.logger("dlq.heartbeat")
    return Heartbeat(
        workers,
        planned,
        reader,
        shared.scoreboard,
        shared.runner,
        current,
        logger,
        plan_document,
        show_life=slot.beat,
    ).run()


def run_metrics(port: int, content: bytes) -> int:
    from dlq.process import metrics

    set_title("dlq: metrics")
    current = runtime.current()
    current.reset_connections()
    return metrics.serve_config(
        port, current.settings.prometheus_address, content, current.logger("dlq.supervisor")
    )
