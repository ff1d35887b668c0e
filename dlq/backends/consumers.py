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

from redis.exceptions import ResponseError

from dlq.backends.base import Consumer, Predecessor, Taken
from dlq.backends.channel import Channel
from dlq.backends.claims import Owner, is_same_kernel, own, parse, process_lives
from dlq.backends.connection import BLOCKING_GRACE, Address, told
from dlq.backends.failed import KEEP_COUNTS, fields_of
from dlq.backends.fleet import ALIVE_FOR, beat
from dlq.backends.keys import SPARE_NUMBERS, Keys
from dlq.backends.scripts import (
    ARRIVED,
    ARRIVED_ONCE,
    CLAIM,
    FAIL,
    FAIL_ONCE,
    GIVE_BACK,
    RELEASE,
    RETRY_LATER,
    TAKE,
    TAKE_ONCE,
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

    # For workers

    def take(self, timeout: float) -> Taken | None:
        end = time.monotonic() + timeout
        with told(self._address):
            self._prepare()
            while True:
                answer = self._ask()
                left = end - time.monotonic()
                if answer[0] == b"empty" and left > 0:
                    answer = self._wait_for_arrival(left, answer[1])
                taken = self._heed(answer, left)
                if taken is not None or left <= 0 or answer[0] != b"due":
                    return taken

    def acknowledge(self, taken: Taken) -> None:
        """It was let go of when it was taken."""

    def fail(self, taken: Taken, failure: Failure) -> None:
        keep = self._settings.failed_keep
        fields = fields_of(taken.raw, failure)
        with told(self._address):
            self._channel.run(FAIL_ONCE, (self._keys.failed(self._queue),), keep, *fields)

    def retry(self, taken: Taken, delay: float, failure: Failure) -> bool:
        return False

    def give_back(self, taken: Taken) -> None:
        with told(self._address):
            self._channel.call("RPUSH", self._at, taken.raw)

    def wake(self) -> None:
        self._channel.wake()

    def close(self) -> None:
        self._channel.close()

    # How a job is taken

    def _prepare(self) -> None:
        """Whatever must be true before the first job."""

    def _ask(self) -> Any:
        return self._channel.run(TAKE_ONCE, (self._at, self._keys.pause(self._queue)))

    def _block(self, seconds: float) -> bytes | None:
        answer = self._channel.block(seconds, "BRPOP", self._at, seconds)
        return None if answer is None else answer[1]

    def _arrived(self, raw: bytes) -> Any:
        return self._channel.run(ARRIVED_ONCE, (self._at, self._keys.pause(self._queue)), raw)

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
        if kind in (b"job", b"held"):
            return self._taken(answer[1], int(answer[2]), is_held=kind == b"held")
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
        self._number: int = number
        self._runner = runner
        self._predecessor = predecessor
        self._logger = logger
        self._record: str | None = None
        self._is_first = True
        self._unconfirmed: bytes | None = None
        self._attempts = 0
        self._list = ""
        self._take_keys: tuple[str, ...] = ()

    # For workers

    def acknowledge(self, taken: Taken) -> None:
        self._unconfirmed = taken.raw
        with told(self._address):
            if taken.crashes or self._attempts:
                self._forget_counts(taken)
            self._send_take()

    def fail(self, taken: Taken, failure: Failure) -> None:
        keep = self._settings.failed_keep
        self._let_go(
            FAIL,
            (
                self._list,
                self._keys.owners(self._queue),
                self._keys.failed(self._queue),
                self._keys.crashes(self._queue),
                self._keys.attempts(self._queue),
            ),
            *(taken.raw, keep, *fields_of(taken.raw, failure)),
        )

    def retry(self, taken: Taken, delay: float, failure: Failure) -> bool:
        self._let_go(
            RETRY_LATER,
            (
                self._list,
                self._keys.owners(self._queue),
                self._keys.delayed(self._queue),
                self._keys.attempts(self._queue),
                self._keys.crashes(self._queue),
            ),
            *(taken.raw, int(delay * 1000), f"{token_hex(8)}:", KEEP_COUNTS),
        )
        return True

    def attempts(self, taken: Taken) -> int:
        return self._attempts

    def give_back(self, taken: Taken) -> None:
        keys = (self._list, self._keys.owners(self._queue), self._at)
        self._let_go(GIVE_BACK, keys, taken.raw)

    def close(self) -> None:
        """Bounded by the channel's limit, and without a word where the server is away: what was
        left in the list is found there by whoever has the number next."""
        with suppress(Exception):
            if self._record is not None:
                self._settle()
                self._channel.run(
                    RELEASE, (self._keys.owners(self._queue),), self._number, self._record
                )
        super().close()

    # How a job is taken

    def _prepare(self) -> None:
        if self._record is None:
            self._claim()

    def _ask(self) -> Any:
        """The next job; the answer may be under way since the last acknowledgement."""
        if not self._channel.is_answer_due:
            self._send_take()
        answer = self._channel.answer()
        self._unconfirmed = None
        return answer

    def _send_take(self) -> None:
        acknowledged = () if self._unconfirmed is None else (self._unconfirmed,)
        self._channel.send(TAKE, self._take_keys, (self._number, self._record, 1, *acknowledged))

    def _block(self, seconds: float) -> bytes | None:
        raw: bytes | None = self._channel.block(
            seconds, "BLMOVE", self._at, self._list, "RIGHT", "LEFT", seconds
        )
        return raw

    def _arrived(self, raw: bytes) -> Any:
        return self._channel.run(ARRIVED, self._take_keys, self._number, self._record, 1, raw)

    def _taken(self, raw: bytes, attempts: int, *, is_held: bool) -> Taken:
        taken = super()._taken(raw, attempts, is_held=is_held)
        self._attempts = attempts
        is_first, self._is_first = self._is_first, False
        if not (is_held and is_first):
            return taken
        crashes = self._count_crash(raw)
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

    def _let_go(self, script: Any, keys: tuple[str, ...], *arguments: Any) -> None:
        with told(self._address):
            self._prepare()
            answer = self._channel.run(script, keys, self._number, self._record, *arguments)
        if answer[0] == b"owner":
            self._lost_number()

    def _settle(self) -> None:
        """Before leaving: confirm the last acknowledgement, and give back what came with it."""
        if self._unconfirmed is None and not self._channel.is_answer_due:
            return
        answer = self._ask()
        if answer[0] in (b"job", b"held"):
            keys = (self._list, self._keys.owners(self._queue), self._at)
            self._channel.run(GIVE_BACK, keys, self._number, self._record, answer[1])

    def _forget_counts(self, taken: Taken) -> None:
        name = _name(taken.raw)
        self._channel.call("HDEL", self._keys.crashes(self._queue), name)
        self._channel.call("HDEL", self._keys.attempts(self._queue), name)

    # Whose the number is

    def _claim(self) -> None:
        """Raises NotOwner where the number is another's. An exact machine beside a pool takes a
        spare number instead, and so does a pool's worker that finds an exact machine there: both
        add what they are there to add, and no two share a list."""
        mine = own(self._runner)
        wanted = self._number
        owner = self._try_claim(wanted, mine)
        if owner is not None:
            if wanted > SPARE_NUMBERS or not (self._runner.exact or owner.exact):
                raise NotOwner(
                    f"{self._queue}/{wanted} belongs to {owner}, which is alive",
                    owner=str(owner),
                )
            wanted = SPARE_NUMBERS
            while owner is not None:
                wanted += 1
                owner = self._try_claim(wanted, mine)
            self._logger.info(
                "%s/%d is taken by another runner; working beside it as number %d",
                self._queue,
                self._number,
                wanted,
                extra={"action": "spare_number", "queue": self._queue, "number": wanted},
            )
        self._number = wanted
        self._record = mine.record()
        keys, queue = self._keys, self._queue
        self._list = keys.processing(queue, wanted)
        self._take_keys = (
            self._at,
            keys.pause(queue),
            self._list,
            keys.owners(queue),
            keys.delayed(queue),
            keys.attempts(queue),
        )

    def _try_claim(self, number: int, mine: Owner) -> Owner | None:
        """None where the number is ours now, else whose it is."""
        owners, alive = self._keys.owners(self._queue), self._keys.alive(mine.nonce)
        old = self._channel.call("HGET", owners, number) or b""
        while True:
            owner = parse(old.decode("utf-8", "replace")) if old else None
            if owner is not None and owner != mine and self._lives(owner):
                return owner
            answer = self._channel.run(
                CLAIM,
                (owners, alive),
                *(number, mine.record(), old, beat(self._runner, (), 0), int(ALIVE_FOR * 1000)),
            )
            if answer[0] == b"done":
                return None
            old = answer[1]

    def _lives(self, owner: Owner) -> bool:
        if is_same_kernel(owner, self._runner):
            return process_lives(owner)
        return bool(self._channel.call("EXISTS", self._keys.alive(owner.nonce)))

    def _lost_number(self) -> None:
        """The record on the server is not ours any more: we were taken for dead, or an operator
        emptied the server. Claim it anew, next time."""
        self._record, self._unconfirmed = None, None
        number = self._number
        raise NotOwner(
            f"{self._queue}/{number} was taken over while this process did not show life",
            owner="another process",
        )


def _name(raw: bytes) -> str:
    """As the scripts make it, with sha1hex: names the job in hashes of counts."""
    return hashlib.sha1(raw, usedforsecurity=False).hexdigest()
