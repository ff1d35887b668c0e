"""A job: one call of a task, as a value, and its stored form.

The stored form is shared with django-lightweight-queue 4.11, whose workers crash on a key that
they don't know: the JSON object has these six keys and never another. What is new about a job
lives elsewhere, in keys of its own on the server.

The module knows nothing of backends, of Django or of how a job is run. 4.11 gave three methods to a
job (`run`, `validate`, `get_task_instance`), and backends of users call them: these alone reach
upwards.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from dlq.errors import UndecodableJob, UnusableArgument
from dlq.primitives.legacy_names import OLD_PACKAGE
from dlq.types import QueueName, WorkerNumber

if TYPE_CHECKING:
    from dlq.jobs.task import Task

TIME_FORMAT = "%Y-%m-%d %H:%M:%S.%f"
"""The format of `created_time`: naive, in UTC."""

CRON_TASK = f"{OLD_PACKAGE}.cron_scheduler.execute"
"""The task that runs the command of a cron row, which is its first argument. The path is 4.11's."""

MAX_TIMEOUT = 1_000_000_000
"""Seconds, about 31 years. Deadlines are sums of it with clocks, in floats and in milliseconds."""

as_json = json.JSONEncoder(allow_nan=False).encode
"""One encoder for all jobs: `json.dumps` with an option makes one for each."""

_raw_decode = json.JSONDecoder().raw_decode

_EPOCH = datetime(1970, 1, 1)


@dataclass(init=False, eq=False)
class Job:
    """`timeout` is in seconds; `created_time` is naive UTC, None in jobs so old that they have
    none. `raw` is the stored form where that is known: a job that was read from a server keeps its
    bytes, since lists remove by value. Attributes can be set, as in 4.11: middleware may change
    what the job runs with, or note something on it."""

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
        self.path = path
        self.args = args
        self.kwargs = kwargs
        self.timeout = timeout
        self.sigkill_on_stop = sigkill_on_stop
        self.created_time = created_time
        self.raw = raw

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
        """The creation time in TIME_FORMAT, empty where it is not known."""
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
        """Return a text that is equal for two jobs that do the same, whenever they were made."""
        content = self.as_dict()
        del content["created_time"]
        return json.dumps(content, sort_keys=True)

    def run(self, *, queue: QueueName, worker_num: WorkerNumber) -> bool:
        """Run the job here and now, with the middleware. Return whether it succeeded."""
        from dlq import runtime

        return runtime.current().run(self, queue, worker_num).succeeded

    def validate(self) -> None:
        """Raises UnknownTask or UnusableArgument where a worker could not run this job."""
        self.get_task_instance()
        encode(self)

    def get_task_instance(self) -> Task:
        """Raises UnknownTask."""
        from dlq.execution.find_task import find_task

        return find_task(self.path)

    def get_fn(self) -> Task:
        """Return the task; the name is an old one of 4.11."""
        return self.get_task_instance()


def new_job(
    path: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    timeout: float | None,
    sigkill_on_stop: bool,
) -> Job:
    """Make a job of this moment. Its stored form is made now, so that a later change of a mutable
    argument changes nothing. Raises UnusableArgument."""
    created = now()
    raw = stored_form(path, args, kwargs, timeout, sigkill_on_stop, time_text(created))
    return Job(path, args, kwargs, timeout, sigkill_on_stop, created_time=created, raw=raw)


def encode(job: Job) -> bytes:
    """Return the stored form: the bytes that the job was read from, or new ones. Raises
    UnusableArgument."""
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
    """Write a job as 4.11 does, letter for letter. Only values that need it go through the encoder:
    its start takes longer than all else here, and most jobs have few arguments and no timeout.
    `path_json` is the encoded path, where many jobs of one task are made. Raises
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
    """Return the time, naive and in UTC."""
    return at(time.time_ns() // 1000)


class Clock:
    """The time in the format of `created_time`, for many jobs in a row: the text of the second is
    made once a second."""

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def read(self) -> tuple[int, str]:
        """Return the time in microseconds since the epoch, and in TIME_FORMAT."""
        moment = time.time_ns() // 1000
        second, rest = divmod(moment, 1_000_000)
        if second != self._second:
            self._second = second
            self._text = at(second * 1_000_000).isoformat(" ", "seconds")
        return moment, f"{self._text}.{rest:06d}"


def at(moment: int) -> datetime:
    """Convert microseconds since the epoch into a naive time in UTC. Adding to the epoch takes half
    the time of making an aware time and removing its zone."""
    return _EPOCH + timedelta(0, 0, moment)


def time_text(moment: datetime) -> str:
    """Write a time in TIME_FORMAT."""
    return moment.isoformat(" ", "microseconds")


_NUMBERS = (int, float)
_FLAGS = (bool, int, type(None))
# Made once: `int | float` in the function would be built again for each job.


def decode(raw: bytes) -> Job:
    """Read a job from its stored form; unknown keys are tolerated. Raises UndecodableJob, with the
    reason in words, for anything else that a list may hold."""
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
        raise UndecodableJob(f"'timeout' is not a number of seconds up to {MAX_TIMEOUT}", raw)
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
    """Parse as json.loads does, and raise what it raises. Nearly all jobs are UTF-8 with nothing
    before or after the object, and for these it takes two thirds of the time."""
    try:
        text = raw.decode()
        content, end = _raw_decode(text)
        if end == len(text):
            return content
    except ValueError:
        pass
    return json.loads(raw)


def is_timeout(value: object) -> bool:
    """Whether `value` is a number of seconds up to MAX_TIMEOUT, or None for no limit (for which
    4.11 also has 0)."""
    return value is None or is_seconds(value, MAX_TIMEOUT)


def is_seconds(value: object, most: float) -> bool:
    """Whether `value` is a number from 0 to `most`; a flag is no number."""
    return isinstance(value, _NUMBERS) and not isinstance(value, bool) and 0 <= value <= most


def _created_time(value: object, raw: bytes) -> datetime | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            # 30 times faster than strptime, and right for nearly all; it also reads other formats.
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


def job_name(job: Job) -> str:
    """Return what people call the job: the command of a cron job, the path of any other."""
    if job.path == CRON_TASK and job.args and isinstance(job.args[0], str):
        return job.args[0]
    return job.path
