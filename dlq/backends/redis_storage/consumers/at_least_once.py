"""The worker's side of the reliable Redis backend: what is taken lies in the worker's own list
until it is let go of, and every step on that list proves that the number is ours.

    take           the next of what was taken ahead; else one round trip, for as many as look short
    acknowledge    leaves at once, and with it the question for the next jobs where none is left
    the watch      gives back what was taken ahead, when the job in hand turns out to be long
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

from dlq.backends.base import Consumer, Delivery, PreviousProcess
from dlq.backends.redis_storage.consumers.at_most_once import (
    FRESH,
    FULL_LOOK,
    LOOKS,
    until_next_look,
)
from dlq.backends.redis_storage.consumers.lease import Lease
from dlq.backends.redis_storage.consumers.prefetch_size import TOO_OLD, PrefetchSize
from dlq.backends.redis_storage.consumers.prefetch_watchdog import PrefetchWatchdog
from dlq.backends.redis_storage.failed_jobs import KEEP_COUNTS, fields_of
from dlq.backends.redis_storage.fleet.claiming import Claimant
from dlq.backends.redis_storage.keys import Keys
from dlq.backends.redis_storage.lua.worker_scripts import FAIL, RETRY_LATER, Script
from dlq.backends.redis_storage.transport.address import (
    SERVER_TROUBLE,
    Address,
    is_full,
    unavailable,
)
from dlq.backends.redis_storage.transport.channel import channel_of_worker
from dlq.backends.redis_storage.transport.resp import ErrorReply, Word
from dlq.config.settings import Settings
from dlq.errors import BackendUnavailable, NotOwner
from dlq.jobs.failure import Failure
from dlq.types import Logger, QueueName, Runner, WorkerNumber

CLOSE_LIMIT = 3.0
"""Seconds for each answer that a worker waits for when it leaves."""

AWAY_LOOK = 1.0
"""Seconds between two tries to give jobs back to a server that is away."""

JOBS = (b"job", b"held")
"""Answers that carry some: just taken, or found in the worker's list."""

T = TypeVar("T")


class ReliableConsumer(Consumer):
    """At least once. The lock is for the watch, which speaks on the same connection while a job
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
        claimant = Claimant(self._channel, keys, queue, number, runner, logger)
        self._hold = Lease(self._channel, keys, queue, claimant)
        self._jobs = self._hold.jobs
        self._predecessor: PreviousProcess | None = previous
        self._lock = threading.Lock()
        self._watch = PrefetchWatchdog(self._give_back_if_slow)
        self._pace = PrefetchSize()
        self._asked = 0.0
        self._is_counted = False
        self._is_resumed = False
        self._crashes = 0
        self._decoded: deque[Delivery] = deque()

    # For workers

    def take(self, timeout: float) -> Delivery | None:
        with self._lock:
            if self._jobs.running is not None:
                # Nobody could be told how it ended.
                self._jobs.requeue()
            if self._jobs.ahead and not self._pace.is_over(time.monotonic()):
                return self._next_job()
            return self._step(lambda: self._take(timeout))

    def acknowledge(self, taken: Delivery) -> None:
        with self._lock:
            self._step(self._acknowledge)

    def fail(self, taken: Delivery, failure: Failure) -> None:
        keys = (self._keys.failed, self._keys.crashes, self._keys.attempts)
        keep = self._settings.failed_keep
        self._release(FAIL, keys, keep, *fields_of(taken.raw, failure))

    def retry(self, taken: Delivery, delay: float, failure: Failure) -> bool:
        keys = (self._keys.delayed, self._keys.attempts, self._keys.crashes)
        self._release(RETRY_LATER, keys, int(delay * 1000), f"{token_hex(8)}:", KEEP_COUNTS)
        return True

    def attempts(self, taken: Delivery) -> int:
        key, name = self._keys.attempts(self._queue), _name(taken.raw)
        with self._lock:
            return int(self._step(lambda: self._hold.call("HGET", key, name)) or 0)

    def give_back(self, taken: Delivery) -> None:
        """With everything that was taken after it, so that the order stays."""
        with self._lock:
            self._step(self._give_all_back)

    def wake(self) -> None:
        self._channel.wake()

    def close(self) -> None:
        """Without a word where the server is away: what was left in the list is found there by
        whoever has the number next."""
        self._watch.stop()
        with self._lock:
            self._channel.hurry(CLOSE_LIMIT)
            with suppress(Exception):
                if self._hold.has_number:
                    self._leave()
            self._channel.close()

    # Talking

    def _step(self, step: Callable[[], T]) -> T:
        """One step, on a list that is as we think it is. It is done again where the server has
        forgotten our scripts."""
        try:
            try:
                self._hold.prepare()
                return step()
            except ErrorReply as error:
                if not str(error).startswith("NOSCRIPT"):
                    raise
            self._hold.doubt()
            self._hold.prepare()
            return step()
        except SERVER_TROUBLE as error:
            self._hold.doubt()
            raise unavailable(self._address, error) from error

    # Taking

    def _take(self, timeout: float) -> Delivery | None:
        if self._jobs.ahead:
            # Taken too long ago: since then the queue may have been paused.
            self._pace.slow()
            self._hold.give_back()
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
                self._channel.sleep(until_next_look(rest[0], left))
            if kind != b"due" or left <= 0:
                return None

    def _ask(self) -> Any:
        """The next jobs; the answer may be under way since the last acknowledgement. One that is
        old by now is not relied on: see FRESH."""
        if not self._hold.is_asked:
            self._send_ask()
        answer = self._hold.answer()
        if answer[0] not in JOBS and time.monotonic() - self._asked > FRESH:
            self._send_ask()
            answer = self._hold.answer()
        return self._fresh(answer)

    def _send_ask(self) -> None:
        self._hold.ask(self._next_many())

    def _next_many(self) -> int:
        """How many to ask for, at this moment."""
        self._asked = time.monotonic()
        return self._pace.next(self._asked)

    def _fresh(self, answer: Any) -> Any:
        kind = answer[0]
        for _ in range(LOOKS):
            if answer[0] not in JOBS or time.monotonic() - self._asked <= FRESH:
                break
            answer = self._look()
        return [kind, *answer[1:]] if answer[0] in JOBS else answer

    def _look(self) -> Any:
        self._asked = time.monotonic()
        return self._hold.look()

    def _wait_for_arrival(self, left: float, due_in: int) -> Any:
        """`due_in`: ms until a delayed job is due, -1 where there is none."""
        seconds = max(0.001, left if due_in < 0 else min(left, due_in / 1000))
        try:
            if self._hold.block(seconds):
                return self._fresh(self._look())
        except redis.ResponseError as error:
            if not is_full(error):
                raise
            self._channel.sleep(min(left, FULL_LOOK))
            return (b"nothing",)
        return (b"due",) if seconds < left else (b"nothing",)

    def _took(self, kind: bytes, is_counted: int, jobs: list[bytes]) -> None:
        if kind == b"held" and self._predecessor is not None:
            self._crashes = self._count_crash(jobs[0], self._predecessor)
            self._is_resumed = True
            # The others are not to wait for one that takes its worker down again and again.
            self._hold.give_back(keep_next=True)
            jobs = jobs[:1]
        self._predecessor = None
        self._is_counted = is_counted > 0 or self._crashes > 0
        self._jobs.take(jobs)
        self._pace.took(len(jobs), time.monotonic())
        if len(jobs) > 1:
            self._watch.begin()
        # In one go: code that has just run is in the processor's cache, and takes half the time.
        self._decoded = deque(map(Delivery.read, jobs))

    def _count_crash(self, raw: bytes, previous: PreviousProcess) -> int:
        """How often this job took its worker down, this time included where that is what it did. It
        is the next of those that were left in our list; the ones behind it were not begun."""
        is_its = previous.raw is None or previous.raw == raw
        is_crash = previous.outcome == "unknown" or (previous.outcome == "started" and is_its)
        key, name = self._keys.crashes(self._queue), _name(raw)
        if not is_crash:
            return int(self._hold.call("HGET", key, name) or 0)
        count = int(self._hold.call("HINCRBY", key, name, 1))
        self._hold.call("EXPIRE", key, KEEP_COUNTS)
        return count

    def _next_job(self) -> Delivery:
        raw = self._jobs.next_job()
        taken = self._decoded.popleft() if self._decoded else Delivery.read(raw)
        if taken.raw is not raw:
            # What was put back, for one.
            self._decoded.clear()
            taken = Delivery.read(raw)
        if self._is_resumed:
            taken = taken._replace(redelivered=True, crashes=self._crashes)
            self._is_resumed, self._crashes = False, 0
        return taken

    # Letting go

    def _acknowledge(self) -> None:
        if self._jobs.running is None:
            # Done by a call that broke off later, or taken from us with the whole list.
            return
        many = 0 if self._jobs.ahead else self._next_many()
        self._hold.acknowledge(is_counted=self._is_counted, many=many)

    def _release(
        self, script: Script, keys: tuple[Callable[[QueueName], str], ...], *arguments: Word
    ) -> None:
        names = [key(self._queue) for key in keys]
        with self._lock:
            self._step(lambda: self._hold.release_job(script, names, *arguments))

    def _give_all_back(self) -> None:
        self._jobs.requeue()
        self._give_ahead_back()

    def _leave(self) -> None:
        """Confirm the last acknowledgements, give back what was taken ahead, and give the number
        up. Tried twice, since a connection may have broken with the answers on it."""
        for is_last in (False, True):
            try:
                self._hold.prepare()
                self._give_ahead_back()
                break
            except SERVER_TROUBLE as error:
                self._hold.doubt()
                if is_last or isinstance(error, redis.TimeoutError):
                    raise
        self._hold.release()

    def _give_ahead_back(self) -> None:
        if self._hold.is_asked:
            # What it brings lies in our list, behind nothing.
            self._hold.answer()
        self._hold.give_back()

    # The watch

    def _give_back_if_slow(self) -> float | None:
        """For the watch, whose thread calls this while the worker's runs a job or tidies up: in how
        many seconds to look again."""
        if not (self._jobs.ahead or self._hold.is_asked):
            return None
        with self._lock:
            now = time.monotonic()
            if self._hold.is_asked:
                is_over = now - self._asked > TOO_OLD
            elif self._jobs.ahead:
                is_over = self._pace.is_over(now)
            else:
                return None
            if not is_over:
                return 0.0
            self._pace.slow()
            try:
                self._step(self._give_ahead_back)
            except (BackendUnavailable, NotOwner):
                return AWAY_LOOK
            return None


def _name(raw: bytes) -> str:
    """As the scripts make it, with sha1hex: names the job in hashes of counts."""
    return hashlib.sha1(raw, usedforsecurity=False).hexdigest()
