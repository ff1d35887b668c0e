"""The worker's side of the at-most-once backend: for the server a job ends when it is popped.

One job per round trip, and none prefetched: what a process has taken is gone with it.
"""

from __future__ import annotations

import time
from secrets import token_hex
from typing import Any

from redis.exceptions import ResponseError

from dlq.backends.consumer import Consumer, Delivery
from dlq.backends.redis_storage.consumers.pauses import (
    FULL_CHECK,
    MOST_CHECKS,
    VALID_FOR,
    until_next_check,
)
from dlq.backends.redis_storage.failed_jobs import fields_of
from dlq.backends.redis_storage.keys import Keys
from dlq.backends.redis_storage.lua.scripts import (
    ARRIVED_ONCE,
    FAIL_ONCE,
    GIVE_BACK_ONCE,
    TAKE_ONCE,
)
from dlq.backends.redis_storage.transport.address import Address
from dlq.backends.redis_storage.transport.channel import (
    PackedScript,
    channel_of_worker,
    pack_script,
)
from dlq.backends.redis_storage.transport.errors import is_full, translated_errors
from dlq.config.settings import Settings
from dlq.jobs.failure import Failure
from dlq.types import QueueName

PUT_BACK_FOR = 600_000
"""Milliseconds for which the server remembers that a job was put back: longer than a worker tries
to reach it without an answer."""


class RedisConsumer(Consumer):
    """Asks for a job, or waits for one and then asks whether it may be run now."""

    redelivers = False

    def __init__(self, address: Address, keys: Keys, settings: Settings, queue: QueueName) -> None:
        self._address = address
        self._settings = settings
        self._channel = channel_of_worker(address, settings)
        self._queue_key = keys.queue(queue)
        self._failed_key = keys.failed(queue)
        self._requeued_key = keys.requeued
        self._pause_key = keys.pause(queue)
        self._asked = 0.0
        self._arriving: tuple[bytes, PackedScript] | None = None
        self._returning: tuple[bytes, PackedScript] | None = None
        self._take_script = pack_script(
            TAKE_ONCE, (self._queue_key, self._pause_key, keys.delayed(queue))
        )

    # The interface

    def take(self, timeout: float) -> Delivery | None:
        end = time.monotonic() + timeout
        with translated_errors(self._address):
            answer = self._ask()
            left = end - time.monotonic()
            if answer[0] == b"empty" and left > 0:
                answer = self._wait_for_arrival(left)
            return self._delivery(answer, left)

    def acknowledge(self, delivery: Delivery) -> None:
        """Do nothing: the job left the server when it was taken."""

    def fail(self, delivery: Delivery, failure: Failure) -> None:
        script = pack_script(FAIL_ONCE, (self._failed_key,), self._settings.failed_keep)
        with translated_errors(self._address):
            self._channel.run(script, *fields_of(delivery.raw, failure))

    def retry(self, delivery: Delivery, delay: float, failure: Failure) -> bool:
        return False

    def give_back(self, delivery: Delivery) -> None:
        if self._returning is None or self._returning[0] is not delivery.raw:
            # A name of its own: sent again after a lost answer, it must not be put back twice.
            keys = (self._queue_key, self._requeued_key(token_hex(8)))
            self._returning = delivery.raw, pack_script(GIVE_BACK_ONCE, keys)
        with translated_errors(self._address):
            self._channel.run(self._returning[1], delivery.raw, PUT_BACK_FOR)

    def wake(self) -> None:
        self._channel.wake()

    def close(self) -> None:
        self._channel.close()

    # How a job is taken

    def _ask(self) -> Any:
        if self._arriving is not None:
            # The connection broke when we asked about it. What was popped must not be forgotten.
            return self._ask_about(*self._arriving)
        self._asked = time.monotonic()
        return self._channel.run(self._take_script)

    def _arrived(self, raw: bytes) -> Any:
        """Ask whether a job that was popped may be run now."""
        keys = (self._queue_key, self._pause_key, self._requeued_key(token_hex(8)))
        return self._ask_about(raw, pack_script(ARRIVED_ONCE, keys))

    def _ask_about(self, raw: bytes, script: PackedScript) -> Any:
        self._arriving = raw, script
        self._asked = time.monotonic()
        answer = self._channel.run(script, raw, PUT_BACK_FOR)
        self._arriving = None
        return answer

    def _wait_for_arrival(self, left: float) -> Any:
        try:
            popped = self._channel.block(max(left, 0.001), "BRPOP", self._queue_key)
        except ResponseError as error:
            if not is_full(error):
                raise
            self._channel.sleep(min(left, FULL_CHECK))
            return (b"nothing",)
        return (b"nothing",) if popped is None else self._arrived(popped[1])

    def _delivery(self, answer: Any, left: float) -> Delivery | None:
        for _ in range(MOST_CHECKS):
            if answer[0] != b"job" or time.monotonic() - self._asked <= VALID_FOR:
                break
            answer = self._arrived(answer[1])
        if answer[0] == b"job":
            return Delivery.read(answer[1])
        if answer[0] == b"paused":
            self._channel.sleep(until_next_check(answer[1], left))
        return None
