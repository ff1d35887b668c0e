"""Who owns a worker number, and how a worker process gets one.

Two processes that both think they are `emails/1` would read each other's list and run jobs twice. A
number's owner is a record in a hash on the server; a claim replaces it only if the old owner is
gone, and every script that takes or releases a job compares the record first.

An owner is gone whose process is known to be dead, on this kernel, or whose runner has no heartbeat
any more. All runners of a fleet lose their heartbeats when their server is away for long, and those
that live renew them within seconds of its return: so the heartbeat must have been missing for a
while. On this kernel a process that is known to live keeps its number even without a heartbeat.
"""

from __future__ import annotations

import json
import os
import time
from secrets import token_hex
from typing import NamedTuple

from dlq.backends.redis_storage.fleet.heartbeats import ALIVE_FOR, GONE_FOR, heartbeat
from dlq.backends.redis_storage.fleet.host_identity import process_started, state_of
from dlq.backends.redis_storage.keys import LAST_NUMBER, Keys
from dlq.backends.redis_storage.lua.scripts import CLAIM
from dlq.backends.redis_storage.stored_values import parse_json, read_record
from dlq.backends.redis_storage.transport.channel import Channel, pack_script
from dlq.backends.state import RunnerState
from dlq.errors import NotOwner
from dlq.primitives.text import printable
from dlq.types import Logger, QueueName, Runner


class Owner(NamedTuple):
    """One worker process. `started` is the start time of the process in clock ticks since the boot,
    0 where it is not known. `connection` is random for each of its connections: what an old one
    still has under way does nothing more when a new one has put its record in place."""

    nonce: str
    host: str
    boot: str
    pid: int
    started: int
    exact: bool
    connection: str = ""

    def record(self) -> str:
        return json.dumps(self._asdict(), sort_keys=True)

    def __str__(self) -> str:
        return f"process {self.pid} on {printable(self.host)}"

    def is_same_process(self, other: Owner) -> bool:
        return self._replace(connection=other.connection) == other


def this_process(runner: Runner) -> Owner:
    """Return this process, as a worker of `runner`, with a connection of its own."""
    pid = os.getpid()
    return Owner(
        *(runner.nonce, runner.host, runner.boot, pid, process_started(pid), runner.exact),
        connection=token_hex(4),
    )


def parse(record: str) -> Owner | None:
    """Return the owner of a record; None for text that is not a record."""
    return read_record(Owner, parse_json(record))


def lives_here(owner: Owner, host: str, boot: str) -> bool | None:
    """Return whether the owner's process lives, where that can be known at `host` and `boot`; None
    where only its runner's heartbeat can say."""
    if (owner.host, owner.boot) != (host, boot):
        return None
    state = state_of(owner.pid, owner.started)
    return None if state == "unknown" else state == "alive"


class LeaseClaim:
    """The claim of one worker of `runner` on a number, `queue`/`number` by its plan."""

    def __init__(
        self,
        channel: Channel,
        keys: Keys,
        queue: QueueName,
        number: int,
        runner: Runner,
        logger: Logger,
    ) -> None:
        self._channel = channel
        self._keys = keys
        self._queue = queue
        self.number = number
        """By the plan."""
        self._runner = runner
        self._logger = logger
        self._gone_since: dict[str, float] = {}

    def claim(self) -> tuple[int, str]:
        """Return the number that is ours now, and our record. Raises NotOwner where another process
        has it.

        An exact machine beside a pool takes an overflow number instead, and so does a pool's worker
        that finds an exact machine there: both add the capacity that they are there to add, and no
        two share a list."""
        ours = this_process(self._runner)
        owner = self._try(self.number, ours)
        if owner is None:
            return self.number, ours.record()
        if not (self._runner.exact or owner.exact):
            raise NotOwner(
                f"{self._queue}/{self.number} belongs to {owner}, which is alive",
                owner=str(owner),
            )
        overflow = LAST_NUMBER
        while owner is not None:
            overflow += 1
            owner = self._try(overflow, ours)
        self._logger.info(
            "%s/%d is taken by another runner; working beside it as number %d",
            self._queue,
            self.number,
            overflow,
            extra={"action": "spare_number", "queue": self._queue, "number": overflow},
        )
        return overflow, ours.record()

    def record_of_new_connection(self) -> str:
        return this_process(self._runner).record()

    def _try(self, number: int, ours: Owner) -> Owner | None:
        """Claim a number; return None where it is ours now, else its owner."""
        keys = (self._keys.owners(self._queue), self._keys.alive(ours.nonce))
        script = pack_script(CLAIM, keys, number)
        life = heartbeat(RunnerState(self._runner, 0.0, (), 0)), int(ALIVE_FOR * 1000)
        old = b""
        while True:
            answer = self._channel.run(script, ours.record(), old, *life)
            if answer[0] == b"done":
                return None
            old = answer[1]
            owner = parse(old.decode("utf-8", "replace")) if old else None
            if owner is not None and not owner.is_same_process(ours) and self._lives(owner):
                return owner

    def _lives(self, owner: Owner) -> bool:
        known = lives_here(owner, self._runner.host, self._runner.boot)
        if known is not None:
            return known
        if owner.nonce == self._runner.nonce:
            # Our supervisor starts the next process of a number when it has seen the last one die.
            return False
        if self._channel.command("EXISTS", self._keys.alive(owner.nonce)):
            self._gone_since.pop(owner.nonce, None)
            return True
        since = self._gone_since.setdefault(owner.nonce, time.monotonic())
        return time.monotonic() - since < GONE_FOR
