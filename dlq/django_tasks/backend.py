"""The backend that TASKS names: calls become jobs of dlq's queues, the server keeps results."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from django.utils.crypto import get_random_string

from dlq.django_tasks.declared import EXTRAS, DlqTask, check_extras, option
from dlq.django_tasks.framework import (
    BaseTaskBackend,
    FrameworkTask,
    InvalidTask,
    TaskResult,
    TaskResultDoesNotExist,
    task_enqueued,
)
from dlq.django_tasks.records import change, first_record, ready_result, result_of
from dlq.errors import UnusableArgument
from dlq.job import Job, is_seconds, new_job
from dlq.jobs.placement import AT_ONCE, Placement, lock_name
from dlq.jobs.queue_names import check_queue_name
from dlq.jobs.task import MAX_DELAY, RESULT_KEYWORD
from dlq.primitives.text import short_repr
from dlq.types import QueueName

if TYPE_CHECKING:
    from dlq.backends.results import BackendWithResults

OPTIONS = {"results", "on_commit", "defaults"}


class DlqBackend(BaseTaskBackend):
    """`QUEUES`: the queues that tasks may name; missing or empty means any. `OPTIONS`: `results` is
    for how many seconds a result is kept (none without it); `on_commit` lets a call wait for the
    commit of the current transaction; `defaults` are options of `dlq.task` for all tasks."""

    task_class = DlqTask
    supports_defer = True
    supports_async_task = True
    supports_priority = True

    def __init__(self, alias: str, params: dict[str, Any]) -> None:
        super().__init__(alias, {**params, "QUEUES": params.get("QUEUES") or []})
        self.keep = _checked_options(alias, self.options)
        self.supports_get_result = self.keep > 0

    def validate_task(self, task: FrameworkTask[Any, Any]) -> None:
        super().validate_task(task)
        violation = check_queue_name(task.queue_name)
        if violation is not None:
            raise InvalidTask(f"queue_name is {task.queue_name!r}: {violation.message}")

    def enqueue(
        self, task: FrameworkTask[Any, Any], args: Any, kwargs: dict[str, Any]
    ) -> TaskResult[Any]:
        """Store a job now, or at the commit where OPTIONS["on_commit"] says so. Of a unique task,
        the result may be that of an equal job that waits."""
        self.validate_task(task)
        result = ready_result(task, get_random_string(32), args, kwargs)
        change(result, backend=self.alias)
        if self.options.get("on_commit"):
            from django.db import transaction

            transaction.on_commit(lambda: self._store(result))
        else:
            self._store(result)
        return result

    def get_result(self, result_id: str) -> TaskResult[Any]:
        if not self.supports_get_result:
            return super().get_result(result_id)
        for backend in self._backends_with_results():
            record = backend.read_result(result_id)
            if record is not None:
                return result_of(result_id, record)
        raise TaskResultDoesNotExist(result_id)

    def check(self, **kwargs: Any) -> Iterable[CheckMessage]:
        from dlq.django_tasks.checks import backend_messages

        return backend_messages(self)

    def _store(self, result: TaskResult[Any]) -> None:
        task, queue = result.task, QueueName(result.task.queue_name)
        from dlq import runtime
        from dlq.backends.results import BackendWithResults
        from dlq.backends.synchronous import SynchronousBackend

        backend = runtime.current().backend(queue)
        moment = time.time()
        job = self._job(result)
        change(result, enqueued_at=datetime.fromtimestamp(moment, UTC))
        if isinstance(backend, SynchronousBackend):
            from dlq.django_tasks.recorder import run_here

            task_enqueued.send(type(self), task_result=result)
            run_here(job, queue, result)
            return
        placement = _placement(task)
        lock = ""
        if placement.unique is not None:
            lock = lock_name(job.path, result.args, result.kwargs, None)
        if self.keep and isinstance(backend, BackendWithResults):
            record = first_record(result, moment)
            other = backend.store_with_result(
                job, queue, placement, lock, result.id, record, self.keep
            )
            if other is not None:
                change(result, id=other or result.id)
                return
        elif placement is AT_ONCE:
            backend.enqueue(job, queue)
        elif not backend.store([job], queue, placement, [lock]):
            return
        task_enqueued.send(type(self), task_result=result)

    def _job(self, result: TaskResult[Any]) -> Job:
        task = result.task
        kwargs = {**result.kwargs, RESULT_KEYWORD: result.id}
        timeout, sigkill_on_stop = (
            option(task, "timeout", self),
            bool(option(task, "sigkill_on_stop", self)),
        )
        return new_job(task.module_path, result.args, kwargs, timeout, sigkill_on_stop)

    def _backends_with_results(self) -> Iterable[BackendWithResults]:
        """One of each class: results lie on the server, whatever the queue."""
        from dlq import runtime
        from dlq.backends.results import BackendWithResults

        current = runtime.current()
        settings = current.settings
        paths = dict.fromkeys((settings.backend, *settings.backend_overrides.values()))
        for path in paths:
            backend = current.backend_at(path)
            if isinstance(backend, BackendWithResults):
                yield backend


def _placement(task: FrameworkTask[Any, Any]) -> Placement:
    at = None
    if task.run_after is not None:
        # Without USE_TZ the framework accepts naive times, which are local ones.
        run_after = task.run_after
        if timezone.is_naive(run_after):
            run_after = timezone.make_aware(run_after)
        at = run_after.timestamp()
        if at - time.time() > MAX_DELAY:
            raise InvalidTask(f"run_after is {run_after.isoformat()}, more than a year from now")
        if at <= time.time():
            at = None
    unique = option(task, "unique", task.get_backend())
    placement = Placement(at=at, unique=unique, front=task.priority > 0)
    return AT_ONCE if placement == AT_ONCE else placement


def _checked_options(alias: str, options: dict[str, Any]) -> float:
    """Return for how many seconds results are kept. Raises ImproperlyConfigured."""
    place = f"TASKS[{alias!r}]['OPTIONS']"
    unknown = sorted(options.keys() - OPTIONS)
    if unknown:
        known = ", ".join(sorted(OPTIONS))
        raise ImproperlyConfigured(f"{place} has the key {unknown[0]!r}: its keys are {known}")
    keep = options.get("results") or 0
    if not is_seconds(keep, MAX_DELAY):
        raise ImproperlyConfigured(
            f"{place}['results'] is {short_repr(keep)}: give a number of seconds up to {MAX_DELAY}"
            " for which results are kept, or leave it out for none"
        )
    defaults = options.get("defaults") or {}
    if not isinstance(defaults, dict) or defaults.keys() - set(EXTRAS):
        raise ImproperlyConfigured(
            f"{place}['defaults'] is {short_repr(defaults)}: give a dict with some of"
            f" {', '.join(EXTRAS)}"
        )
    try:
        check_extras(place, defaults)
    except UnusableArgument as error:
        raise ImproperlyConfigured(str(error)) from error
    return float(keep)
