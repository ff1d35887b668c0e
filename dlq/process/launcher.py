"""The way from a plan to a running supervisor: what its children are, and all that happens before
the first of them is forked."""

from __future__ import annotations

import gc
import os
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from dlq import runtime
from dlq.backends.base import BackendWithRunners, PreviousProcess
from dlq.config.resolution import Resolution
from dlq.config.settings import Settings
from dlq.diagnostics.rules import processes as rules
from dlq.planning.split import Split
from dlq.primitives.import_path import import_path
from dlq.primitives.text import counted, printable
from dlq.process import entrypoints
from dlq.process.entrypoints import SharedResources
from dlq.process.heartbeat import WITHDRAW
from dlq.process.posix.fork import STOP_SIGNAL, adopt_orphans, fork, other_threads
from dlq.process.posix.signals import SignalPipe
from dlq.process.posix.standard_streams import write_lines_at_once
from dlq.process.posix.startup import resume_collections
from dlq.process.posix.title import set_title
from dlq.process.scoreboard import Scoreboard
from dlq.process.server_wait import Interrupted, ServerWait
from dlq.process.supervisor.child import ChildSpec
from dlq.process.supervisor.code_watch import STOP_TIMEOUT as CODE_STOP_TIMEOUT
from dlq.process.supervisor.code_watch import CodeWatch
from dlq.process.supervisor.reload import Reload
from dlq.process.supervisor.supervisor import Ended, Supervisor
from dlq.process.supervisor.systemd import Notifier
from dlq.process.worker.database import DatabaseConnections
from dlq.process.worker.worker import WorkerSpec
from dlq.types import Logger, QueueName, Runner

if TYPE_CHECKING:
    from dlq.cron.rows.row import CronRow

CRON_HANG_LIMIT = 120.0
"""Seconds. Longer than any answer of a server is waited for (REDIS_SOCKET_TIMEOUT)."""
START_LIMIT = 30.0
"""Seconds for a forked worker until it is ready for a job. It has only its middleware to make."""
SPAWN_LIMIT = 300.0
"""The same for a worker in a new interpreter, which imports the whole project."""
HEARTBEAT_HANG_LIMIT = 7.0
"""Seconds without a sign of life after which the heartbeat process is replaced. It must be longer
than a turn with a server that is away (BEAT_EVERY, and ANSWER_LIMIT to connect), and a new process
must send its first heartbeat within the 10 s that the last one lasts."""
HEARTBEAT_PAUSE = 4.0
"""Seconds without a heartbeat process, at most. A heartbeat lasts for 10 s; after that, others
would take the worker numbers over while their jobs still run."""


@dataclass(slots=True, eq=False, repr=False)
class _HeartbeatPipe:
    """The pipe from the supervisor to its heartbeat process. Its end means that the supervisor is
    gone, so no other process may have the writing side. A new heartbeat process gets a new
    pipe."""

    writer: int = -1

    def renew(self) -> int:
        self.close()
        reader, self.writer = os.pipe()
        return reader

    def dismiss(self) -> None:
        if self.writer >= 0:
            try:
                os.write(self.writer, WITHDRAW)
            except OSError:
                return

    def close(self) -> None:
        if self.writer >= 0:
            os.close(self.writer)
            self.writer = -1


@dataclass(slots=True, eq=False, repr=False)
class Launch:
    """One run of one plan. `close_in_children`: descriptors that are the supervisor's alone."""

    split: Split
    rows: Sequence[CronRow]
    resolution: Resolution
    settings: Settings
    runner: Runner
    announce: Callable[[str], None]
    touch_file_of: Callable[[QueueName], str | None]
    health_file: str | None = None
    metrics_port: int | None = None
    """For a single worker: its own port, in place of the start port and its position."""
    serves_config: bool = True
    watches_code: bool = False
    close_in_children: tuple[int, ...] = ()
    _pipe: _HeartbeatPipe = field(default_factory=_HeartbeatPipe)

    def run(self, signals: SignalPipe) -> Ended:
        """Run until a stop; `signals` has been entered."""
        logger = runtime.current().logger("dlq.supervisor")
        set_title("dlq: supervisor")
        write_lines_at_once()
        adopt_orphans()
        reload = Reload()
        try:
            with ServerWait(signals, reload, logger) as servers:
                self._start_up(servers)
        except Interrupted as interrupted:
            return interrupted.ended
        specs, scoreboard = self._children(signals)
        self._prepare_to_fork(logger)
        supervisor = Supervisor(
            specs,
            scoreboard,
            signals,
            logger,
            stop_timeout=self._stop_timeout(),
            print_line=self._print_line,
            notifier=Notifier(os.environ, os.getpid()),
            reload=reload,
            dismiss_heartbeat=self._pipe.dismiss,
            health_file=self.health_file,
            code_watch=CodeWatch(self.resolution.override_files) if self.watches_code else None,
        )
        return supervisor.run()

    def _stop_timeout(self) -> float | None:
        """The setting's; shorter where each change of the code stops the workers."""
        limit = self.settings.stop_timeout
        if not self.watches_code:
            return limit
        return CODE_STOP_TIMEOUT if limit is None else min(limit, CODE_STOP_TIMEOUT)

    def _print_line(self, line: str) -> None:
        """The reader of our output may have gone (`dlq run | head`); the jobs go on."""
        with suppress(OSError, ValueError):
            self.announce(line)

    # Before the first fork

    def _start_up(self, servers: ServerWait) -> None:
        """Make the backends' own preparations, and send the first heartbeat of this runner, so that
        its workers find it alive. A server that is away is waited for."""
        current = runtime.current()
        queues = list(dict.fromkeys(worker.queue for worker in self.split.workers))
        names = [worker.name for worker in self.split.workers]
        for queue in queues:
            servers.until_available(
                partial(current.backend(queue).startup, queue), f"queue {queue}"
            )
        for backend in {current.backend(queue) for queue in queues}:
            if isinstance(backend, BackendWithRunners):
                beat = partial(backend.renew_heartbeat, self.runner, names, 0)
                servers.until_available(beat, "heartbeat")

    def _prepare_to_fork(self, logger: Logger) -> None:
        """Everything that children share is loaded now, every connection closed, and what has been
        allocated is left out of their garbage collections: they would copy its pages. Nor is it
        looked through before that: what garbage there is would leave holes in pages, which the
        children would fill, each in a copy of its own."""
        current = runtime.current()
        if self.settings.preload:
            for path in self.settings.middleware:
                # The classes only: an instance may open what a fork must not share.
                import_path(path)
            if self.settings.enable_prometheus:
                import prometheus_client  # noqa: F401 (loaded once, for all workers)
        current.reset_connections()
        _close_django_connections()
        if threads := other_threads():
            logger.warning(
                "warning[%s]: %s",
                rules.W406.id,
                f"{counted(len(threads), 'other thread')} {'runs' if len(threads) == 1 else 'run'}"
                " in the supervisor when it forks its workers, and not in them:"
                f" {', '.join(map(printable, threads))}",
                extra={"action": "threads_at_fork"},
            )
        gc.freeze()
        resume_collections()

    # The children

    def _children(self, signals: SignalPipe) -> tuple[list[ChildSpec], Scoreboard]:
        workers = self.worker_specs()
        first_free = len(workers)
        heartbeat_slot = first_free + 2
        scoreboard = Scoreboard(first_free + 3)
        shared = SharedResources(scoreboard, self.runner, DatabaseConnections())
        pid = os.getpid()

        def start_child(
            run: Callable[[], int], stop_signal: int | None, keeps_exit_handlers: bool = False
        ) -> int:
            close = [*signals.fds, *self.close_in_children]
            if self._pipe.writer >= 0:
                close.append(self._pipe.writer)
            return fork(
                run,
                stop_signal=stop_signal,
                close=close,
                keeps_exit_handlers=keeps_exit_handlers,
            )

        def start_worker(spec: WorkerSpec, previous: PreviousProcess) -> int:
            if not self.settings.preload:
                from dlq.process.spawn import spawn

                return spawn(spec, shared, previous, self.resolution)
            run = partial(entrypoints.run_worker, spec, shared, previous)
            return start_child(run, STOP_SIGNAL, keeps_exit_handlers=True)

        def report_unfinished(spec: WorkerSpec, previous: PreviousProcess) -> int:
            return start_child(
                partial(entrypoints.report_unfinished_job, spec, shared, previous), None
            )

        def start_cron(slot: int, previous: PreviousProcess) -> int:
            run = partial(entrypoints.run_cron, self.rows, slot, pid, shared)
            return start_child(run, STOP_SIGNAL)

        def start_heartbeat(previous: PreviousProcess) -> int:
            reader = self._pipe.renew()
            planned = {queue.name for queue in self.split.queues if queue.workers}
            try:
                run = partial(
                    entrypoints.run_heartbeat,
                    workers,
                    planned,
                    reader,
                    heartbeat_slot,
                    shared,
                    self._plan_document if self.serves_config else None,
                )
                return start_child(run, None)
            finally:
                os.close(reader)

        def start_metrics(previous: PreviousProcess) -> int:
            from dlq.process import metrics

            port = self.settings.prometheus_start_port
            config = metrics.worker_config(self.split.workers, socket.gethostname(), port)
            return start_child(partial(entrypoints.run_metrics, port, config), signal.SIGKILL)

        specs = [
            ChildSpec(
                w.name,
                "worker",
                w.slot,
                partial(start_worker, w),
                partial(report_unfinished, w),
                start_limit=START_LIMIT if self.settings.preload else SPAWN_LIMIT,
                # A port for metrics is free only when the process is gone.
                makes_room=w.metrics_port is None,
            )
            for w in workers
        ]
        if self.split.runs_cron:
            start = partial(start_cron, first_free)
            specs.append(
                ChildSpec("cron scheduler", "cron", first_free, start, hang_limit=CRON_HANG_LIMIT)
            )
        if self.settings.enable_prometheus and self.serves_config and workers:
            specs.append(ChildSpec("metrics", "metrics", first_free + 1, start_metrics))
        if self._has_runners():
            heartbeat = ChildSpec(
                "heartbeat",
                "heartbeat",
                heartbeat_slot,
                start_heartbeat,
                hang_limit=HEARTBEAT_HANG_LIMIT,
                longest_pause=HEARTBEAT_PAUSE,
            )
            specs.append(heartbeat)
        return specs, scoreboard

    def _plan_document(self) -> str:
        """Make the plan that the heartbeat process publishes, in that process."""
        from dlq.planning.document import published_document

        return published_document(self.split, self.rows, self.resolution)

    def worker_specs(self) -> list[WorkerSpec]:
        return [
            WorkerSpec(
                worker.queue,
                worker.number,
                slot,
                os.getpid(),
                self.touch_file_of(worker.queue),
                self._metrics_port(worker.position),
            )
            for slot, worker in enumerate(self.split.workers)
        ]

    def _metrics_port(self, position: int) -> int | None:
        if not self.settings.enable_prometheus:
            return None
        if self.metrics_port is not None:
            return self.metrics_port
        return self.settings.prometheus_start_port + position

    def _has_runners(self) -> bool:
        current = runtime.current()
        return any(
            isinstance(current.backend(worker.queue), BackendWithRunners)
            for worker in self.split.workers
        )


def _close_django_connections() -> None:
    from django.core.cache import caches
    from django.db import connections

    connections.close_all()
    for connection in connections.all():
        # A pool of connections (`OPTIONS = {"pool": True}`) lives on when they are closed, and two
        # workers would read each other's rows from its sockets.
        close_pool = getattr(connection, "close_pool", None)
        if close_pool is not None:
            close_pool()
    caches.close_all()
