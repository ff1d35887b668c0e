"""At least once: what a worker takes stays on the server, in its own list, until the job has ended.

queue --take--> processing list of the worker --acknowledge--> gone
                    |        ^                 --fail--------> failed jobs
                    |        +-- found again by the next process of that number (a crash)
                    +-- given back to the queue: on a stop, or when its whole runner is gone
"""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from dlq.backends.consumer import Consumer, PreviousProcess
from dlq.backends.redis_storage.consumers.at_least_once import ReliableConsumer
from dlq.backends.redis_storage.consumers.lease import POSTED
from dlq.backends.redis_storage.consumers.overridden import OverriddenConsumer, is_overridden
from dlq.backends.redis_storage.fleet.reclaim import adopt_unknown
from dlq.backends.redis_storage.storage import RedisStorage, blocking_time
from dlq.backends.redis_storage.transport.errors import translated_errors
from dlq.config import active
from dlq.job import Job, decode, encode
from dlq.primitives.blocking import block_for_time
from dlq.types import Logger, QueueName, Runner, WorkerNumber


class ReliableRedisBackend(RedisStorage):
    """At least once. A job runs again where its worker died, up to MAX_CRASHES times."""

    keeps_retries = True

    def startup(self, queue: QueueName) -> None:
        """Make the workers' scripts known, and give back what lies in lists that no worker of this
        configuration reads, as 4.11 does. Where workers of 4.11 are connected that may still be
        theirs; then it waits for a later `reclaim`."""
        super().startup(queue)
        with translated_errors(self.address):
            for script in POSTED:
                self.client.script_load(script.text)
            # WORKERS may have changed since code of 4.11 made this backend.
            settings = active.settings() if self._follows_settings else self.settings
            for _ in adopt_unknown(self.client, self.keys, queue, settings):
                pass

    def consumer(
        self,
        queue: QueueName,
        number: WorkerNumber,
        runner: Runner,
        previous: PreviousProcess,
        logger: Logger,
    ) -> Consumer:
        if is_overridden(self, ReliableRedisBackend):
            return OverriddenConsumer(self, queue, number, logger, previous, redelivers=True)
        return ReliableConsumer(
            self.address, self.keys, self.settings, queue, number, runner, previous, logger
        )

    def dequeue(self, queue: QueueName, worker_number: WorkerNumber, timeout: int) -> Job | None:
        """Take a job as in 4.11, without the protection of an owner, for code that calls it;
        workers have their consumer. Raises UndecodableJob; the bytes then stay in the list."""
        limit, every = timedelta(seconds=timeout), timedelta(seconds=1)
        if block_for_time(lambda: self.is_paused(queue), limit, every):
            return None
        processing = self.keys.processing(queue, worker_number)
        with translated_errors(self.address):
            raw = cast("bytes | None", self.client.lindex(processing, -1))
            if raw is None:
                raw = cast(
                    "bytes | None",
                    self.client.blmove(
                        *(self.keys.queue(queue), processing, blocking_time(timeout)),
                        *("RIGHT", "LEFT"),
                    ),
                )
        return None if raw is None else decode(raw)

    def processed_job(self, queue: QueueName, worker_num: WorkerNumber, job: Job) -> None:
        with translated_errors(self.address):
            self.client.lrem(self.keys.processing(queue, worker_num), 1, encode(job).decode())
