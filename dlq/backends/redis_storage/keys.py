"""The keys on the server: the only module that makes one.

The keys of django-lightweight-queue 4.11 are a contract. What is new lives below `dlq:` and nowhere
else, because 4.11's startup reads every `…:{queue}:processing:*` that its settings don't know as a
list of jobs, and dies on one that is something else.
"""

from __future__ import annotations

from typing import NamedTuple

from dlq.types import QueueName

LAST_NUMBER = 1024
"""The highest worker number that WORKERS can give. Beyond it are overflow numbers, for workers of
exact machines that run beside a pool; 4.11 knows none of them, so their lists have keys that it
does not read."""


class Keys(NamedTuple):
    """`prefix` is REDIS_PREFIX, perhaps empty."""

    prefix: str

    def _key(self, rest: str) -> str:
        return f"{self.prefix}:{rest}" if self.prefix else rest

    def queue(self, queue: QueueName) -> str:
        """A list: pushed at the head, taken from the tail."""
        return self._key(f"django_lightweight_queue:{queue}")

    def pause(self, queue: QueueName) -> str:
        """Present while the queue is paused; it expires by itself."""
        return f"{self.queue(queue)}:pause"

    def processing(self, queue: QueueName, number: int) -> str:
        """A list: what one worker has in hand. Jobs enter at the head; the tail is next."""
        if int(number) > LAST_NUMBER:
            return self._key(f"dlq:processing:{queue}:{number}")
        return f"{self.queue(queue)}:processing:{number}"

    def owners(self, queue: QueueName) -> str:
        """A hash: worker number → the process that owns it, as JSON."""
        return self._key(f"dlq:owner:{queue}")

    def alive(self, nonce: str) -> str:
        """Lives as long as a runner renews it; its value is the runner, as JSON."""
        return self._key(f"dlq:alive:{nonce}")

    def kills(self, nonce: str) -> str:
        """A hash: worker → the run of it that is to be ended, as JSON. Read and deleted with the
        next heartbeat of the runner; expires."""
        return self._key(f"dlq:kill:{nonce}")

    def pause_note(self, queue: QueueName) -> str:
        """Who paused the queue and why, as JSON. Expires with the pause."""
        return self._key(f"dlq:pause:{queue}")

    def plan(self, pool_id: str) -> str:
        """The plan document of a pool. It expires unless a runner of the pool renews it."""
        return self._key(f"dlq:plan:{pool_id}")

    def crashes(self, queue: QueueName) -> str:
        """A hash: SHA-1 of a job's bytes → how often it was found in a dead worker's list."""
        return self._key(f"dlq:crashes:{queue}")

    def failed(self, queue: QueueName) -> str:
        """A stream: failed jobs, oldest first, bounded by FAILED_KEEP."""
        return self._key(f"dlq:failed:{queue}")

    @property
    def removed(self) -> str:
        """A hash: stream of failed jobs → how many of them were retried or discarded, as long as
        there are others."""
        return self._key("dlq:removed")

    def delayed(self, queue: QueueName) -> str:
        """A sorted set: jobs for later, by the time (ms) from which they are due. A member is
        a unique prefix of 17 characters and the job's bytes."""
        return self._key(f"dlq:delayed:{queue}")

    def locks(self, queue: QueueName) -> str:
        """A hash: the locks of unique jobs, and SHA-1 of a job's bytes → its lock."""
        return self._key(f"dlq:unique:{queue}")

    def result(self, id: str) -> str:
        """A hash: what became of a call of a task of Django's framework. Expires."""
        return self._key(f"dlq:result:{id}")

    def attempts(self, queue: QueueName) -> str:
        """A hash: SHA-1 of a job's bytes → how many of its attempts have failed."""
        return self._key(f"dlq:attempts:{queue}")

    @property
    def cron_records(self) -> str:
        """A hash: what became of each cron row, in two fields for each (`cron.history`)."""
        return self._key("dlq:cron_records")

    def survivors(self, queue: QueueName) -> str:
        """A list: the copy without duplicates that deduplicate makes. Useless after a crash, so it
        expires."""
        return self._key(f"dlq:deduplicate:{queue}")

    def requeued(self, token: str) -> str:
        """Present for a while after an at-most-once worker has put a job back."""
        return self._key(f"dlq:put-back:{token}")

    def trash(self, token: str) -> str:
        """A list that is being removed."""
        return self._key(f"dlq:trash:{token}")

    def idempotency_key(self, name: str) -> str:
        """Lives as long as what it names is not to be done again."""
        return self._key(f"dlq:{name}")

    @property
    def old_root(self) -> str:
        """What the keys of 4.11 begin with."""
        return self._key("django_lightweight_queue:")

    @property
    def root(self) -> str:
        """What all other keys begin with."""
        return self._key("dlq:")

    def queue_of(self, key: bytes, kind: str) -> QueueName:
        """Return the queue in a key below `dlq:{kind}:`."""
        return QueueName(key.decode("utf-8", "replace")[len(self._key(f"dlq:{kind}:")) :])


def pattern(text: str) -> str:
    """Return a key as a pattern that matches it alone, for SCAN."""
    return "".join(f"\\{letter}" if letter in "*?[]\\^" else letter for letter in text)
