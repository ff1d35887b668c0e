"""Private parts of other packages are used in one module each; public dotted paths stay."""

from __future__ import annotations

import re
from importlib import import_module

import pytest

from tests.architecture.imports import source_files

SEAMS = {
    r"\b_signal\b(?!s)": "dlq.process.posix.signals",
    r"\batexit\._": "dlq.process.posix.fork",
    r"\bthreading\._": "dlq.process.posix.fork",
    r"\bREGISTRY\._": "dlq.process.metrics",
    r"\._sock\b": "dlq.backends.redis_storage.transport.connect",
    r"\bvalkeylite\._": "dlq.operations.development.embedded_server",
}
"""A private part of another package, and the one module that may know it. When the package changes,
that module is where to look."""

CODE = {
    name: "\n".join(
        line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")
    )
    for name, path in source_files().items()
}

PUBLIC = (
    "dlq:task dlq:TaskWrapper dlq:contribute_implied_queue_name",
    "dlq.task dlq.decorator:task dlq.decorator:TaskWrapper",
    "dlq.job:Job dlq.types:QueueName dlq.types:WorkerNumber dlq.types:Logger",
    "dlq.errors:DlqError dlq.app_settings:app_settings dlq.apps dlq.urls dlq.views",
    "dlq.backends.base:BaseBackend dlq.backends.base:BackendWithPauseResume",
    "dlq.backends.base:BackendWithDeduplicate dlq.backends.base:BackendWithClear",
    "dlq.backends.redis:RedisBackend dlq.backends.reliable_redis:ReliableRedisBackend",
    "dlq.backends.synchronous:SynchronousBackend dlq.backends.debug_web:DebugWebBackend",
    "dlq.middleware.logging:LoggingMiddleware dlq.middleware.transaction:TransactionMiddleware",
    "dlq.management.commands.queue_runner:Command dlq.management.commands.queue_worker:Command",
    "dlq.management.commands.queue_configuration:Command",
    "dlq.management.commands.queue_pause:Command dlq.management.commands.queue_resume:Command",
    "dlq.management.commands.queue_clear:Command",
    "dlq.management.commands.queue_deduplicate:Command",
    "django_lightweight_queue:task django_lightweight_queue:TaskWrapper",
    "django_lightweight_queue.job:Job django_lightweight_queue.types:QueueName",
    "django_lightweight_queue.utils:get_backend django_lightweight_queue.app_settings:app_settings",
    "django_lightweight_queue.backends.base:BaseBackend",
    "django_lightweight_queue.backends.synchronous:SynchronousBackend",
    "django_lightweight_queue.backends.redis:RedisBackend",
    "django_lightweight_queue.backends.reliable_redis:ReliableRedisBackend",
    "django_lightweight_queue.backends.debug_web:DebugWebBackend",
    "django_lightweight_queue.middleware.logging:LoggingMiddleware",
    "django_lightweight_queue.middleware.transaction:TransactionMiddleware",
    "django_lightweight_queue.cron_scheduler:execute django_lightweight_queue.task:task",
    "django_lightweight_queue.urls django_lightweight_queue.views",
)
"""`module:name`, or a module alone: what users import, by both names of the package."""


@pytest.mark.parametrize("pattern", SEAMS)
def test_a_private_part_is_known_to_one_module(pattern: str) -> None:
    users = {name for name, text in CODE.items() if re.search(pattern, text)}
    assert users == {SEAMS[pattern]}


@pytest.mark.parametrize("path", " ".join(PUBLIC).split())
def test_a_public_path_stays(path: str) -> None:
    module, _, name = path.partition(":")
    if module == "dlq.task":
        assert callable(import_module("dlq").task), "a name of the package, and no module"
        return
    found = import_module(module)
    assert not name or hasattr(found, name)
