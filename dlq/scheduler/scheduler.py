"""The process that enqueues rows when they are due.

A run is a (row, minute), and each is enqueued once, however many schedulers there are and however
often they are restarted:

* The key `cron:{row}:{minute}` is set in one atomic step with the push, so the second scheduler
  that tries, or the same one after it was killed, pushes nothing. (`row` is CronRow.identity.)
* The key `cron:settled:{settings module}` says up to which minute everything has been enqueued or
  given up. A scheduler starts from there, and so finds what a stop, a kill or a deploy has missed.
  Without it (a first start, an emptied server) a scheduler starts from now: what was due before may
  have been enqueued by somebody else. The settings module is part of the name so that two projects
  on one server don't answer for each other.
* A run that fails stays pending, alone, and is tried again until it is CRON_CATCH_UP late.
* Where a row has missed several runs, the latest stands for all. A tick that is late by less than
  LATE_TICK has missed nothing: it enqueues every run.

Backends without idempotency keys get plain enqueues: their rows fire once per scheduler, and a
restart catches nothing up.

Wall-clock time decides what is due and nothing else. When it jumps back, the minutes that come
again are due again; their keys, and the memory of this process, keep them from being enqueued
again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain

from dlq import runtime
from dlq.backends.base import BackendWithRunners, BaseBackend
from dlq.config.settings import Settings
from dlq.cron.history import ENQUEUED, enqueued_part, record_id_of
from dlq.cron.rows.row import CronRow
from dlq.cron.rows.schedule import MINUTE, due, runs
from dlq.errors import BackendUnavailable, EnqueueError
from dlq.job import Job
from dlq.scheduler.execute import PATH
from dlq.scheduler.log import Pending, SchedulerLog, Unavailability
from dlq.types import Logger, QueueName, Runner

PROGRESS_KEY = "cron:settled:"

LATE_TICK = 90.0
"""Seconds by which a running scheduler may come late (a slow server, a suspended machine) without
having missed anything: every run of that time is enqueued, whatever CRON_CATCH_UP says."""

KEEP_PROGRESS = 7 * 24 * 3600.0
"""Seconds beyond that, so that the log of a scheduler that starts after a long stop can say what
was missed."""

KEEP_KEYS = 4 * 3600.0
"""Seconds beyond CRON_CATCH_UP: by how much a clock may jump back, or the clocks of two machines
differ, without a run being enqueued twice."""

REMEMBER = 10_000
"""Runs that a scheduler itself knows it has enqueued: for backends without such keys, and for
clocks that jump back further than those are kept."""

ROUND = 1.0
"""Seconds between two looks at the clock, at most. Also how often a failed run is tried again."""


def run(
    rows: Iterable[CronRow],
    settings: Settings,
    runner: Runner,
    *,
    stopped: Callable[[], bool],
    wait: Callable[[float], None],
    logger: Logger,
    now: Callable[[], datetime] | None = None,
    backend_of: Callable[[QueueName], BaseBackend] | None = None,
) -> None:
    """Schedule `rows` until `stopped()`, which is asked before each enqueue; `wait` is called once
    per round, at least every ROUND seconds while all is well. `now` gives aware times."""
    scheduler = Scheduler(
        rows,
        settings,
        backend_of or runtime.current().backend,
        logger,
        started=(now or _utc_now)(),
        project=runner.settings_module,
    )
    logger.info(
        "cron scheduler started with %d rows",
        sum(len(schedule.rows) for schedule in scheduler.schedules),
        extra={"action": "cron_started", "runner": runner.nonce},
    )
    while not stopped():
        scheduler.round((now or _utc_now)(), stopped)
        if not stopped():
            wait(_until_next_look((now or _utc_now)()))


@dataclass(slots=True)
class BackendSchedule:
    """The rows of one backend, and how far they have come. `looked` is the minute up to which runs
    have been looked for; None until the server has said where to begin."""

    rows: tuple[CronRow, ...]
    progress_key: str
    looked: datetime | None = None
    done_until: datetime | None = None
    pending: list[Pending] = field(default_factory=list)
    enqueued: dict[tuple[str, datetime], None] = field(default_factory=dict)
    unavailability: Unavailability = field(default_factory=Unavailability)


class Scheduler:
    """What happens in one round, without a loop or a clock around it."""

    def __init__(
        self,
        rows: Iterable[CronRow],
        settings: Settings,
        backend_of: Callable[[QueueName], BaseBackend],
        logger: Logger,
        *,
        started: datetime,
        project: str = "",
    ) -> None:
        self._settings = settings
        self._backend_of = backend_of
        self._log = SchedulerLog(logger, settings.cron_catch_up)
        self._started = _minute(started)
        self._catch_up = timedelta(seconds=settings.cron_catch_up)
        self._late = max(self._catch_up, timedelta(seconds=LATE_TICK))
        self._keep = self._late.total_seconds() + KEEP_KEYS
        self.schedules = tuple(
            BackendSchedule(rows, PROGRESS_KEY + project + name)
            for name, rows in _by_backend(rows, settings).items()
        )

    def round(self, now: datetime, stopped: Callable[[], bool] = lambda: False) -> None:
        """Enqueue what is due at `now` and what is still pending."""
        for schedule in self.schedules:
            if stopped():
                return
            failure: Exception | None
            try:
                backend = self._backend_of(schedule.rows[0].queue)
                self._look(schedule, backend, now)
                failure = self._enqueue(schedule, backend, now, stopped)
                self._record_progress(schedule, backend)
            except Exception as error:
                # Any other error too: the rows of other backends must not suffer for it.
                failure = error
            if failure is None:
                self._log.available(schedule.unavailability)
            else:
                self._log.unavailable(schedule.unavailability, failure)

    def _look(self, schedule: BackendSchedule, backend: BaseBackend, now: datetime) -> None:
        """Find what has become due since the last look."""
        minute = _minute(now)
        is_restart = schedule.looked is None
        if schedule.looked is None:
            schedule.looked = self._begin(schedule, backend, minute)
        if minute < schedule.looked:
            self._log.clock_back(schedule.looked - minute)
            schedule.looked = minute - MINUTE
            schedule.pending = [run for run in schedule.pending if run.at <= minute]
        since = max(schedule.looked, minute - self._late)
        if since > schedule.looked:
            self._report_missed(schedule, schedule.looked, since, "the scheduler was delayed")
        if since < minute:
            self._add(schedule, since, minute, now, is_restart=is_restart)
        schedule.looked = minute

    def _begin(self, schedule: BackendSchedule, backend: BaseBackend, minute: datetime) -> datetime:
        """Where the last scheduler left off, as far back as missed runs are caught up."""
        start = min(self._started, minute)
        done_until = self._read_progress(schedule, backend)
        if done_until is None or done_until >= start or not self._catch_up:
            return start
        begin = max(done_until, start - self._catch_up)
        self._report_missed(schedule, done_until, begin, "the scheduler was not running")
        return begin

    def _add(
        self,
        schedule: BackendSchedule,
        since: datetime,
        minute: datetime,
        now: datetime,
        *,
        is_restart: bool,
    ) -> None:
        for new in due(schedule.rows, since, minute, self._settings.cron_timezone):
            if (new.row.identity, new.at) not in schedule.enqueued:
                schedule.pending.append(Pending(new.row, new.at, new.at + self._late))
        by_row: dict[str, list[Pending]] = {}
        for run in sorted(schedule.pending, key=lambda run: run.at):
            by_row.setdefault(run.row.identity, []).append(run)
        for of_row in by_row.values():
            late = (now - of_row[0].at).total_seconds() > LATE_TICK
            if len(of_row) > 1 and (is_restart or late):
                self._log.folded(of_row[-1], len(of_row) - 1)
                del of_row[:-1]
        schedule.pending = sorted(chain.from_iterable(by_row.values()), key=lambda run: run.at)

    def _enqueue(
        self,
        schedule: BackendSchedule,
        backend: BaseBackend,
        now: datetime,
        stopped: Callable[[], bool],
    ) -> BackendUnavailable | None:
        """Each pending run by itself; what failed is behind the others next time. The answer is the
        last failure that may mean that the server is unavailable."""
        failure = None
        began = time.monotonic()
        for run in tuple(schedule.pending):
            # The server may be unavailable, or refuse this one queue: the others are tried too,
            # unless that would be waiting for one timeout after the other.
            if stopped() or (failure is not None and time.monotonic() - began > ROUND):
                break
            schedule.pending.remove(run)
            if now >= run.too_late:
                self._log.skipped(run.row, run.at, "it could not be enqueued")
                continue
            try:
                is_new = self._push(backend, run)
            except BackendUnavailable as error:
                failure = error
                stored = isinstance(error, EnqueueError) and error.may_be_stored
                if not stored or isinstance(backend, BackendWithRunners):
                    schedule.pending.append(run)
                continue
            except Exception as error:
                self._log.failed(run, error)
                schedule.pending.append(run)
                continue
            schedule.enqueued[(run.row.identity, run.at)] = None
            while len(schedule.enqueued) > REMEMBER:
                del schedule.enqueued[next(iter(schedule.enqueued))]
            self._log.enqueued(run, now, is_new)
            if is_new:
                _record_enqueued(backend, run, now)
        return failure

    def _push(self, backend: BaseBackend, run: Pending) -> bool:
        """Whether it was new; without idempotency keys, it always is."""
        job = job_of(run.row)
        if isinstance(backend, BackendWithRunners):
            return backend.enqueue_once(
                job, run.row.queue, idempotency_key_of(run.row, run.at), self._keep
            )
        backend.enqueue(job, run.row.queue)
        return True

    def _record_progress(self, schedule: BackendSchedule, backend: BaseBackend) -> None:
        """Store up to when everything is done, for the next scheduler."""
        assert schedule.looked is not None
        done_until = min([schedule.looked, *(run.at - MINUTE for run in schedule.pending)])
        if done_until == schedule.done_until or not isinstance(backend, BackendWithRunners):
            return
        backend.set_idempotency_key(
            schedule.progress_key, done_until.isoformat(), self._keep + KEEP_PROGRESS
        )
        schedule.done_until = done_until

    def _report_missed(
        self, schedule: BackendSchedule, since: datetime, until: datetime, why: str
    ) -> None:
        """One line for each row that has missed a run for good. A later run may still stand for
        it."""
        for row in schedule.rows:
            missed = next(runs(row, since, self._settings.cron_timezone), None)
            if missed is not None and missed <= until:
                self._log.skipped(row, missed, why)

    def _read_progress(self, schedule: BackendSchedule, backend: BaseBackend) -> datetime | None:
        if not isinstance(backend, BackendWithRunners):
            return None
        text = backend.idempotency_key(schedule.progress_key)
        try:
            done_until = None if text is None else datetime.fromisoformat(text)
        except ValueError:
            return None
        return done_until if done_until is not None and done_until.tzinfo is not None else None


def _record_enqueued(backend: BaseBackend, run: Pending, now: datetime) -> None:
    """Store that a row was enqueued, for status. It is no part of enqueueing: what fails here is
    stored with the next run."""
    if isinstance(backend, BackendWithRunners):
        with suppress(BackendUnavailable):
            field = f"{record_id_of(run.row)}:{ENQUEUED}"
            backend.record_cron(field, enqueued_part(run.at, now))


def job_of(row: CronRow) -> Job:
    """The stored form is that of 4.11."""
    return Job(
        PATH,
        [row.command, *row.command_args],
        dict(row.command_kwargs),
        row.timeout,
        row.sigkill_on_stop,
    )


def idempotency_key_of(row: CronRow, at: datetime) -> str:
    return f"cron:{row.identity}:{at:%Y%m%d%H%M}"


def _by_backend(rows: Iterable[CronRow], settings: Settings) -> dict[str, tuple[CronRow, ...]]:
    """Return the rows of each backend by what the names of its keys end with: two backends on one
    server must not answer for each other. Rows that are there twice are one row."""
    schedules: dict[str, dict[str, CronRow]] = {}
    for row in rows:
        path = settings.backend_overrides.get(row.queue, settings.backend)
        name = "" if path == settings.backend else f":{path}"
        schedules.setdefault(name, {}).setdefault(row.identity, row)
    return {name: tuple(schedule.values()) for name, schedule in schedules.items()}


def _minute(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(second=0, microsecond=0)


def _until_next_look(now: datetime) -> float:
    """Seconds to the next minute, or to the next round where that is sooner."""
    left = 60 - now.second - now.microsecond / 1_000_000
    return min(ROUND, max(left, 0.01))


def _utc_now() -> datetime:
    return datetime.now(UTC)
