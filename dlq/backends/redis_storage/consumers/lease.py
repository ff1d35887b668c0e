"""One worker's ownership of its number, and of the list of jobs in its hand.

The list on the server is the truth and `PrefetchBuffer` its mirror here. When a connection was lost
the two are compared before anything else is done. Knows the scripts and the order of their answers;
when to take, and how many, is its caller's. Raises what redis-py raises, and NotOwner."""

from __future__ import annotations

from collections.abc import Iterable
from secrets import randbits
from typing import Any, NoReturn

from dlq.backends.redis_storage.consumers.prefetch_buffer import PrefetchBuffer
from dlq.backends.redis_storage.consumers.prefetch_size import MOST_BYTES
from dlq.backends.redis_storage.fleet.ownership import LeaseClaim
from dlq.backends.redis_storage.keys import Keys
from dlq.backends.redis_storage.lua.scripts import (
    ACKNOWLEDGE,
    ARRIVED,
    FINISH,
    GIVE_BACK,
    REJOIN,
    RELEASE_NUMBER,
    TAKE,
    Script,
)
from dlq.backends.redis_storage.transport.channel import Channel, PackedScript, pack_script
from dlq.backends.redis_storage.transport.resp import Word
from dlq.errors import NotOwner
from dlq.types import QueueName

POSTED = (ACKNOWLEDGE, FINISH)
"""Scripts that are sent without waiting. A server should have them before: one that is refused is
noticed late, and takes a new connection."""

GIVE_BACK_STEP = 100
"""Jobs that one script gives back, at most."""


class Lease:
    """Each method but `prepare` and `mark_uncertain` is called after `prepare`. Where one raises,
    `mark_uncertain` is called before anything else is."""

    def __init__(self, channel: Channel, keys: Keys, queue: QueueName, claim: LeaseClaim) -> None:
        self.jobs = PrefetchBuffer()
        self._channel = channel
        self._keys = keys
        self._queue = queue
        self._claim = claim
        self._number: int = claim.number
        self._record: str | None = None
        self._next_record: str | None = None
        self._is_uncertain = False
        # Begins anywhere, so that no number of another process is taken for one of ours.
        self._ask_number = randbits(32)
        self._asked_with: bytes | None = None

    @property
    def has_number(self) -> bool:
        return self._record is not None

    def prepare(self) -> None:
        """Get a number that is ours, and make sure that our list is as we think it is."""
        if self._record is None:
            self._number, self._record = self._claim.claim()
            self._pack_scripts()
        elif self._is_uncertain or not self._channel.is_open:
            self._is_uncertain = True
            self._load()
            self._rejoin()
        self._is_uncertain = False

    def mark_uncertain(self) -> None:
        """Note that an answer did not come: what was asked for has been done, or not."""
        self._is_uncertain = True

    # Taking

    @property
    def is_asked(self) -> bool:
        """Whether an answer to `ask` is under way."""
        return self._channel.is_answer_due

    def ask(self, many: int) -> None:
        """Ask for the next jobs."""
        self.collect()
        self._ask_number += 1
        self._channel.send(self._take, many, self._ask_number)

    def answer(self) -> Any:
        """Return the answer to `ask`. If it brings jobs, they are in our list now."""
        self.collect()
        answer = self._channel.answer()
        # With it the server has confirmed whatever went before.
        self._asked_with = None
        self.jobs.acknowledged.clear()
        return self._checked(answer)

    def block(self, seconds: float) -> bool:
        """Have the server wait for a job and move it to our list; return whether one has come.
        Whether it may be run now is to be asked with `look`."""
        words = ("BLMOVE", self._keys.queue(self._queue), self._list, "RIGHT", "LEFT")
        return self._channel.block(seconds, *words) is not None

    def look(self) -> Any:
        """Return what is in our list, if it may be run now; the answers are those to `ask`."""
        return self._checked(self._channel.run(self._arrived))

    # Releasing

    def acknowledge(self, *, is_counted: bool, many: int) -> None:
        """Record that the running job has ended well. If `many` is not 0, the next ones are asked
        for in the same step; else the answer is not waited for, but read before the next one."""
        raw = self.jobs.running
        assert raw is not None
        self.jobs.acknowledge()
        if many:
            self._asked_with = raw
            self._ask_number += 1
            counted = ("1",) if is_counted else ()
            self._channel.send(self._take, many, self._ask_number, raw, *counted)
        else:
            self._channel.post(self._finish if is_counted else self._acknowledge, raw)

    def release_job(self, script: Script, keys: Iterable[str], *arguments: Word) -> None:
        """Release the running job by a script whose keys are our list, the owners, and then `keys`,
        and whose arguments are our number, our record, the job, and then `arguments`."""
        raw = self.jobs.running
        if raw is None:
            # Done by a call whose answer was lost, or taken from us with the whole list.
            return
        self.collect()
        self._checked(self._channel.run(self._pack(script, *keys), raw, *arguments))
        self.jobs.release()

    def give_back(self, *, keep_next: bool = False) -> None:
        """Move our list to the queue's tail, but for what is running. `keep_next`: or is to run
        next."""
        self.collect()
        keep = int(keep_next or self.jobs.running is not None)
        script = self._pack(GIVE_BACK, self._keys.queue(self._queue))
        count = GIVE_BACK_STEP
        while count == GIVE_BACK_STEP:
            count = self._checked(self._channel.run(script, keep, GIVE_BACK_STEP))[1]
        self.jobs.prefetched.clear()

    def command(self, *words: Word) -> Any:
        self.collect()
        return self._channel.command(*words)

    def run(self, script: Script, keys: tuple[str, ...], *arguments: Word) -> Any:
        """Run a script that is not about our list."""
        self.collect()
        return self._channel.run(pack_script(script, keys, *arguments))

    def release(self) -> None:
        """Give the number up."""
        script = pack_script(RELEASE_NUMBER, (self._keys.owners(self._queue),))
        self._channel.run(script, self._number, str(self._record))

    def collect(self) -> None:
        """Read the answers to acknowledgements that are under way."""
        for answer in self._channel.collect():
            if answer == -1:
                self._lose()
            self.jobs.confirm()

    # The number

    def _pack_scripts(self) -> None:
        keys, queue = self._keys, self._queue
        self._list = keys.processing(queue, self._number)
        names = (
            keys.queue(queue),
            keys.pause(queue),
            self._list,
            *(keys.owners(queue), keys.delayed(queue), keys.attempts(queue), keys.crashes(queue)),
        )
        ours = (self._number, str(self._record))
        self._take = pack_script(TAKE, names, *ours, MOST_BYTES)
        self._arrived = pack_script(ARRIVED, names, *ours)
        self._acknowledge = self._pack(ACKNOWLEDGE)
        self._finish = self._pack(FINISH, keys.attempts(queue), keys.crashes(queue))

    def _pack(self, script: Script, *more: str) -> PackedScript:
        names = (self._list, self._keys.owners(self._queue), *more)
        return pack_script(script, names, self._number, str(self._record))

    def _load(self) -> None:
        for script in POSTED:
            self._channel.command("SCRIPT", "LOAD", script.text)

    def _rejoin(self) -> None:
        """Take the number over from our own lost connection, and find out by the list what of that
        which was under way has happened."""
        if self._next_record is None:
            self._next_record = self._claim.record_of_new_connection()
        script = self._pack(REJOIN)
        _, take, left = self._checked(self._channel.run(script, self._next_record))
        self._record, self._next_record = self._next_record, None
        self._pack_scripts()
        asked_with, self._asked_with = self._asked_with, None
        if asked_with is not None:
            if take == b"%d:kept" % self._ask_number:
                # It was run and took nothing, because others were refused before it.
                self.jobs.acknowledged.pop()
            elif take == b"%d:taken" % self._ask_number or asked_with not in left:
                # It was run, and the answer lost: what is in the list was taken then.
                self.jobs.forget()
                return
        for raw in self.jobs.compare(left[::-1]):
            if self._channel.run(self._acknowledge, raw) == -1:
                self._lose()
            self.jobs.confirm()

    def _checked(self, answer: Any) -> Any:
        if answer[0] == b"owner":
            self._lose()
        return answer

    def _lose(self) -> NoReturn:
        """Forget the number: the record on the server is not ours any more. We were taken for dead,
        or an operator emptied the server. Nothing in the list is ours. Next time it is claimed
        again."""
        self.jobs.forget()
        self._record = self._next_record = self._asked_with = None
        self._channel.drop()
        raise NotOwner(
            f"{self._queue}/{self._number} was taken over while this process had no heartbeat",
            owner="another process",
        )
