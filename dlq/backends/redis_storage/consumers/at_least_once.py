"""The worker's side of the reliable Redis backend: what is taken lies in the worker's own list
until it is released, and every step on that list proves that the number is ours.

    take           the next of what was prefetched; else one round trip, for as many as look short
    acknowledge    is sent at once, and with it the request for the next jobs where none is left
    the watchdog   gives back what was prefetched, when the job in hand turns out to be long
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from secrets import token_hex
from typing import Any, TypeVar

import redis

from dlq.backends.consumer import Consumer, Delivery, PreviousProcess
from dlq.backends.redis_storage.consumers.lease import Lease
from dlq.backends.redis_storage.consumers.pauses import (
    FULL_CHECK,
    MOST_CHECKS,
    VALID_FOR,
    until_next_check,
)
from dlq.backends.redis_storage.consumers.prefetch_size import TOO_OLD, PrefetchSize
from dlq.backends.redis_storage.consumers.prefetch_watchdog import PrefetchWatchdog
from dlq.backends.redis_storage.failed_jobs import KEEP_COUNTS, fields_of
from dlq.backends.redis_storage.fleet.ownership import LeaseClaim
from dlq.backends.redis_storage.keys import Keys
from dlq.backends.redis_storage.lua.scripts import COUNT_CRASH, FAIL, RETRY_LATER, Script
from dlq.backends.redis_storage.stored_values import milliseconds, whole_number
from dlq.backends.redis_storage.transport.address import Address
from dlq.backends.redis_storage.transport.channel import channel_of_worker
from dlq.backends.redis_storage.transport.errors import SERVER_ERRORS, is_full, unavailable
from dlq.backends.redis_storage.transport.resp import ErrorReply, Word
from dlq.config.settings import Settings
from dlq.errors import BackendUnavailable, NotOwner
from dlq.jobs.failure import Failure
from dlq.types import Logger, QueueName, Runner, WorkerNumber

CLOSE_LIMIT = 3.0
"""Seconds for each answer that a worker waits for when it exits."""

AWAY_CHECK = 1.0
"""Seconds between two tries to give jobs back to a server that is away."""

JOBS = (b"job", b"in_hand")
"""Answers that carry jobs: just taken, or found in the worker's list."""

T = TypeVar("T")


class ReliableConsumer(Consumer):
    """At least once. The lock is for the watchdog, which uses the same connection while a job
    runs."""

    redelivers = True

    def __init__(
        self,
        address: Address,
        keys: Keys,
        settings: Settings,
        queue: QueueName,
        number: WorkerNumber,
        runner: Runner,
        previous: PreviousProcess,
        logger: Logger,
    ) -> None:
        self._address = address
        self._keys = keys
        self._settings = settings
        self._queue = queue
        self._channel = channel_of_worker(address, settings)
        claim = LeaseClaim(self._channel, keys, queue, number, runner, logger)
        self._lease = Lease(self._channel, keys, queue, claim)
        self._jobs = self._lease.jobs
        self._previous: PreviousProcess | None = previous
        self._lock = threading.Lock()
        self._watchdog = PrefetchWatchdog(self._give_back_if_slow)
        self._prefetch_size = PrefetchSize()
        self._asked = 0.0
        self._is_counted = False
        self._is_redelivered = False
        self._crashes = 0
        self._decoded: deque[Delivery] = deque()

    # The interface

    def take(self, timeout: float) -> Delivery | None:
        with self._lock:
            if self._jobs.running is not None:
                # The server could not be informed how it ended.
                self._jobs.requeue()
            if self._jobs.prefetched and not self._prefetch_size.is_over(time.monotonic()):
                return self._next_job()
            return self._step(lambda: self._take(timeout))

    def acknowledge(self, delivery: Delivery) -> None:
        with self._lock:
            self._step(self._acknowledge)

    def fail(self, delivery: Delivery, failure: Failure) -> None:
        keys = (self._keys.failed, self._keys.crashes, self._keys.attempts)
        keep = self._settings.failed_keep
        self._release(FAIL, keys, keep, *fields_of(delivery.raw, failure))

    def retry(self, delivery: Delivery, delay: float, failure: Failure) -> bool:
        keys = (self._keys.delayed, self._keys.attempts, self._keys.crashes)
        self._release(
            RETRY_LATER, keys, milliseconds(delay, least=0), f"{token_hex(8)}:", KEEP_COUNTS
        )
        return True

    def attempts(self, delivery: Delivery) -> int:
        key, name = self._keys.attempts(self._queue), _name(delivery.raw)
        with self._lock:
            return whole_number(self._step(lambda: self._lease.command("HGET", key, name)))

    def give_back(self, delivery: Delivery) -> None:
        """Put the job back with everything that was taken after it, so that the order stays."""
        with self._lock:
            self._step(self._give_all_back)

    def wake(self) -> None:
        self._channel.wake()

    def close(self) -> None:
        """Give up the number and close the connection. Where the server is away, what was left in
        the list is found there by the next owner of the number."""
        self._watchdog.stop()
        with self._lock:
            self._channel.shorten_limit(CLOSE_LIMIT)
            with suppress(Exception):
                if self._lease.has_number:
                    self._detach()
            self._channel.close()

    # Steps

    def _step(self, step: Callable[[], T]) -> T:
        """Do one step, on a list that is as we think it is. It is done again where the server has
        lost our scripts."""
        try:
            try:
                self._lease.prepare()
                return step()
            except ErrorReply as error:
                if not str(error).startswith("NOSCRIPT"):
                    raise
            self._lease.mark_uncertain()
            self._lease.prepare()
            return step()
        except SERVER_ERRORS as error:
            self._lease.mark_uncertain()
            raise unavailable(self._address, error) from error

    # Taking

    def _take(self, timeout: float) -> Delivery | None:
        if self._jobs.prefetched:
            # Taken too long ago: since then the queue may have been paused.
            self._prefetch_size.slow()
            self._lease.give_back()
        end = time.monotonic() + timeout
        while True:
            kind, *rest = self._ask()
            left = end - time.monotonic()
            if kind == b"empty" and left > 0:
                kind, *rest = self._wait_for_arrival(left, rest[0])
            if kind in JOBS:
                self._took(kind, *rest)
                return self._next_job()
            if kind == b"paused":
                self._channel.sleep(until_next_check(rest[0], left))
            if kind != b"due" or left <= 0:
                return None

    def _ask(self) -> Any:
        """Return the next jobs; the answer may be under way since the last acknowledgement. One
        that is old by now is not relied on: see VALID_FOR."""
        if not self._lease.is_asked:
            self._send_ask()
        answer = self._lease.answer()
        if answer[0] not in JOBS and time.monotonic() - self._asked > VALID_FOR:
            self._send_ask()
            answer = self._lease.answer()
        return self._recheck(answer)

    def _send_ask(self) -> None:
        self._lease.ask(self._next_many())

    def _next_many(self) -> int:
        """Return how many to ask for, at this moment."""
        self._asked = time.monotonic()
        return self._prefetch_size.next(self._asked)

    def _recheck(self, answer: Any) -> Any:
        kind = answer[0]
        for _ in range(MOST_CHECKS):
            if answer[0] not in JOBS or time.monotonic() - self._asked <= VALID_FOR:
                break
            answer = self._look()
        return [kind, *answer[1:]] if answer[0] in JOBS else answer

    def _look(self) -> Any:
        self._asked = time.monotonic()
        return self._lease.look()

    def _wait_for_arrival(self, left: float, due_in: int) -> Any:
        """`due_in`: ms until a delayed job is due, -1 where there is none."""
        seconds = max(0.001, left if due_in < 0 else min(left, due_in / 1000))
        try:
            if self._lease.block(seconds):
                return self._recheck(self._look())
        except redis.ResponseError as error:
            if not is_full(error):
                raise
            self._channel.sleep(min(left, FULL_CHECK))
            return (b"nothing",)
        return (b"due",) if seconds < left else (b"nothing",)

    def _took(self, kind: bytes, is_counted: int, jobs: list[bytes]) -> None:
        if kind == b"in_hand" and self._previous is not None:
            self._crashes = self._count_crash(jobs[0], self._previous)
            self._is_redelivered = True
            # The others must not wait for one that takes its worker down again and again.
            self._lease.give_back(keep_next=True)
            jobs = jobs[:1]
        self._previous = None
        self._is_counted = is_counted > 0 or self._crashes > 0
        self._jobs.take(jobs)
        self._prefetch_size.took(jobs, time.monotonic())
        if len(jobs) > 1:
            self._watchdog.begin()
        # In one go: code that has just run is in the processor's cache, and takes half the time.
        self._decoded = deque(map(Delivery.read, jobs))

    def _count_crash(self, raw: bytes, previous: PreviousProcess) -> int:
        """Return how often this job took its worker down, this time included where that is what it
        did. It is the next of those that were left in our list; the ones behind it were not
        begun."""
        is_its = previous.raw is None or previous.raw == raw
        is_crash = previous.outcome == "unknown" or (previous.outcome == "started" and is_its)
        key, name = self._keys.crashes(self._queue), _name(raw)
        if not is_crash:
            return whole_number(self._lease.command("HGET", key, name))
        return int(self._lease.run(COUNT_CRASH, (key,), name, KEEP_COUNTS))

    def _next_job(self) -> Delivery:
        raw = self._jobs.next_job()
        delivery = self._decoded.popleft() if self._decoded else Delivery.read(raw)
        if delivery.raw is not raw:
            # What was put back, for one.
            self._decoded.clear()
            delivery = Delivery.read(raw)
        if self._is_redelivered:
            delivery = delivery._replace(redelivered=True, crashes=self._crashes)
            self._is_redelivered, self._crashes = False, 0
        return delivery

    # Releasing

    def _acknowledge(self) -> None:
        if self._jobs.running is None:
            # Done by a call that broke off later, or taken from us with the whole list.
            return
        many = 0 if self._jobs.prefetched else self._next_many()
        self._lease.acknowledge(is_counted=self._is_counted, many=many)

    def _release(
        self, script: Script, keys: tuple[Callable[[QueueName], str], ...], *arguments: Word
    ) -> None:
        names = [key(self._queue) for key in keys]
        with self._lock:
            self._step(lambda: self._lease.release_job(script, names, *arguments))

    def _give_all_back(self) -> None:
        self._jobs.requeue()
        self._give_prefetched_back()

    def _detach(self) -> None:
        """Confirm the last acknowledgements, give back what was prefetched, and give the number up.
        Tried again, since a connection may have broken with the answers on it, and the server may
        have lost the scripts."""
        for is_last in (False, False, False, True):
            try:
                self._lease.prepare()
                self._give_prefetched_back()
                break
            except SERVER_ERRORS as error:
                self._lease.mark_uncertain()
                if is_last or isinstance(error, redis.TimeoutError):
                    raise
        self._lease.release()

    def _give_prefetched_back(self) -> None:
        if self._lease.is_asked:
            # What it brings lies in our list, behind nothing.
            self._lease.answer()
        self._lease.give_back()

    # The watchdog

    def _give_back_if_slow(self) -> float | None:
        """Give back what has been prefetched for too long; return in how many seconds to check
        again. The watchdog's thread calls this while the worker's runs a job or tidies up."""
        if not (self._jobs.prefetched or self._lease.is_asked):
            return None
        with self._lock:
            now = time.monotonic()
            if self._lease.is_asked:
                is_over = now - self._asked > TOO_OLD
            elif self._jobs.prefetched:
                is_over = self._prefetch_size.is_over(now)
            else:
                return None
            if not is_over:
                return 0.0
            self._prefetch_size.slow()
            try:
                self._step(self._give_prefetched_back)
            except (BackendUnavailable, NotOwner):
                return AWAY_CHECK
            return None


def _name(raw: bytes) -> str:
    """Return the job's name in hashes of counts, as the scripts make it with sha1hex."""
    return hashlib.sha1(raw, usedforsecurity=False).hexdigest()
