"""The worker's side for a project's own subclass of a Redis backend that overrides how jobs are
taken, as code written for django-lightweight-queue 4.11 does.

A worker calls its `dequeue` and `processed_job`, and goes through its `client`. What those do not
know of is not there: ownership of numbers, prefetching, retries. Failed jobs are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlq.backends.consumer import Delivery, DequeueConsumer, PreviousProcess
from dlq.backends.redis_storage.failed_jobs import fields_of
from dlq.backends.redis_storage.lua.scripts import FAIL_ONCE
from dlq.backends.redis_storage.transport.connect import run_script
from dlq.backends.redis_storage.transport.errors import translated_errors
from dlq.jobs.failure import Failure
from dlq.types import Logger, QueueName, WorkerNumber

if TYPE_CHECKING:
    from dlq.backends.redis_storage.storage import RedisStorage

HOOKS = ("dequeue", "processed_job")


def is_overridden(backend: RedisStorage, base: type[RedisStorage]) -> bool:
    """Whether a subclass of `base` takes jobs in a way of its own, or from a server of its own."""
    if backend.has_own_client:
        return True
    return any(getattr(type(backend), name) is not getattr(base, name) for name in HOOKS)


class OverriddenConsumer(DequeueConsumer):
    """`redelivers`: whether what the backend's `dequeue` gave is there again after a crash."""

    def __init__(
        self,
        backend: RedisStorage,
        queue: QueueName,
        number: WorkerNumber,
        logger: Logger,
        previous: PreviousProcess,
        *,
        redelivers: bool,
    ) -> None:
        super().__init__(backend, queue, number, logger, previous)
        self.redelivers = redelivers
        self._storage = backend

    def fail(self, delivery: Delivery, failure: Failure) -> None:
        storage = self._storage
        with translated_errors(storage.address):
            run_script(
                storage.client,
                FAIL_ONCE,
                (storage.keys.failed(self._queue),),
                *(storage.settings.failed_keep, *fields_of(delivery.raw, failure)),
            )
        self.acknowledge(delivery)
