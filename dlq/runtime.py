"""The one owner of live objects: backends, middleware, loggers.

Built from the settings in force when first asked for, dropped when those change or the process
forks. Whoever needs a connection asks here and keeps no copy.
"""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import RLock
from typing import TYPE_CHECKING, Any, cast

from dlq.backends.base import BackendWithRunners, BaseBackend
from dlq.config import active
from dlq.primitives.import_path import import_path
from dlq.types import Logger, QueueName, WorkerNumber

if TYPE_CHECKING:
    from dlq.config.settings import Settings
    from dlq.cron.rows.row import CronRow
    from dlq.execution.run_job import Result
    from dlq.job import Job
    from dlq.jobs.task import Task


STORED_FOR = 60.0
"""Seconds for which the names of a server's queues are remembered."""


class Runtime:
    """Live objects for one resolution of the settings."""

    def __init__(self, settings: Settings, *, wait_at_most: float | None = None) -> None:
        self.settings = settings
        self._wait_at_most = wait_at_most
        self._probe: Runtime | None = None
        self._stored: dict[BackendWithRunners, tuple[float, list[QueueName]]] = {}
        self._lock = RLock()
        self._backends: dict[str, BaseBackend] = {}
        self._middleware: tuple[Any, ...] | None = None
        self._loggers: dict[str, Logger] = {}
        self._cron_rows: tuple[CronRow, ...] | None = None

    def backend_path(self, queue: QueueName) -> str:
        return self.settings.backend_overrides.get(queue, self.settings.backend)

    def backend(self, queue: QueueName) -> BaseBackend:
        """Return the backend of a queue. Queues with the same class share one instance, and so its
        connections."""
        return self.backend_at(self.backend_path(queue))

    def backend_at(self, path: str) -> BaseBackend:
        """Return the backend of a class; in a test that captures jobs, the one that captures."""
        if _capturing is not None:
            return _capturing
        backend = self._backends.get(path)
        if backend is None:
            with self._lock:
                backend = self._backends.get(path)
                if backend is None:
                    backend = self._backends[path] = self._build(path)
        return backend

    def backends(self) -> tuple[BaseBackend, ...]:
        """Return the backends that have been used so far."""
        return tuple(self._backends.values())

    def middleware(self) -> tuple[Any, ...]:
        """The instances in the order of the setting. A class that raises MiddlewareNotUsed is left
        out."""
        if self._middleware is None:
            from django.core.exceptions import MiddlewareNotUsed

            instances = []
            for path in self.settings.middleware:
                try:
                    instances.append(import_path(path)())
                except MiddlewareNotUsed:
                    continue
            self._middleware = tuple(instances)
        return self._middleware

    def logger(self, name: str) -> Logger:
        logger = self._loggers.get(name)
        if logger is None:
            factory = self.settings.logger_factory
            make = import_path(factory) if isinstance(factory, str) else factory
            logger = self._loggers[name] = cast("Logger", make(name))
        return logger

    def cron_rows(self) -> tuple[CronRow, ...]:
        """The valid rows of all cron.py files, read when first asked for."""
        if self._cron_rows is None:
            from dlq.cron.files.load import load_rows

            self._cron_rows = load_rows(commands=False).rows
        return self._cron_rows

    def run(
        self,
        job: Job,
        queue: QueueName,
        worker_num: WorkerNumber,
        before_call: Callable[[Task], None] | None = None,
    ) -> Result:
        """Run a job here and now, with the middleware."""
        from dlq.execution.run_job import Hooks, run_job

        hooks = Hooks(self.middleware(), self.logger("dlq.worker"))
        return run_job(job, queue, worker_num, hooks, before_call)

    def reset_connections(self) -> None:
        """Drop all connections, before and after a fork: no child may use its parent's sockets."""
        for backend in self.backends():
            backend.reset()
        if self._probe is not None:
            self._probe.reset_connections()

    def stored_queues(self, backend: BackendWithRunners) -> list[QueueName]:
        """Return the queues that a server has anything of. The answer reads through all keys of the
        server, so it is kept for STORED_FOR: a page that refreshes must not ask each time."""
        asked, names = self._stored.get(backend, (-math.inf, []))
        if time.monotonic() - asked > STORED_FOR:
            names = backend.stored_queues()
            self._stored[backend] = (time.monotonic(), names)
        return names

    def probe(self, seconds: float) -> Runtime:
        """Return the runtime for looks, made when first asked for."""
        with self._lock:
            if self._probe is None:
                self._probe = Runtime(self.settings, wait_at_most=seconds)
            return self._probe

    def _build(self, path: str) -> BaseBackend:
        backend_class = import_path(path)
        made: object
        takes_settings = "settings" in inspect.signature(backend_class).parameters
        made = backend_class(settings=self.settings) if takes_settings else backend_class()
        if not isinstance(made, BaseBackend):
            raise TypeError(f"{path} returned {type(made).__name__}, not a backend")
        if self._wait_at_most is not None and isinstance(made, BackendWithRunners):
            made.wait_at_most(self._wait_at_most)
        return made


_lock = RLock()
_current: Runtime | None = None
_capturing: BaseBackend | None = None
_probing: ContextVar[Runtime | None] = ContextVar("dlq_probing", default=None)


def current() -> Runtime:
    """The runtime of this process. Raises InvalidConfiguration."""
    global _current
    runtime = _probing.get() or _current
    if runtime is None:
        with _lock:
            if _current is None:
                _current = Runtime(active.settings())
            runtime = _current
    return runtime


@contextmanager
def probing(seconds: float) -> Iterator[None]:
    """Answer `current` with a runtime of its own while the block runs, for whoever only looks: its
    backends have connections of their own and wait `seconds` for an answer, so that a look never
    shortens the timeouts of a process that enqueues. Raises InvalidConfiguration."""
    probe = current().probe(seconds)
    token = _probing.set(probe)
    try:
        yield
    finally:
        _probing.reset(token)


@contextmanager
def captured_by(backend: BaseBackend) -> Iterator[None]:
    """Let one backend take the place of all in this process: for tests, also those of threads."""
    global _capturing
    before, _capturing = _capturing, backend
    try:
        yield
    finally:
        _capturing = before


def _forget() -> None:
    global _current
    with _lock:
        dropped, _current = _current, None
    if dropped is not None:
        dropped.reset_connections()


active.on_change(_forget)
