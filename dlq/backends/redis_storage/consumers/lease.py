"""One worker's hold on its number, and on the list of jobs in its hand.

The list on the server is the truth and `PrefetchBuffer` its mirror here. When a connection was lost
the two are compared before anything else is done. Knows the scripts and the order of their answers;
when to take, and how many, is its caller's. Raises what redis-py raises, and NotOwner."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

from dlq.backends.redis_storage.consumers.prefetch_buffer import PrefetchBuffer
from dlq.backends.redis_storage.fleet.claiming import Claimant
from dlq.backends.redis_storage.keys import Keys
from dlq.backends.redis_storage.lua.fleet_scripts import RELEASE
from dlq.backends.redis_storage.lua.worker_scripts import (
    ACKNOWLEDGE,
    ARRIVED,
    FINISH,
    GIVE_BACK,
    LOOK,
    TAKE,
    Script,
)
from dlq.backends.redis_storage.transport.channel import Call, Channel, call_of
from dlq.backends.redis_storage.transport.resp import Word
from dlq.errors import NotOwner
from dlq.types import QueueName

POSTED = (ACKNOWLEDGE, FINISH)
"""Scripts that are sent without waiting. A server should have heard of them before: one that is
refused is found out late, and takes a new connection."""

GIVE_BACK_STEP = 100
"""Jobs that one script gives back, at most."""


class Lease:
    """Each method but `prepare` and `doubt` is called after `prepare`. Where one raises, `doubt` is
    called before anything else is."""

    def __init__(self, channel: Channel, keys: Keys, queue: QueueName, claimant: Claimant) -> None:
        self.jobs = PrefetchBuffer()
        self._channel = channel
        self._keys = keys
        self._queue = queue
        self._claimant = claimant
        self._number: int = claimant.number
        self._record: str | None = None
        self._is_in_doubt = False

    @property
    def has_number(self) -> bool:
        return self._record is not None

    def prepare(self) -> None:
        """Have a number that is ours, and a list that is as we think it is."""
        if self._record is None:
            self._number, self._record = self._claimant.claim()
            self._pack_calls()
        elif self._is_in_doubt or not self._channel.is_open:
            self._is_in_doubt = True
            self._load()
            self._compare()
        self._is_in_doubt = False

    def doubt(self) -> None:
        """Something went wrong: what was asked for last has been done, or not."""
        self._is_in_doubt = True

    # Taking

    @property
    def is_asked(self) -> bool:
        """Whether an answer to `ask` is under way."""
        return self._channel.is_answer_due

    def ask(self, many: int) -> None:
        """For the next jobs."""
        self._channel.send(self._take, many)

    def answer(self) -> Any:
        """To `ask`. If it brings jobs, they are in our list now."""
        self.collect()
        answer = self._channel.answer()
        # With it the server has confirmed whatever went before.
        self.jobs.acknowledged.clear()
        return self._checked(answer)

    def block(self, seconds: float) -> bool:
        """Have the server wait for a job and move it to our list; whether one has come. May we have
        it? That is to be asked with `look`."""
        queue, own = self._keys.queue(self._queue), self._list
        words = ("BLMOVE", queue, own, "RIGHT", "LEFT", f"{seconds:.3f}")
        return self._channel.block(seconds, *words) is not None

    def look(self) -> Any:
        """What is in our list, if we may have it now; the answers are those to `ask`."""
        return self._checked(self._channel.run(self._arrived))

    # Letting go

    def acknowledge(self, *, is_counted: bool, many: int) -> None:
        """The running job has ended well. If `many` is not 0, the next ones are asked for in the
        same step; else nobody waits for an answer, which is read before the next one."""
        raw = self.jobs.running
        assert raw is not None
        self.jobs.acknowledge()
        if many and not is_counted:
            self._channel.send(self._take, many, raw)
            return
        self._channel.post(self._finish if is_counted else self._acknowledge, raw)
        if many:
            self.ask(many)

    def release_job(self, script: Script, keys: Iterable[str], *arguments: Word) -> None:
        """Of the running job, by a script whose keys are our list, the owners, and then `keys`, and
        whose arguments are our number, our record, the job, and then `arguments`."""
        raw = self.jobs.running
        if raw is None:
            # Done by a call whose answer was lost, or taken from us with the whole list.
            return
        self.collect()
        self._checked(self._channel.run(self._call_of(script, *keys), raw, *arguments))
        self.jobs.release()

    def give_back(self, *, keep_next: bool = False) -> None:
        """To the queue's tail, but for what is running. `keep_next`: or is about to."""
        self.collect()
        keep = int(keep_next or self.jobs.running is not None)
        call = self._call_of(GIVE_BACK, self._keys.queue(self._queue))
        count = GIVE_BACK_STEP
        while count == GIVE_BACK_STEP:
            count = self._checked(self._channel.run(call, keep, GIVE_BACK_STEP))[1]
        self.jobs.ahead.clear()

    def call(self, *words: Word) -> Any:
        self.collect()
        return self._channel.call(*words)

    def release(self) -> None:
        """The number is anybody's."""
        call = call_of(RELEASE, (self._keys.owners(self._queue),))
        self._channel.run(call, self._number, str(self._record))

    def collect(self) -> None:
        """Read what is under way from acknowledgements."""
        for answer in self._channel.collect():
            if answer == -1:
                self._lose()
            self.jobs.confirm()

    # The number

    def _pack_calls(self) -> None:
        keys, queue = self._keys, self._queue
        self._list = keys.processing(queue, self._number)
        names = (
            keys.queue(queue),
            keys.pause(queue),
            self._list,
            *(keys.owners(queue), keys.delayed(queue), keys.attempts(queue), keys.crashes(queue)),
        )
        ours = (self._number, str(self._record))
        self._take = call_of(TAKE, names, *ours)
        self._arrived = call_of(ARRIVED, names, *ours)
        self._acknowledge = self._call_of(ACKNOWLEDGE)
        self._finish = self._call_of(FINISH, keys.attempts(queue), keys.crashes(queue))
        self._look = self._call_of(LOOK)

    def _call_of(self, script: Script, *more: str) -> Call:
        names = (self._list, self._keys.owners(self._queue), *more)
        return call_of(script, names, self._number, str(self._record))

    def _load(self) -> None:
        for script in POSTED:
            self._channel.call("SCRIPT", "LOAD", script.text)

    def _compare(self) -> None:
        """What was under way when the connection was lost has happened or not: the list tells."""
        left = self._checked(self._channel.run(self._look))[1]
        for raw in self.jobs.compare(left[::-1]):
            if self._channel.run(self._acknowledge, raw) == -1:
                self._lose()
            self.jobs.confirm()

    def _checked(self, answer: Any) -> Any:
        if answer[0] == b"owner":
            self._lose()
        return answer

    def _lose(self) -> NoReturn:
        """The record on the server is not ours any more: we were taken for dead, or an operator
        emptied the server. Nothing in the list is ours. Claim the number anew, next time."""
        self.jobs.forget()
        self._record = None
        self._channel.drop()
        raise NotOwner(
            f"{self._queue}/{self._number} was taken over while this process did not show life",
            owner="another process",
        )
