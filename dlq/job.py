"""A job: one call of a task, as a value, and its stored form.

The stored form is shared with django-lightweight-queue 4.11, whose workers crash on a key that
they don't know: the JSON object has these six keys and never another. What is new about a job
lives elsewhere, in keys of its own on the server.

The module knows nothing of backends, of Django or of how a job is run. The three methods that 4.11
gave to a job (`run`, `validate`, `get_task_instance`), which user backends call, reach upwards for
that; they are the only ones that do.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from dlq.errors import UndecodableJob, UnusableArgument
from dlq.types import QueueName, WorkerNumber

if TYPE_CHECKING:
    from dlq.decorator import TaskWrapper

TIME_FORMAT = "%Y-%m-%d %H:%M:%S.%f"
"""Of `created_time`: naive, in UTC."""

MAX_DEPTH = 200
"""Containers inside containers that arguments may have. Python's JSON parser recurses, and 4.11
workers parse with whatever room their stack has left; nobody nests this deep on purpose."""

as_json = json.JSONEncoder(allow_nan=False).encode
"""One encoder for all jobs: `json.dumps` with an option makes one for each."""

_raw_decode = json.JSONDecoder().raw_decode

_EPOCH = datetime(1970, 1, 1)

MAX_BITS = 14_000
"""Of a whole number: Python refuses to parse one of more than 4300 digits, so a worker would."""


@dataclass(frozen=True, init=False, eq=False)
class Job:
    """`timeout` is in seconds; `created_time` is naive UTC, None in jobs so old that they have
    none. `raw` is the stored form where that is known: a job that was read from a server keeps its
    bytes, since lists remove by value."""

    path: str
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    timeout: float | None
    sigkill_on_stop: bool
    created_time: datetime | None
    raw: bytes | None

    def __init__(
        self,
        path: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        timeout: float | None = None,
        sigkill_on_stop: bool = False,
        *,
        created_time: datetime | None = None,
        raw: bytes | None = None,
    ) -> None:
        if created_time is None and raw is None:
            created_time = now()
        # Twice as fast as the way of a frozen dataclass's own __init__, for each job that is made.
        values = self.__dict__
        values["path"] = path
        values["args"] = args
        values["kwargs"] = kwargs
        values["timeout"] = timeout
        values["sigkill_on_stop"] = sigkill_on_stop
        values["created_time"] = created_time
        values["raw"] = raw

    def __repr__(self) -> str:
        """Without the arguments: they may be secret, and the text goes to logs."""
        return f"<Job: {self.path} @ {self.created_time_str}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Job) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(self.to_json())

    @classmethod
    def from_json(cls, text: str | bytes) -> Job:
        """Raises UndecodableJob."""
        return decode(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))

    @property
    def created_time_str(self) -> str:
        """As in TIME_FORMAT."""
        return "" if self.created_time is None else time_text(self.created_time)

    def as_dict(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "args": self.args,
            "kwargs": self.kwargs,
            "timeout": self.timeout,
            "sigkill_on_stop": self.sigkill_on_stop,
            "created_time": self.created_time_str,
        }

    def to_json(self) -> str:
        return encode(self).decode("utf-8", "surrogatepass")

    def identity_without_created(self) -> str:
        """Equal for two jobs that would do the same, whenever they were made."""
        content = self.as_dict()
        del content["created_time"]
        return json.dumps(content, sort_keys=True)

    def run(self, *, queue: QueueName, worker_num: WorkerNumber) -> bool:
        """Run the job here and now, with the middleware; whether it succeeded."""
        from dlq.execution.run_job import run_job

        return run_job(self, queue, worker_num).succeeded

    def validate(self) -> None:
        """Raises UnknownTask or UnusableArgument where a worker could not run this job."""
        self.get_task_instance()
        encode(self)

    def get_task_instance(self) -> TaskWrapper[..., Any]:
        """Raises UnknownTask."""
        from dlq.execution.find_task import find_task

        return find_task(self.path)


def new_job(
    path: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    timeout: float | None,
    sigkill_on_stop: bool,
) -> Job:
    """A job of this moment. Its stored form is made now, so that what becomes of a mutable argument
    later changes nothing. Raises UnusableArgument."""
    created = now()
    raw = stored_form(path, args, kwargs, timeout, sigkill_on_stop, time_text(created))
    return Job(path, args, kwargs, timeout, sigkill_on_stop, created_time=created, raw=raw)


def encode(job: Job) -> bytes:
    """The stored form: the bytes it was read from, or new ones. Raises UnusableArgument."""
    if job.raw is not None:
        return job.raw
    created = job.created_time_str
    return stored_form(job.path, job.args, job.kwargs, job.timeout, job.sigkill_on_stop, created)


def stored_form(
    path: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    timeout: float | None,
    sigkill_on_stop: bool,
    created: str,
    path_json: str | None = None,
) -> bytes:
    """As 4.11 writes them, letter for letter. Only values that need it go through the encoder: it
    takes longer to begin than all else here, and most jobs have few arguments and no timeout.
    `path_json`: who makes many jobs of one task has encoded its path already. Raises
    UnusableArgument."""
    try:
        return (
            f'{{"path": {path_json or as_json(path)},'
            f' "args": {as_json(args) if args else "[]"},'
            f' "kwargs": {as_json(kwargs) if kwargs else "{}"},'
            f' "timeout": {"null" if timeout is None else as_json(timeout)},'
            f' "sigkill_on_stop": {"true" if sigkill_on_stop else "false"},'
            f' "created_time": "{created}"}}'
        ).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        raise UnusableArgument(f"{path}: {error}") from error


def now() -> datetime:
    """Naive, in UTC."""
    return at(time.time_ns() // 1000)


class Clock:
    """The time as `created_time` has it, for one job after the other: the part that changes once a
    second is made once a second."""

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def read(self) -> tuple[int, str]:
        """In microseconds since the epoch, and as in TIME_FORMAT."""
        moment = time.time_ns() // 1000
        second, rest = divmod(moment, 1_000_000)
        if second != self._second:
            self._second = second
            self._text = at(second * 1_000_000).isoformat(" ", "seconds")
        return moment, f"{self._text}.{rest:06d}"


def at(moment: int) -> datetime:
    """Naive, in UTC, of microseconds since the epoch; made in half the time that it takes to give
    it a zone and take that away."""
    return _EPOCH + timedelta(0, 0, moment)


def time_text(moment: datetime) -> str:
    """As in TIME_FORMAT."""
    return moment.isoformat(" ", "microseconds")


_NUMBERS = (int, float)
_FLAGS = (bool, int, type(None))
# Here, because to make `int | float` anew for each job costs more than to ask for it.


def decode(raw: bytes) -> Job:
    """A job from its stored form; unknown keys are tolerated. Raises UndecodableJob, with the
    reason in words, for whatever else may lie in a list."""
    try:
        content = _parsed(raw)
    except UnicodeDecodeError as error:
        raise UndecodableJob(f"not UTF-8: {error.reason} at byte {error.start}", raw) from None
    except RecursionError:
        raise UndecodableJob("not readable: nested too deep", raw) from None
    except ValueError as error:
        raise UndecodableJob(f"not JSON: {error}", raw) from None
    if not isinstance(content, dict):
        raise UndecodableJob(f"a JSON {_json_type(content)}, not an object", raw)
    for key in ("path", "args", "kwargs"):
        if key not in content:
            raise UndecodableJob(f"the key {key!r} is missing", raw)
    path, args, kwargs = content["path"], content["args"], content["kwargs"]
    timeout, sigkill_on_stop = content.get("timeout"), content.get("sigkill_on_stop", False)
    if not isinstance(path, str) or not path:
        raise UndecodableJob(f"'path' is a JSON {_json_type(path)}, not a dotted path", raw)
    if not isinstance(args, list):
        raise UndecodableJob(f"'args' is a JSON {_json_type(args)}, not an array", raw)
    if not isinstance(kwargs, dict):
        raise UndecodableJob(f"'kwargs' is a JSON {_json_type(kwargs)}, not an object", raw)
    if not is_timeout(timeout):
        raise UndecodableJob("'timeout' is not a number of seconds", raw)
    if not isinstance(sigkill_on_stop, _FLAGS):
        raise UndecodableJob("'sigkill_on_stop' is not true or false", raw)
    return Job(
        path,
        args,
        kwargs,
        timeout or None,
        bool(sigkill_on_stop),
        created_time=_created_time(content.get("created_time"), raw),
        raw=raw,
    )


def _parsed(raw: bytes) -> Any:
    """As json.loads, in two thirds of its time for what is like nearly all jobs: UTF-8 without
    anything before or after the object. Raises what json.loads raises."""
    try:
        text = raw.decode()
        content, end = _raw_decode(text)
        if end == len(text):
            return content
    except ValueError:
        pass
    return json.loads(raw)


def is_timeout(value: object) -> bool:
    """Seconds, or None for no limit; 0 is 4.11's other word for that."""
    if value is None:
        return True
    return isinstance(value, _NUMBERS) and not isinstance(value, bool) and 0 <= value < math.inf


def check_arguments(path: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Raises UnusableArgument for what JSON cannot carry, or would hand to the task as something
    else: NaN and the infinities, keys of mappings that are not strings, and every type that has no
    JSON form. Tuples come back as lists, and enums of str or int as their values: that is
    documented, and let through."""
    for index, value in enumerate(args):
        _check(path, f"args[{index}]", value, 0)
    for name, value in kwargs.items():
        _check(path, f"kwargs[{name!r}]", value, 0)


def _check(path: str, place: str, value: object, depth: int) -> None:
    if value is None or isinstance(value, str):
        return
    if isinstance(value, int):
        if value.bit_length() > MAX_BITS:
            raise UnusableArgument(
                f"{path}: {place} is a whole number of {value.bit_length()} bits, and a worker"
                f" reads at most {MAX_BITS}: pass hex(value)"
            )
        return
    if isinstance(value, float):
        if not math.isfinite(value):
            raise UnusableArgument(
                f"{path}: {place} is {value!r}, which JSON cannot carry: pass None or a string"
            )
        return
    if depth >= MAX_DEPTH:
        raise UnusableArgument(
            f"{path}: {place[:60]}… is nested deeper than {MAX_DEPTH} levels (or contains itself):"
            " pass a flatter value"
        )
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise UnusableArgument(
                    f"{path}: {place} has the key {key!r} of type {type(key).__name__}, which would"
                    f" arrive as a string: use {str(key)!r}, or a list of pairs"
                )
            _check(path, f"{place}[{key!r}]", item, depth + 1)
        return
    if isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _check(path, f"{place}[{index}]", item, depth + 1)
        return
    raise UnusableArgument(
        f"{path}: {place} is of type {type(value).__module__}.{type(value).__qualname__}, which"
        f" JSON cannot carry: {_remedy(value)}"
    )


def _remedy(value: object) -> str:
    if hasattr(value, "isoformat"):
        return "pass value.isoformat() and parse it in the task"
    if hasattr(value, "_meta") and hasattr(value, "pk"):
        return "pass its primary key and fetch it in the task"
    if isinstance(value, set | frozenset):
        return "pass sorted(value)"
    if isinstance(value, bytes | bytearray):
        return "pass text, for instance value.hex()"
    return "pass a str, a number, a list or a dict"


def _created_time(value: object, raw: bytes) -> datetime | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            # As nearly all are: this reads them 30 times faster, but also what is not like them.
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None and time_text(moment) == value:
                return moment
        except ValueError:
            pass
        try:
            return datetime.strptime(value, TIME_FORMAT)
        except ValueError:
            pass
    raise UndecodableJob(f"'created_time' is not like {TIME_FORMAT!r}", raw)


def _json_type(value: object) -> str:
    if value is None:
        return "null"
    names = {dict: "object", list: "array", str: "string", bool: "boolean"}
    return names.get(type(value), "number")
