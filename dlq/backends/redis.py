"""At most once: a job is gone from the server when a worker takes it."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from dlq.backends.consumer import Consumer, PreviousProcess
from dlq.backends.redis_storage.consumers.at_most_once import RedisConsumer
from dlq.backends.redis_storage.consumers.overridden import OverriddenConsumer, is_overridden
from dlq.backends.redis_storage.storage import RedisStorage, blocking_time
from dlq.backends.redis_storage.transport.errors import translated_errors
from dlq.job import Job, decode
from dlq.primitives.blocking import block_for_time
from dlq.types import Logger, QueueName, Runner, WorkerNumber


class RedisBackend(RedisStorage):
    """At most once. A worker that dies takes its job with it."""

    def consumer(
        self,
        queue: QueueName,
        number: WorkerNumber,
        runner: Runner,
        previous: PreviousProcess,
        logger: Logger,
    ) -> Consumer:
        if is_overridden(self, RedisBackend):
            return OverriddenConsumer(self, queue, number, logger, previous, redelivers=False)
        return RedisConsumer(self.address, self.keys, self.settings, queue)

    def dequeue(self, queue: QueueName, worker_num: WorkerNumber, timeout: int) -> Job | None:
        """Take a job as in 4.11, for code that calls it; workers have their consumer. Raises
        UndecodableJob for bytes that are not a job; they are gone from the queue then."""
        limit, every = timedelta(seconds=timeout), timedelta(seconds=1)
        if block_for_time(lambda: self.is_paused(queue), limit, every):
            return None
        with translated_errors(self.address):
            answer = cast(
                "tuple[bytes, bytes] | None",
                self.client.brpop([self.keys.queue(queue)], blocking_time(timeout)),
            )
        return None if answer is None else decode(answer[1])
