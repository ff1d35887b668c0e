"""What Django's system checks say about TASKS: mistakes that would show only when a task runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.apps import apps
from django.core.checks import CheckMessage, Error, Warning
from django.db import connections

from dlq.diagnostics.rules import backends
from dlq.errors import DlqError
from dlq.jobs.declarations import declarations

if TYPE_CHECKING:
    from dlq.config.settings import Settings
    from dlq.django_tasks.backend import DlqBackend


def backend_messages(backend: DlqBackend) -> list[CheckMessage]:
    """Contacts no server. A configuration that is wrong has findings of its own."""
    place = f"TASKS[{backend.alias!r}]"
    if "dlq" not in apps.app_configs:
        message = f"{place} names dlq, which is not installed: no worker will run its tasks"
        return [Error(message, hint="add 'dlq' to INSTALLED_APPS", id=backends.E506.id)]
    from dlq.config import active

    try:
        found = active.settings()
    except DlqError:
        return []
    return list(_messages(backend, place, found))


def _messages(backend: DlqBackend, place: str, found: Settings) -> Iterator[CheckMessage]:
    from dlq.backends.results import BackendWithResults
    from dlq.backends.synchronous import SynchronousBackend
    from dlq.primitives.import_path import import_path

    queues = sorted({each.queue for each in declarations() if each.task} | set(backend.queues))
    paths = {found.backend_overrides.get(queue, found.backend) for queue in queues or [""]}
    for path in sorted(paths):
        try:
            kind = import_path(path)
        except (ImportError, AttributeError):
            continue
        if issubclass(kind, SynchronousBackend):
            yield Warning(
                f"{place}: {path} runs a task at once, in the process that enqueues it",
                hint="set LIGHTWEIGHT_QUEUE_BACKEND to dlq.backends.reliable_redis."
                "ReliableRedisBackend in production",
                id=backends.W508.id,
            )
        elif backend.keep and not issubclass(kind, BackendWithResults):
            yield Error(
                f"{place}['OPTIONS']['results'] is {backend.keep:g}, and {path} keeps no results",
                hint="use dlq.backends.reliable_redis.ReliableRedisBackend, or remove the option",
                id=backends.E507.id,
            )
    for queue in sorted(backend.queues):
        if found.workers.get(queue) == 0:
            yield Warning(
                f"{place}['QUEUES'] names the queue {queue!r}, which has 0 workers",
                hint=f"set LIGHTWEIGHT_QUEUE_WORKERS[{queue!r}] to 1 or more",
                id=backends.W509.id,
            )
    defaults = backend.options.get("defaults") or {}
    timeout = defaults.get("timeout")
    if backend.keep and timeout and backend.keep < timeout:
        yield Warning(
            f"{place}['OPTIONS']: results are kept for {backend.keep:g} s, and a task may run for"
            f" {timeout:g} s: its record may be gone before its end",
            hint="keep results for longer than the longest timeout",
            id=backends.W510.id,
        )
    atomic = any(connections[alias].settings_dict.get("ATOMIC_REQUESTS") for alias in connections)
    if atomic and not backend.options.get("on_commit"):
        yield Warning(
            f"{place}: ATOMIC_REQUESTS is on and a task is enqueued at once: a worker may run it"
            " before the request's transaction is committed, or although it is rolled back",
            hint="set OPTIONS['on_commit'] to True",
            id=backends.W511.id,
        )
