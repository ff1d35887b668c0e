"""The worker: takes one job after the other from one queue, and runs them.

    take → middleware → run, in a transaction if the task is atomic → acknowledge → tidy up

It never leaves for a server's error or a job's: it backs off, or keeps the job as a failed one. It
leaves when it is told to, when its supervisor is gone, and after WORKER_MAX_JOBS or
WORKER_MAX_IDLE. Knows backends only by their `Consumer`; knows nothing of other workers."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple

from dlq.backends.base import Consumer, Delivery, PreviousProcess
from dlq.config.settings import Settings
from dlq.errors import BackendUnavailable, NotOwner
from dlq.execution.find_task import find_task
from dlq.execution.run_job import Hooks, Result, run_job
from dlq.jobs.failure import Failure
from dlq.primitives.text import printable
from dlq.process.posix.fork import STOP_SIGNAL, kill_group
from dlq.process.posix.touch_file import TouchFile
from dlq.process.scoreboard import Slot
from dlq.process.server_retry import ServerRetry
from dlq.process.worker.database import DatabaseConnections
from dlq.process.worker.isolation import Isolation
from dlq.process.worker.unfinished_job import refusal, settle_once, settlement
from dlq.types import Logger, QueueName, WorkerNumber

if TYPE_CHECKING:
    from dlq.decorator import TaskWrapper

SETTLE_LIMIT = 10.0
"""Seconds for which a worker that was told to stop goes on trying to tell an unreachable server how
its last job ended. Given up, the job is run again by whoever has the number next."""


_STOPS = (signal.SIGTERM, signal.SIGINT, STOP_SIGNAL)


class WorkerSpec(NamedTuple):
    """What one worker process is told. `supervisor` is the pid that must stay its parent."""

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
        observe: Callable[[float], None] | None = None,
        set_title: Callable[[str], None] | None = None,
    ) -> None:
        self.spec = spec
        self.name = spec.name
        self.stopping = False
        self._settings = settings
        self._consumer = consumer
        self._predecessor = previous
        self._hooks = hooks
        self._slot = slot
        self._logger = logger
        self._close_connections = close_connections
        self._database = database
        self._observe = observe
        self._set_title = set_title
        self._outages = ServerRetry(self.name, logger)
        self._touch_file = TouchFile(spec.touch_file, logger) if spec.touch_file else None
        self._jobs = 0
        self._job_ended = time.monotonic()
        self._stop_noted = 0.0
        self._sigkill_on_stop = False

    def run(self) -> int:
        self._listen_for_signals()
        self._surroundings = Isolation(self._close_connections)
        self._slot.wait()
        self._settle_for_predecessor()
        while (reason := self._reason_to_leave()) is None:
            taken = self._take()
            if taken is None:
                continue
            if self.stopping:
                self._give_back(taken)
                continue
            result = self._run(taken)
            self._settle(taken, result)
            self._tidy_up()
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
        return self._outages.persist(
            # After trouble not so long: an empty queue must not delay the word that it is over.
            lambda: self._consumer.take(min(timeout, 1.0) if self._outages.last else timeout),
            self._is_told_to_stop,
        )

    def _give_back(self, taken: Delivery) -> None:
        self._outages.persist(lambda: self._consumer.give_back(taken), self._settling_is_over)

    def _reason_to_leave(self) -> str | None:
        if self.stopping:
            return "told to stop"
        if os.getppid() != self.spec.supervisor:
            return "its supervisor is gone"
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
            # It leaves anyway, and what a signal would wake is about to be closed.
            signal.signal(number, signal.SIG_IGN)
        self._log_leaving(reason)
        self._slot.leave()
        self._consumer.close()
        self._slot.done()
        if os.getppid() == self.spec.supervisor:
            # It can start our successor while the system takes our memory apart.
            os.kill(self.spec.supervisor, signal.SIGCHLD)

    # Running

    def _run(self, taken: Delivery) -> Result:
        """Of what cannot or must not be run, the result is a failure, and nothing has run."""
        job = taken.job
        failure = self._refusal(taken)
        if failure is not None or job is None:
            return Result(False, 0.0, failure=failure)
        if self._set_title is not None:
            self._set_title(f"dlq: {self.name} runs {job.path}")
        self._sigkill_on_stop = job.sigkill_on_stop
        self._slot.begin(job.path, taken.raw, job.timeout, job.sigkill_on_stop)
        if self.stopping and job.sigkill_on_stop:
            self._die_for_stop()
        self._database.prepare()
        result = run_job(job, self.spec.queue, self.spec.number, self._hooks)
        self._slot.end()
        self._sigkill_on_stop = False
        if self._observe is not None:
            self._observe(result.time_taken)
        return result

    def _refusal(self, taken: Delivery) -> Failure | None:
        if taken.job is not None and not taken.redelivered:
            return None
        previous = PreviousProcess()
        is_its = self._predecessor.raw is None or self._predecessor.raw == taken.raw
        if taken.job is not None and taken.redelivered and is_its:
            previous, self._predecessor = self._predecessor, previous
        return refusal(taken, previous, self._settings.max_crashes, self.name)

    # Settling

    def _settle_for_predecessor(self) -> None:
        """Of a queue where a job is taken once and for all: what this number's last process had in
        hand when it died is a failed job, or is next again where the process was told to die."""
        if self._consumer.redelivers:
            return
        outcome = settlement(self._predecessor, self.name)
        if outcome is None:
            return
        taken, failure = outcome
        self._outages.persist(
            lambda: settle_once(self._consumer, taken, failure), self._settling_is_over
        )
        if failure is not None:
            self._log_failed(taken, failure)

    def _settle(self, taken: Delivery, result: Result) -> None:
        self._jobs += 1
        self._job_ended = time.monotonic()
        settled = self._outages.persist(
            lambda: self._tell_backend(taken, result.failure), self._settling_is_over
        )
        self._slot.wait()
        if settled is None:
            self._log_unsettled(taken)
        elif result.succeeded and self._touch_file is not None:
            self._touch_file.touch()

    def _tell_backend(self, taken: Delivery, failure: Failure | None) -> bool:
        if failure is None:
            self._consumer.acknowledge(taken)
        else:
            self._retry_or_fail(taken, failure)
        return True

    def _retry_or_fail(self, taken: Delivery, failure: Failure) -> None:
        """A job that raised is run again later as often as its task wishes, where the backend can
        do that. All else is a failed job now."""
        task = find_task(taken.job.path) if taken.job and failure.kind == "raised" else None
        blamed = 0 if failure.kind in ("crashed", "timeout") else taken.crashes
        before = self._consumer.attempts(taken) if task is not None and task.retries else 0
        failure = failure._replace(attempts=failure.attempts + before + blamed)
        if task is not None and before < task.retries:
            delay = task.retry_backoff * 2.0**before
            if self._consumer.retry(taken, delay, failure):
                self._log_retry(task, failure, before + 1, delay)
                return
        self._consumer.fail(taken, failure)
        self._log_failed(taken, failure)

    def _tidy_up(self) -> None:
        for changed in self._surroundings.restore():
            self._logger.warning(
                "%s: a job changed the %s of its process; put right",
                self.name,
                changed,
                extra={"action": "surroundings_restored", "changed": changed},
            )
        try:
            self._database.tidy()
        except Exception:
            self._logger.exception(
                "%s: tidying up after a job failed", self.name, extra={"action": "tidy_failed"}
            )

    # When to leave off

    def _is_told_to_stop(self, error: Exception) -> bool:
        if os.getppid() != self.spec.supervisor:
            self._note_stop()
        return self.stopping

    def _settling_is_over(self, error: Exception) -> bool:
        """A job that has another owner now is the other's to settle. For a server that is away a
        worker waits as long as it may live; for a backend that raises anything else, not so long:
        it may do that for ever."""
        if isinstance(error, NotOwner):
            return True
        now = time.monotonic()
        if not isinstance(error, BackendUnavailable) and now - self._job_ended > SETTLE_LIMIT:
            return True
        return self._is_told_to_stop(error) and now - self._stop_noted > SETTLE_LIMIT

    # Signals

    def _listen_for_signals(self) -> None:
        for number in _STOPS:
            signal.signal(number, self._heed)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def _heed(self, number: int, frame: FrameType | None) -> None:
        self._note_stop()
        if self._sigkill_on_stop:
            self._die_for_stop()

    def _note_stop(self) -> None:
        if not self.stopping:
            self._stop_noted = time.monotonic()
        self.stopping = True
        self._consumer.wake()

    def _die_for_stop(self) -> None:
        """The job in hand has said that it may be killed: it dies with all that it has started. The
        board says that nobody is to blame."""
        self._slot.stop()
        kill_group(os.getpid())

    # The log

    def _log_leaving(self, reason: str) -> None:
        self._logger.info(
            "%s leaves: %s",
            self.name,
            reason,
            extra={"action": "worker_leaves", "queue": self.spec.queue, "jobs": self._jobs},
        )

    def _log_retry(
        self, task: TaskWrapper[..., Any], failure: Failure, retry: int, delay: float
    ) -> None:
        self._logger.warning(
            "%s: %s failed (%s) and is run again in %g s, retry %d of %d",
            self.name,
            task.path,
            failure.reason,
            delay,
            retry,
            task.retries,
            extra={"action": "job_retried", "queue": self.spec.queue},
        )

    def _log_unsettled(self, taken: Delivery) -> None:
        self._logger.error(
            "%s: the end of a job of %s could not be told to the server; it may be run again",
            self.name,
            printable(taken.job.path) if taken.job else "no known task",
            extra={"action": "job_unsettled", "queue": self.spec.queue},
        )

    def _log_failed(self, taken: Delivery, failure: Failure) -> None:
        self._logger.error(
            "%s: %s is a failed job: %s",
            self.name,
            printable(taken.job.path) if taken.job else "what was on the queue",
            failure.reason,
            extra={"action": "job_failed", "queue": self.spec.queue, "kind": failure.kind},
        )
