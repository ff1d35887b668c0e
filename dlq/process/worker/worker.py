"""The worker: takes one job after the other from one queue, and runs them.

    take → middleware → run, in a transaction if the task is atomic → acknowledge → tidy up

Invariant: whatever a job, a middleware hook or a stored byte does, the job ends as done, failed,
retried or given back within its timeout + 10 s, and the next job of the queue starts. The worker's
part of it: nothing that a job raises gets out of `run_job`; the process is restored before anything
is sent (`Isolation`); what is repeated until the server answers is one call of the backend and
nothing else; and each step is noted on the scoreboard, where the supervisor sees one that hangs
(`Termination`) and replaces the process. A job without a timeout may run for ever.

An error of a server or of a job never ends it: it backs off, or stores the job as a failed one. It
exits on a stop signal, when its supervisor is gone, and after WORKER_MAX_JOBS or WORKER_MAX_IDLE.
It knows backends only by their `Consumer`, and knows nothing of other workers."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import NamedTuple

from dlq.backends.base import Consumer, Delivery, PreviousProcess
from dlq.config.settings import Settings
from dlq.errors import BackendUnavailable, NotOwner
from dlq.execution.run_job import Hooks, Result, run_job
from dlq.job import job_name
from dlq.jobs.failure import Failure
from dlq.jobs.task import retry_delay
from dlq.process.posix.fork import STOP_SIGNAL, kill_group
from dlq.process.posix.signals import ignore, is_hangup_ignored, restore_dispositions
from dlq.process.posix.touch_file import TouchFile
from dlq.process.scoreboard import Slot
from dlq.process.server_retry import ServerRetry
from dlq.process.worker.database import DatabaseConnections
from dlq.process.worker.isolation import Isolation
from dlq.process.worker.job_notes import JobNotes
from dlq.process.worker.unfinished_job import refusal, unfinished_delivery, write_outcome
from dlq.process.worker.worker_log import WorkerLog
from dlq.types import Logger, QueueName, WorkerNumber

REPORT_LIMIT = 10.0
"""Seconds for which a stopping worker goes on trying to report its last job's outcome to a server
that cannot be reached. After that, the next process of this number runs the job again."""

UNKNOWN_TASK = "(unknown task)"
"""The label of all jobs that name no task, in metrics."""

_STOPS = (signal.SIGTERM, signal.SIGINT, STOP_SIGNAL)


class WorkerSpec(NamedTuple):
    """What one worker process needs to know. `supervisor` is the pid that must stay its parent."""

    queue: QueueName
    number: WorkerNumber
    slot: int
    supervisor: int
    touch_file: str | None = None
    metrics_port: int | None = None

    @property
    def name(self) -> str:
        return f"{self.queue}/{self.number}"


class Worker:
    def __init__(
        self,
        spec: WorkerSpec,
        settings: Settings,
        consumer: Consumer,
        previous: PreviousProcess,
        hooks: Hooks,
        slot: Slot,
        logger: Logger,
        *,
        close_connections: Callable[[], None],
        database: DatabaseConnections,
        notes: JobNotes,
        observe: Callable[[str, float, bool], None] | None = None,
        set_title: Callable[[str], None] | None = None,
    ) -> None:
        self.spec = spec
        self.name = spec.name
        self.stopping = False
        self._settings = settings
        self._consumer = consumer
        self._previous = previous
        self._hooks = hooks
        self._slot = slot
        self._log = WorkerLog(self.name, spec.queue, logger)
        self._close_connections = close_connections
        self._database = database
        self._notes = notes
        self._observe = observe
        self._set_title = set_title
        self._server_retry = ServerRetry(self.name, logger)
        self._touch_file = TouchFile(spec.touch_file, logger) if spec.touch_file else None
        self._jobs = 0
        self._job_ended = time.monotonic()
        self._stop_noted = 0.0
        self._sigkill_on_stop = False
        self._pid = os.getpid()

    def run(self) -> int:
        self._listen_for_signals()
        self._isolation = Isolation(self._close_connections)
        self._slot.wait()
        self._report_previous()
        while (reason := self._reason_to_leave()) is None:
            delivery = self._take()
            if delivery is None:
                continue
            if self.stopping:
                self._give_back(delivery)
                continue
            result = self._run(delivery)
            # Before anything is sent: the job may have closed our descriptors.
            changed = self._isolation.restore()
            log = self._report(delivery, result)
            self._slot.tidy_up()
            self._tidy_up(changed, log)
            # What the job has left is freed here, where a finalizer that hangs is noticed.
            del delivery, result, log
            self._slot.wait()
        self._leave(reason)
        return 0

    # Taking

    def _take(self) -> Delivery | None:
        if self._set_title is not None:
            self._set_title(f"dlq: {self.name} waits")
        timeout = float(self._settings.dequeue_timeout)
        if self._settings.worker_max_idle:
            idle = time.monotonic() - self._job_ended
            timeout = min(timeout, max(1.0, self._settings.worker_max_idle - idle))
        return self._server_retry.persist(
            # After an outage not so long: an empty queue must not delay the line that it is over.
            lambda: self._consumer.take(
                min(timeout, 1.0) if self._server_retry.is_failing else timeout
            ),
            self._must_stop,
        )

    def _give_back(self, delivery: Delivery) -> None:
        self._persist(lambda: self._consumer.give_back(delivery))

    def _reason_to_leave(self) -> str | None:
        if self.stopping:
            return "stop signal"
        if os.getppid() != self.spec.supervisor:
            return "its supervisor is gone"
        if self._isolation.is_damaged:
            return "a job has closed its file descriptors"
        settings = self._settings
        if settings.worker_max_jobs and self._jobs >= settings.worker_max_jobs:
            return f"has run {self._jobs} jobs"
        if settings.worker_max_idle:
            idle = time.monotonic() - self._job_ended
            if idle >= settings.worker_max_idle:
                return f"had nothing to do for {idle:.0f} s"
        return None

    def _leave(self, reason: str) -> None:
        for number in _STOPS:
            # It exits anyway, and what a signal would wake is about to be closed.
            signal.signal(number, ignore)
        self._log.exits(reason, self._jobs)
        self._slot.leave()
        self._consumer.close()
        self._slot.done()
        if os.getppid() == self.spec.supervisor:
            # It can start the next process while the system frees our memory.
            os.kill(self.spec.supervisor, signal.SIGCHLD)

    # Running

    def _run(self, delivery: Delivery) -> Result:
        """Run the job. Where it cannot or must not be run, the result is a failure."""
        job = delivery.job
        failure = self._refusal(delivery)
        if failure is not None or job is None:
            return Result(False, 0.0, failure=failure)
        if self._set_title is not None:
            self._set_title(f"dlq: {self.name} runs {job_name(job)}")
        self._sigkill_on_stop = job.sigkill_on_stop
        self._slot.begin(job_name(job), delivery.raw, job.timeout, job.sigkill_on_stop)
        if self.stopping and job.sigkill_on_stop:
            self._die_for_stop()
        self._database.prepare()
        before_call = partial(self._notes.started, delivery.raw, job)
        result = self._isolation.context.copy().run(
            run_job, job, self.spec.queue, self.spec.number, self._hooks, before_call
        )
        self._slot.end()
        if result.failure is not None:
            self._slot.count_failure()
        self._sigkill_on_stop = False
        if self._observe is not None:
            # A path that leads to no task is text of any kind, and would be a label of its own.
            task = UNKNOWN_TASK if result.task is None else job.path
            self._observe(task, result.time_taken, result.failure is None)
        return result

    def _refusal(self, delivery: Delivery) -> Failure | None:
        if delivery.job is not None and not delivery.redelivered:
            return None
        previous = PreviousProcess()
        is_its = self._previous.raw is None or self._previous.raw == delivery.raw
        if delivery.job is not None and delivery.redelivered and is_its:
            previous, self._previous = self._previous, previous
        return refusal(delivery, previous, self._settings.max_crashes, self.name)

    # Reporting

    def _report_previous(self) -> None:
        """On a queue that redelivers nothing, report the job that this number's last process was
        running when it died: a failed job, or next again where the process died for a stop."""
        if self._consumer.redelivers:
            return
        outcome = unfinished_delivery(self._previous, self.name)
        if outcome is None:
            return
        delivery, failure = outcome
        if failure is not None:
            self._notes.failed(delivery.job, failure)
        is_known = self._persist(lambda: write_outcome(self._consumer, delivery, failure))
        if is_known and failure is not None:
            self._log.failed(delivery, failure, self._hooks.log_level(failure))

    def _report(self, delivery: Delivery, result: Result) -> Callable[[], None] | None:
        """Report the outcome to the backend; return what is to be logged about it. What may raise
        for another reason than the backend's comes before and after `persist`, which repeats."""
        self._jobs += 1
        self._job_ended = time.monotonic()
        failure = result.failure
        if failure is None:
            self._notes.succeeded(delivery.job, result)
            is_known = self._persist(partial(self._consumer.acknowledge, delivery))
            if is_known and self._touch_file is not None:
                self._touch_file.touch()
            return None if is_known else partial(self._log.unreported, delivery)
        task = result.task if failure.kind == "raised" else None
        retries = 0 if task is None else task.retries
        before = self._failed_attempts(delivery) if retries else 0
        blamed = 0 if failure.kind in ("crashed", "timeout", "killed") else delivery.crashes
        failure = failure._replace(attempts=failure.attempts + before + blamed)
        if task is not None and before < retries:
            delay = retry_delay(task, before)
            self._notes.retried(delivery.job, failure, result)
            is_retried = self._retry(delivery, delay, failure)
            if is_retried:
                return partial(self._log.retried, task, failure, before + 1, delay)
            if is_retried is None:
                return partial(self._log.unreported, delivery)
        self._notes.failed(delivery.job, failure, result)
        if self._persist(lambda: self._consumer.fail(delivery, failure)):
            return partial(self._log.failed, delivery, failure, self._hooks.log_level(failure))
        return partial(self._log.unreported, delivery)

    def _failed_attempts(self, delivery: Delivery) -> int:
        """How often the job has failed before: 0 where the server cannot say it in time."""
        attempts = self._server_retry.persist(
            lambda: self._consumer.attempts(delivery), self._gives_up_reporting
        )
        return attempts or 0

    def _retry(self, delivery: Delivery, delay: float, failure: Failure) -> bool | None:
        """Ask the backend to run the job again; None where the question was given up."""
        return self._server_retry.persist(
            lambda: self._consumer.retry(delivery, delay, failure), self._gives_up_reporting
        )

    def _persist(self, call: Callable[[], None]) -> bool:
        """Repeat a report until the backend has it; False where that was given up."""

        def attempt() -> bool:
            call()
            return True

        return self._server_retry.persist(attempt, self._gives_up_reporting) or False

    def _tidy_up(self, changed: Sequence[str], log: Callable[[], None] | None) -> None:
        """Never raises: the job has ended, and is reported."""
        try:
            for what in changed:
                self._log.restored(what)
            if log is not None:
                log()
            self._database.tidy()
        except BaseException:
            with suppress(BaseException):
                self._log.untidy()

    # When to give up

    def _must_stop(self, error: Exception) -> bool:
        if os.getppid() != self.spec.supervisor:
            self._note_stop()
        return self.stopping

    def _gives_up_reporting(self, error: Exception) -> bool:
        """Whether to stop trying. A job that has another owner now is the other's to report. A
        worker waits for a server that is away as long as it lives; for a backend that raises
        anything else it does not: that may last for ever."""
        if isinstance(error, NotOwner):
            return True
        now = time.monotonic()
        if not isinstance(error, BackendUnavailable) and now - self._job_ended > REPORT_LIMIT:
            return True
        return self._must_stop(error) and now - self._stop_noted > REPORT_LIMIT

    # Signals

    def _listen_for_signals(self) -> None:
        for number in _STOPS:
            signal.signal(number, self._handle_stop)
        if not is_hangup_ignored():
            # A handler and not SIG_IGN: that would be inherited by programs that a job starts.
            signal.signal(signal.SIGHUP, ignore)
        os.register_at_fork(after_in_child=self._detach_forked_child)

    def _detach_forked_child(self) -> None:
        """Called in a process that a job forks, which is no worker. A signal ends it as it ends any
        process, so `Process.terminate()` works; the scoreboard does not see what it does."""
        restore_dispositions()
        self._slot.detach()

    def _handle_stop(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._pid:
            # Forked by a library that Python does not know about.
            restore_dispositions()
            os.kill(os.getpid(), number)
            return
        self._note_stop()
        if self._sigkill_on_stop:
            self._die_for_stop()

    def _note_stop(self) -> None:
        if not self.stopping:
            self._stop_noted = time.monotonic()
        self.stopping = True
        self._consumer.wake()

    def _die_for_stop(self) -> None:
        """Kill this process with all that its sigkill_on_stop job has started. The scoreboard shows
        that the job is not to blame."""
        self._slot.stop()
        kill_group(os.getpid())
