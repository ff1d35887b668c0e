"""The worker's side of the reliable Redis backend: what is taken lies in the worker's own list
until it is let go of, and every step on that list proves that the number is ours.
"""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from secrets import token_hex
from typing import Any

import redis

from dlq.backends.base import Predecessor, Taken
from dlq.backends.channel import call_of
from dlq.backends.claiming import Claimant
from dlq.backends.connection import SERVER_TROUBLE, Address, unavailable
from dlq.backends.consumers import JOBS, RedisConsumer
from dlq.backends.failed import KEEP_COUNTS, fields_of
from dlq.backends.keys import Keys
from dlq.backends.scripts import ARRIVED, FAIL, GIVE_BACK, RELEASE, RETRY_LATER, TAKE, Script
from dlq.config.model import Settings
from dlq.errors import NotOwner
from dlq.failure import Failure
from dlq.types import Logger, QueueName, Runner, WorkerNumber

CLOSE_LIMIT = 3.0
"""Seconds for each answer that a worker waits for when it leaves."""


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
        job isn't in the list any more, and nothing happens. (Unless the next job there has the very
        same bytes, time included; to tell those apart would cost each job a write.)"""
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
