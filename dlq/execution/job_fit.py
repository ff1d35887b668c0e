"""Whether a stored job still fits the function that would run it: found, callable, right types.

Between the enqueueing of a job and its run the code may change. This module answers, without
running anything, what would happen to the job with the code of this process.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from typing import Any, Literal, NamedTuple, TypeAlias

from dlq.errors import UndecodableJob, UnknownTask
from dlq.execution.find_task import find_task
from dlq.job import CRON_TASK, Job, decode
from dlq.jobs.arguments import Parameters, parameters_of
from dlq.jobs.task import RESULT_KEYWORD, Task
from dlq.primitives.text import printable, short_repr

FitKind: TypeAlias = Literal[
    "fits",
    "no_task",
    "no_command",
    "missing_argument",
    "unknown_keyword",
    "too_many_arguments",
    "wrong_type",
    "undecodable",
]

REMEMBERED = 10_000
"""Paths that one JobFit remembers. Any user of the server can write jobs with others."""

JSON_TYPES: Mapping[object, tuple[type, ...]] = types.MappingProxyType(
    {
        int: (int,),
        float: (int, float),
        str: (str,),
        bool: (bool, int),
        dict: (dict,),
        list: (list,),
        tuple: (list,),
        type(None): (type(None),),
        Mapping: (dict,),
        Sequence: (list, str),
    }
)
"""Annotations that are simple enough to check, and what JSON gives a worker for them."""

QUOTES = "'\""
"""Around annotations that are written as text."""


class Fit(NamedTuple):
    """`text` says what is wrong, in words that are the same for all jobs with this mistake."""

    kind: FitKind
    text: str = ""
    help: str | None = None

    @property
    def is_good(self) -> bool:
        return self.kind == "fits"


FITS = Fit("fits")

CheckCall: TypeAlias = Callable[[Sequence[Any], Mapping[str, Any]], Fit]


class JobFit:
    """Checks jobs against the tasks of this process, and remembers what it knows of each path.

    `known` are the paths of all declared tasks, for suggestions. `commands` are those that cron
    jobs may run; None leaves them unchecked.
    """

    def __init__(self, known: Iterable[str], commands: Collection[str] | None = None) -> None:
        self._known = tuple(dict.fromkeys(known))
        self._commands = commands
        self._checks: dict[str, CheckCall] = {}

    def check_raw(self, raw: bytes) -> tuple[str, Fit]:
        """Return the path of a stored job (empty where it has none), and how it fits."""
        try:
            job = decode(raw)
        except UndecodableJob as error:
            return "", Fit("undecodable", printable(error.reason))
        return job.path, self.check(job)

    def check(self, job: Job) -> Fit:
        check = self._checks.get(job.path)
        if check is None:
            check = self._make_check(job.path)
            if len(self._checks) >= REMEMBERED:
                self._checks.clear()
            self._checks[job.path] = check
        return check(job.args, job.kwargs)

    def _make_check(self, path: str) -> CheckCall:
        try:
            task = find_task(path)
        except UnknownTask as error:
            fit = Fit("no_task", printable(str(error), 500), suggestion(path, self._known))
            return lambda args, kwargs: fit
        if path == CRON_TASK and self._commands is not None:
            return partial(_check_command, self._commands)
        return TaskFit.of(task).check


class TaskFit(NamedTuple):
    """What calls a task accepts: the parameters of its function, and simple annotations."""

    task: Task
    parameters: Parameters | None
    types: Mapping[str, tuple[type, ...]]
    """By parameter; those with other annotations, or none, are left out."""

    @classmethod
    def of(cls, task: Task) -> TaskFit:
        return cls(task, parameters_of(task.function), _simple_types(task))

    def check(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Fit:
        if self.parameters is None:
            return FITS
        if RESULT_KEYWORD in kwargs:
            kwargs = {name: value for name, value in kwargs.items() if name != RESULT_KEYWORD}
        if self.task.gives_context:
            args = (None, *args)
        if not self.parameters.accepts(args, kwargs):
            return _explain_refusal(self.parameters, args, kwargs)
        for name, value in zip(self.parameters.positional, args, strict=False):
            if name in self.types and not _is_one_of(value, self.types[name]):
                return self._wrong_type(name, value)
        for name, value in kwargs.items():
            if name in self.types and not _is_one_of(value, self.types[name]):
                return self._wrong_type(name, value)
        return FITS

    def _wrong_type(self, name: str, value: object) -> Fit:
        annotation = inspect.signature(self.task.function).parameters[name].annotation
        wanted = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
        text = f"{name} is {_json_name(value)}, and must be {wanted.strip(QUOTES)}"
        return Fit("wrong_type", text)


def suggestion(path: str, known: Collection[str]) -> str | None:
    """Name the tasks that a path probably means: the same function elsewhere, or a like name."""
    name = path.rpartition(".")[2]
    same = [task for task in known if task.rpartition(".")[2] == name and task != path]
    close = same[:3] or get_close_matches(path, known, 3)
    if not close:
        return None
    return f"did you mean {' or '.join(close)}?"


def _check_command(
    commands: Collection[str], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Fit:
    if not args:
        return Fit("missing_argument", "a cron job without the name of a command")
    if args[0] in commands:
        return FITS
    close = get_close_matches(str(args[0])[:200], commands, 1)
    return Fit(
        "no_command",
        f"no cron row names the command {short_repr(args[0])}",
        f"did you mean {close[0]!r}?" if close else "CRON_COMMANDS allows others",
    )


def _explain_refusal(parameters: Parameters, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Fit:
    by_name = parameters.keywords
    unknown = [name for name in kwargs if name not in by_name]
    if unknown and not parameters.takes_any_keyword:
        close = get_close_matches(unknown[0], by_name, 1)
        names = ", ".join(printable(name, 60) for name in sorted(unknown)[:5])
        return Fit(
            "unknown_keyword",
            f"unknown keyword {names}",
            f"did you mean {close[0]!r}?" if close else None,
        )
    if len(args) > len(parameters.positional) and not parameters.takes_more:
        return Fit(
            "too_many_arguments",
            f"{len(args)} arguments by position, and it takes {len(parameters.positional)}",
        )
    given_twice = [name for name in parameters.positional[: len(args)] if name in kwargs]
    if given_twice and not parameters.takes_any_keyword:
        return Fit("too_many_arguments", f"{given_twice[0]} is given by position and by name")
    required = parameters.positional[len(args) : parameters.required]
    missing = [name for name in required if name not in kwargs]
    missing += sorted(parameters.required_keywords - kwargs.keys())
    # What is left are arguments given by name that the function takes only by position.
    missing = missing or list(required)
    return Fit("missing_argument", f"missing argument {', '.join(missing)}")


def _simple_types(task: Task) -> dict[str, tuple[type, ...]]:
    try:
        hints = typing.get_type_hints(task.function)
    except Exception:
        return {}  # a name that only a type checker knows
    found = {}
    for name, hint in hints.items():
        expected = _json_types(hint)
        if name != "return" and expected:
            found[name] = expected
    return found


def _json_types(hint: object) -> tuple[type, ...]:
    """Return what JSON values an annotation means; empty where it is not a simple one."""
    origin = typing.get_origin(hint)
    if origin is typing.Union or origin is types.UnionType:
        parts = [_json_types(part) for part in typing.get_args(hint)]
        return tuple({kind for part in parts for kind in part}) if all(parts) else ()
    try:
        return JSON_TYPES.get(origin or hint, ())
    except TypeError:
        return ()  # an annotation that cannot be a key


def _is_one_of(value: object, expected: tuple[type, ...]) -> bool:
    """Whether a value is of these types. True and False pass for numbers, as in Python."""
    return isinstance(value, expected)


def _json_name(value: object) -> str:
    if value is None:
        return "null"
    names = {bool: "true or false", str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), "a number")
