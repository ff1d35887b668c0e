"""The worker's side of the at-most-once backend: the pop is the end of a job, as the server knows.

One job per round trip, and none ahead: what a process has taken is gone with it.
"""

from __future__ import annotations

import time
from typing import Any

from redis.exceptions import ResponseError

from dlq.backends.base import Consumer, Delivery
from dlq.backends.redis_storage.failed_jobs import fields_of
from dlq.backends.redis_storage.keys import Keys
from dlq.backends.redis_storage.lua.worker_scripts import ARRIVED_ONCE, FAIL_ONCE, TAKE_ONCE
from dlq.backends.redis_storage.transport.address import (
    SERVER_TROUBLE,
    Address,
    is_full,
    unavailable,
)
from dlq.backends.redis_storage.transport.channel import call_of, channel_of_worker
from dlq.config.settings import Settings
from dlq.jobs.failure import Failure
from dlq.types import QueueName

PAUSE_LOOK = 5.0
"""Seconds after which a worker of a paused queue looks again, since resume may end the pause."""

FULL_LOOK = 1.0
"""Seconds between two looks where a full server refuses the blocking command."""

FRESH = 0.2
"""Seconds. A job that was handed out longer ago than that, while its worker tidied up or was not
given the processor, is asked about once more: there may be a pause by now, whose caller waits
IN_FLIGHT (more than this) and then takes it that no job starts any more."""

LOOKS = 3
"""How often it is asked again. A server that needs FRESH for each answer must not keep a job from
being run."""


def until_next_look(pause: int, left: float) -> float:
    """Seconds. `pause`: ms until it ends by itself, negative where it doesn't."""
    rest = PAUSE_LOOK if pause < 0 else pause / 1000
    return min(left, rest, PAUSE_LOOK)


class RedisConsumer(Consumer):
    """Is there a job? Else wait for one, and make sure that it may be had."""

    redelivers = False

    def __init__(self, address: Address, keys: Keys, settings: Settings, queue: QueueName) -> None:
        self._address = address
        self._keys = keys
        self._settings = settings
        self._queue = queue
        self._channel = channel_of_worker(address, settings)
        self._at = keys.queue(queue)
        self._asked = 0.0
        self._arriving: bytes | None = None
        at_and_pause = (self._at, keys.pause(queue))
        self._take_call = call_of(TAKE_ONCE, at_and_pause)
        self._arrived_call = call_of(ARRIVED_ONCE, at_and_pause)

    # For workers

    def take(self, timeout: float) -> Delivery | None:
        end = time.monotonic() + timeout
        try:
            answer = self._ask()
            left = end - time.monotonic()
            if answer[0] == b"empty" and left > 0:
                answer = self._wait_for_arrival(left)
            return self._heed(answer, left)
        except SERVER_TROUBLE as error:
            raise unavailable(self._address, error) from error

    def acknowledge(self, taken: Delivery) -> None:
        """It was let go of when it was taken."""

    def fail(self, taken: Delivery, failure: Failure) -> None:
        keep = self._settings.failed_keep
        call = call_of(FAIL_ONCE, (self._keys.failed(self._queue),), keep)
        try:
            self._channel.run(call, *fields_of(taken.raw, failure))
        except SERVER_TROUBLE as error:
            raise unavailable(self._address, error) from error

    def retry(self, taken: Delivery, delay: float, failure: Failure) -> bool:
        return False

    def give_back(self, taken: Delivery) -> None:
        try:
            self._channel.call("RPUSH", self._at, taken.raw)
        except SERVER_TROUBLE as error:
            raise unavailable(self._address, error) from error

    def wake(self) -> None:
        self._channel.wake()

    def close(self) -> None:
        self._channel.close()

    # How a job is taken

    def _ask(self) -> Any:
        if self._arriving is not None:
            # The connection broke when we asked about it. What was popped must not be forgotten.
            return self._arrived(self._arriving, "again")
        self._asked = time.monotonic()
        return self._channel.run(self._take_call)

    def _block(self, seconds: float) -> bytes | None:
        answer = self._channel.block(seconds, "BRPOP", self._at, seconds)
        return None if answer is None else answer[1]

    def _arrived(self, raw: bytes, *again: str) -> Any:
        """A job is in our hand: may we have it?"""
        self._arriving = raw
        self._asked = time.monotonic()
        answer = self._channel.run(self._arrived_call, raw, *again)
        self._arriving = None
        return answer

    # Waiting

    def _wait_for_arrival(self, left: float) -> Any:
        try:
            raw = self._block(max(left, 0.001))
        except ResponseError as error:
            if not is_full(error):
                raise
            self._channel.sleep(min(left, FULL_LOOK))
            return (b"nothing",)
        return (b"nothing",) if raw is None else self._arrived(raw)

    def _heed(self, answer: Any, left: float) -> Delivery | None:
        for _ in range(LOOKS):
            if answer[0] != b"job" or time.monotonic() - self._asked <= FRESH:
                break
            answer = self._arrived(answer[1])
        if answer[0] == b"job":
            return Delivery.read(answer[1])
        if answer[0] == b"paused":
            self._channel.sleep(until_next_look(answer[1], left))
        return None
