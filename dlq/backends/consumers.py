"""The worker's side of the Redis backends.

    take: is there a job? else wait for one, and make sure that it may be had
    acknowledge: let go of the last job and ask for the next, without waiting for the answer

On the busy path that is one round trip per job, most of which passes while the worker tidies up.
What is at most once and what is at least once differs in how a job is taken and let go of; the
waiting is the same.
"""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from secrets import token_hex
from typing import Any

import redis
from redis.exceptions import ResponseError

from dlq.backends.base import Consumer, Predecessor, Taken
from dlq.backends.channel import Channel, call_of
from dlq.backends.claiming import Claimant
from dlq.backends.connection import BLOCKING_GRACE, SERVER_TROUBLE, Address, unavailable
from dlq.backends.failed import KEEP_COUNTS, fields_of
from dlq.backends.keys import Keys
from dlq.backends.scripts import (
    ARRIVED,
    ARRIVED_ONCE,
    FAIL,
    FAIL_ONCE,
    GIVE_BACK,
    RELEASE,
    RETRY_LATER,
    TAKE,
    TAKE_ONCE,
    Script,
)
from dlq.config.model import Settings
from dlq.errors import NotOwner, UndecodableJob
from dlq.failure import Failure
from dlq.job import decode
from dlq.types import Logger, QueueName, Runner, WorkerNumber

PAUSE_LOOK = 5.0
"""Seconds after which a worker of a paused queue looks again, since resume may end the pause."""

FULL_LOOK = 1.0
"""Seconds between two looks where a full server refuses the blocking command."""

JOBS = (b"job", b"held")
"""Answers that carry one: just taken, or found in the worker's list."""

FRESH = 0.2
"""Seconds. A job that was handed out longer ago than that, while its worker tidied up or was not
given the processor, is asked about once more: there may be a pause by now, whose caller waits
IN_FLIGHT (more than this) and then takes it that no job starts any more."""

CLOSE_LIMIT = 3.0
"""Seconds for each answer that a worker waits for when it leaves."""

LOOKS = 3
"""How often it is asked again. A server that needs FRESH for each answer must not keep a job from
being run."""


class RedisConsumer(Consumer):
    """At most once: the pop is the end of it, as far as the server knows."""

    hands_out_again = False

    def __init__(self, address: Address, keys: Keys, settings: Settings, queue: QueueName) -> None:
        self._address = address
        self._keys = keys
        self._settings = settings
        self._queue = queue
        limit = settings.dequeue_timeout + BLOCKING_GRACE
        timeout = settings.redis_socket_timeout
        self._channel = Channel(address, limit if timeout is None else min(limit, timeout))
        self._at = keys.queue(queue)
        self._asked = 0.0
        self._arriving: bytes | None = None
        at_and_pause = (self._at, keys.pause(queue))
        self._take_call = call_of(TAKE_ONCE, at_and_pause)
        self._arrived_call = call_of(ARRIVED_ONCE, at_and_pause)

    # For workers

    def take(self, timeout: float) -> Taken | None:
        end = time.monotonic() + timeout
        try:
            self._prepare()
            while True:
                answer = self._ask()
                if answer[0] not in JOBS and time.monotonic() - self._asked > FRESH:
                    answer = self._ask()
                left = end - time.monotonic()
                if answer[0] == b"empty" and left > 0:
                    answer = self._wait_for_arrival(left, answer[1])
                taken = self._heed(answer, left)
                if taken is not None or left <= 0 or answer[0] != b"due":
                    return taken
        except SERVER_TROUBLE as error:
            raise unavailable(self._address, error) from error

    def acknowledge(self, taken: Taken) -> None:
        """It was let go of when it was taken."""

    def fail(self, taken: Taken, failure: Failure) -> None:
        keep = self._settings.failed_keep
        call = call_of(FAIL_ONCE, (self._keys.failed(self._queue),), keep)
        try:
            self._channel.run(call, *fields_of(taken.raw, failure))
        except SERVER_TROUBLE as error:
            raise unavailable(self._address, error) from error

    def retry(self, taken: Taken, delay: float, failure: Failure) -> bool:
        return False

    def give_back(self, taken: Taken) -> None:
        try:
            self._channel.call("RPUSH", self._at, taken.raw)
        except SERVER_TROUBLE as error:
            raise unavailable(self._address, error) from error

    def wake(self) -> None:
        self._channel.wake()

    def close(self) -> None:
        self._channel.close()

    # How a job is taken

    def _prepare(self) -> None:
        """Whatever must be true before the first job."""

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

    def _wait_for_arrival(self, left: float, due_in: int) -> Any:
        """`due_in`: ms until a delayed job is due, -1 where there is none."""
        seconds = left if due_in < 0 else min(left, due_in / 1000)
        try:
            raw = self._block(max(seconds, 0.001))
        except ResponseError as error:
            if not str(error).startswith("OOM"):
                raise
            self._channel.sleep(min(left, FULL_LOOK))
            return (b"nothing",)
        if raw is not None:
            return self._arrived(raw)
        return (b"due",) if seconds < left else (b"nothing",)

    def _heed(self, answer: Any, left: float) -> Taken | None:
        kind = answer[0]
        is_held = kind == b"held"
        for _ in range(LOOKS):
            if kind not in JOBS or time.monotonic() - self._asked <= FRESH:
                break
            answer = self._arrived(answer[1])
            kind = answer[0]
        if kind in JOBS:
            return self._taken(answer[1], int(answer[2]), is_held=is_held)
        if kind == b"paused":
            rest = PAUSE_LOOK if answer[1] < 0 else answer[1] / 1000
            self._channel.sleep(min(left, rest, PAUSE_LOOK))
        elif kind == b"owner":
            self._lost_number()
        return None

    def _taken(self, raw: bytes, attempts: int, *, is_held: bool) -> Taken:
        try:
            return Taken(raw, decode(raw))
        except UndecodableJob as problem:
            return Taken(raw, None, problem.reason)

    def _lost_number(self) -> None:
        raise AssertionError("a backend without owners")


class ReliableConsumer(RedisConsumer):
    """At least once: what is taken lies in the worker's own list until it is let go of."""

    hands_out_again = True

    def __init__(
        self,
        address: Address,
        keys: Keys,
        settings: Settings,
        queue: QueueName,
        number: WorkerNumber,
        runner: Runner,
        predecessor: Predecessor,
        logger: Logger,
    ) -> None:
        super().__init__(address, keys, settings, queue)
        self._claimant = Claimant(self._channel, keys, queue, number, runner, logger)
        self._predecessor = predecessor
        self._number: int = number
        self._record: str | None = None
        self._list = ""
        self._is_first = True
        self._unconfirmed: bytes | None = None
        self._attempts = 0

    # For workers

    def acknowledge(self, taken: Taken) -> None:
        self._unconfirmed = taken.raw
        try:
            self._prepare()
            if taken.crashes or self._attempts:
                self._forget_counts(taken)
            self._send_take()
        except SERVER_TROUBLE as error:
            raise unavailable(self._address, error) from error

    def fail(self, taken: Taken, failure: Failure) -> None:
        keys = (self._keys.failed, self._keys.crashes, self._keys.attempts)
        keep = self._settings.failed_keep
        self._let_go(FAIL, keys, taken.raw, keep, *fields_of(taken.raw, failure))

    def retry(self, taken: Taken, delay: float, failure: Failure) -> bool:
        keys = (self._keys.delayed, self._keys.attempts, self._keys.crashes)
        arguments = (int(delay * 1000), f"{token_hex(8)}:", KEEP_COUNTS)
        self._let_go(RETRY_LATER, keys, taken.raw, *arguments)
        return True

    def attempts(self, taken: Taken) -> int:
        return self._attempts

    def give_back(self, taken: Taken) -> None:
        self._let_go(GIVE_BACK, (self._keys.queue,), taken.raw)

    def close(self) -> None:
        """Without a word where the server is away: what was left in the list is found there by
        whoever has the number next."""
        self._channel.hurry(CLOSE_LIMIT)
        with suppress(Exception):
            if self._record is not None:
                self._settle()
                self._channel.run(
                    call_of(RELEASE, (self._keys.owners(self._queue),)),
                    self._number,
                    self._record,
                )
        super().close()

    # How a job is taken

    def _prepare(self) -> None:
        if self._record is None:
            self._number, self._record = self._claimant.claim()
            self._pack_calls()

    def _pack_calls(self) -> None:
        keys, queue = self._keys, self._queue
        self._list = keys.processing(queue, self._number)
        names = (
            self._at,
            keys.pause(queue),
            self._list,
            keys.owners(queue),
            keys.delayed(queue),
            keys.attempts(queue),
        )
        assert self._record is not None
        self._take_call = call_of(TAKE, names, self._number, self._record, 1)
        self._arrived_call = call_of(ARRIVED, names, self._number, self._record, 1)

    def _ask(self) -> Any:
        """The next job; the answer may be under way since the last acknowledgement."""
        if not self._channel.is_answer_due:
            self._send_take()
        answer = self._channel.answer()
        # What arrived is in our list, where this has found it.
        self._unconfirmed = self._arriving = None
        return answer

    def _send_take(self) -> None:
        """What is not confirmed is acknowledged once more with it: where that happened already, the
        job isn't in the list any more, and nothing happens."""
        self._asked = time.monotonic()
        if self._unconfirmed is None:
            self._channel.send(self._take_call)
        else:
            self._channel.send(self._take_call, self._unconfirmed)

    def _block(self, seconds: float) -> bytes | None:
        raw: bytes | None = self._channel.block(
            seconds, "BLMOVE", self._at, self._list, "RIGHT", "LEFT", seconds
        )
        return raw

    def _taken(self, raw: bytes, attempts: int, *, is_held: bool) -> Taken:
        taken = super()._taken(raw, attempts, is_held=is_held)
        self._attempts = attempts
        if not (is_held and self._is_first):
            self._is_first = False
            return taken
        crashes = self._count_crash(raw)
        self._is_first = False
        return Taken(raw, taken.job, taken.problem, resumed=True, crashes=crashes)

    def _count_crash(self, raw: bytes) -> int:
        """How often this job took its worker down, this time included where that is what it did."""
        predecessor = self._predecessor
        is_its = predecessor.raw is None or predecessor.raw == raw
        is_crash = predecessor.outcome == "unknown" or (predecessor.outcome == "started" and is_its)
        key, name = self._keys.crashes(self._queue), _name(raw)
        if not is_crash:
            return int(self._channel.call("HGET", key, name) or 0)
        count = int(self._channel.call("HINCRBY", key, name, 1))
        self._channel.call("EXPIRE", key, KEEP_COUNTS)
        return count

    # How it is let go of

    def _let_go(self, script: Script, keys: tuple[Any, ...], *arguments: Any) -> None:
        """Keys: our list, the owners, then what `keys` name for our queue."""
        try:
            self._prepare()
            names = (self._list, self._keys.owners(self._queue))
            more = (key(self._queue) for key in keys)
            call = call_of(script, (*names, *more), self._number, str(self._record))
            answer = self._channel.run(call, *arguments)
        except SERVER_TROUBLE as error:
            raise unavailable(self._address, error) from error
        if answer[0] == b"owner":
            self._lost_number()

    def _settle(self) -> None:
        """Before leaving: confirm the last acknowledgement, and give back what came with it. Tried
        twice, since a connection may have broken with the answer on it."""
        for is_last in (False, True):
            if self._unconfirmed is None and not self._channel.is_answer_due:
                return
            try:
                answer = self._ask()
                if answer[0] in JOBS:
                    self._give_back_raw(answer[1])
            except SERVER_TROUBLE as error:
                if is_last or isinstance(error, redis.TimeoutError):
                    raise

    def _give_back_raw(self, raw: bytes) -> None:
        names = (self._list, self._keys.owners(self._queue), self._at)
        call = call_of(GIVE_BACK, names, self._number, str(self._record))
        self._channel.run(call, raw)

    def _forget_counts(self, taken: Taken) -> None:
        name = _name(taken.raw)
        self._channel.call("HDEL", self._keys.crashes(self._queue), name)
        self._channel.call("HDEL", self._keys.attempts(self._queue), name)

    def _lost_number(self) -> None:
        """The record on the server is not ours any more: we were taken for dead, or an operator
        emptied the server. Claim it anew, next time."""
        self._record, self._unconfirmed = None, None
        raise NotOwner(
            f"{self._queue}/{self._number} was taken over while this process did not show life",
            owner="another process",
        )


def _name(raw: bytes) -> str:
    """As the scripts make it, with sha1hex: names the job in hashes of counts."""
    return hashlib.sha1(raw, usedforsecurity=False).hexdigest()
