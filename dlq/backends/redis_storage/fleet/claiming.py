"""How a worker process gets its number: it must be free, or its owner gone.

Gone is an owner whose process was one of this kernel and has ended, or whose runner shows no life
any more. All runners of a fleet stop showing life when their server is away for long, and those
that live do so again within seconds of its return: so of another host's runner it must have been
seen for a while.
"""

from __future__ import annotations

import time

from dlq.backends.redis_storage.fleet.ownership import (
    Owner,
    is_same_kernel,
    own,
    parse,
    process_lives,
)
from dlq.backends.redis_storage.fleet.runners import ALIVE_FOR, GONE_FOR, beat
from dlq.backends.redis_storage.keys import LAST_NUMBER, Keys
from dlq.backends.redis_storage.lua.fleet_scripts import CLAIM
from dlq.backends.redis_storage.transport.channel import Channel, call_of
from dlq.errors import NotOwner
from dlq.types import Logger, QueueName, Runner


class Claimant:
    """Of one worker of `runner`, `queue`/`number` by its plan."""

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
        """The number that is ours now, and our record. Raises NotOwner where it is another's.

        An exact machine beside a pool takes a spare number instead, and so does a pool's worker
        that finds an exact machine there: both add what they are there to add, and no two share a
        list."""
        mine = own(self._runner)
        owner = self._try(self.number, mine)
        if owner is None:
            return self.number, mine.record()
        if not (self._runner.exact or owner.exact):
            raise NotOwner(
                f"{self._queue}/{self.number} belongs to {owner}, which is alive",
                owner=str(owner),
            )
        spare = LAST_NUMBER
        while owner is not None:
            spare += 1
            owner = self._try(spare, mine)
        self._logger.info(
            "%s/%d is taken by another runner; working beside it as number %d",
            self._queue,
            self.number,
            spare,
            extra={"action": "spare_number", "queue": self._queue, "number": spare},
        )
        return spare, mine.record()

    def _try(self, number: int, mine: Owner) -> Owner | None:
        """None where the number is ours now, else whose it is."""
        call = call_of(
            CLAIM, (self._keys.owners(self._queue), self._keys.alive(mine.nonce)), number
        )
        life = beat(self._runner, (), 0), int(ALIVE_FOR * 1000)
        old = b""
        while True:
            answer = self._channel.run(call, mine.record(), old, *life)
            if answer[0] == b"done":
                return None
            old = answer[1]
            owner = parse(old.decode("utf-8", "replace")) if old else None
            if owner is not None and owner != mine and self._lives(owner):
                return owner

    def _lives(self, owner: Owner) -> bool:
        if is_same_kernel(owner, self._runner):
            return process_lives(owner)
        if self._channel.call("EXISTS", self._keys.alive(owner.nonce)):
            self._gone_since.pop(owner.nonce, None)
            return True
        since = self._gone_since.setdefault(owner.nonce, time.monotonic())
        return time.monotonic() - since < GONE_FOR
