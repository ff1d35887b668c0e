"""Jobs on their way to a server, many at once.

The backend of a server takes their stored forms and never needs them as jobs: making those would
take a third of the time of a bulk_enqueue. A caller that wants jobs gets them all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, overload

from dlq.job import Clock, Job, as_json, at, stored_form

_Values: TypeAlias = tuple[str, Sequence[Any], Mapping[str, Any], float | None, bool, int]
"""The values of one job; the last is when it was made, in microseconds since the epoch."""


class Batch(Sequence[Job]):
    """`raws` are the stored forms, in the order of the calls, and `locks` those of unique jobs. A
    job is made from them when it is read."""

    def __init__(self) -> None:
        self.raws: list[bytes] = []
        self.locks: list[str] = []
        self._values: list[_Values] = []
        self._clock = Clock()
        self._path = self._path_json = ""

    def add(
        self,
        path: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        timeout: float | None,
        sigkill_on_stop: bool,
    ) -> None:
        """Add a job of this moment. Raises UnusableArgument."""
        if path is not self._path:
            self._path, self._path_json = path, as_json(path)
        moment, created = self._clock.read()
        self.raws.append(
            stored_form(path, args, kwargs, timeout, sigkill_on_stop, created, self._path_json)
        )
        self._values.append((path, args, kwargs, timeout, sigkill_on_stop, moment))

    def __len__(self) -> int:
        return len(self.raws)

    @overload
    def __getitem__(self, index: int) -> Job: ...
    @overload
    def __getitem__(self, index: slice) -> list[Job]: ...
    def __getitem__(self, index: int | slice) -> Job | list[Job]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        path, args, kwargs, timeout, sigkill_on_stop, moment = self._values[index]
        return Job(
            path,
            args,
            kwargs,
            timeout,
            sigkill_on_stop,
            created_time=at(moment),
            raw=self.raws[index],
        )
