"""The types of a row's values, for pydantic, and the words for a value that isn't of its type.

Messages are whole sentences about a key and its value; where the row is written is added by the
reader.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, Strict
from pydantic_core import ErrorDetails, PydanticCustomError

from dlq.cron.rows import fields
from dlq.cron.rows.fields import FieldViolation
from dlq.errors import UnusableArgument
from dlq.jobs.arguments import check_arguments
from dlq.jobs.queue_names import check_queue_name
from dlq.jobs.task import MAX_DELAY
from dlq.primitives.text import short_repr
from dlq.primitives.time_zones import time_zone_help
from dlq.types import QueueName


class Violation(NamedTuple):
    """A mistake in a row. `code` is that of a rule in `dlq.diagnostics.rules.cron`; `key` is
    where it is; `at_key` says that the key itself is wrong, and not its value."""

    code: str
    key: str | None
    message: str
    help: str | None = None
    at_key: bool = False


def _error(code: str, message: str, help: str | None = None) -> PydanticCustomError:
    return PydanticCustomError(code, "{message}", {"message": message, "help": help})


def _field(field: fields.Field, value: object) -> str:
    """The text of `minutes`, `hours` or `days`, which may be given as numbers and lists too."""
    try:
        return fields.checked(field, _field_text(field, value))
    except FieldViolation as violation:
        message = f"{field.key} {short_repr(value)}: {violation}"
        raise _error("E205", message, violation.help) from None


def _field_text(field: fields.Field, value: object) -> str:
    if isinstance(value, list | tuple) and value:
        return ",".join(_field_text(field, item) for item in value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return value
    raise _error(
        "E205",
        f"{field.key!r} is {_with_type(value)}, and must be text or a number",
        "for instance '0,30', '9-17', '*/5', or '*' for each",
    )


def _schedule(value: object) -> str:
    if not isinstance(value, str):
        raise _error("string_type", "it is no text")
    try:
        return fields.checked_schedule(value)
    except FieldViolation as violation:
        message = f"schedule {short_repr(value)}: {violation}"
        raise _error("E205", message, violation.help) from None


def _not_blank(value: str) -> str:
    if not value.strip():
        raise _error("blank", "it is empty")
    return value


def _queue_name(value: str) -> QueueName:
    violation = check_queue_name(value)
    if violation is not None:
        message = f"'queue' is {short_repr(value)}: {violation.message}"
        raise _error("E206", message, violation.help)
    return QueueName(value)


def _time_zone(value: str) -> str:
    help = time_zone_help(value)
    if help is not None:
        raise _error("E212", f"timezone {value!r} is not in the time zone database", help)
    return value


def _require_sequence(value: object) -> object:
    """pydantic would make a tuple of a set or a generator too."""
    if isinstance(value, list | tuple):
        return value
    raise _error("tuple_type", "it is not a list")


def _arguments(value: tuple[Any, ...]) -> tuple[Any, ...]:
    _require_json(*(((None,) * index + (item,), {}) for index, item in enumerate(value)))
    return copy.deepcopy(value)


def _options(value: dict[str, Any]) -> dict[str, Any]:
    _require_json(*(((), {name: item}) for name, item in value.items()))
    return copy.deepcopy(value)


def _require_json(*calls: tuple[tuple[Any, ...], Mapping[str, Any]]) -> None:
    violations = []
    for args, kwargs in calls:
        try:
            check_arguments("", args, kwargs)
        except UnusableArgument as violation:
            violations.append(f"command_{str(violation).removeprefix(': ')}")
    if violations:
        raise _error("E211", "; ".join(violations))


Text = Annotated[str, Strict(), AfterValidator(_not_blank)]
Queue = Annotated[QueueName, Strict(), AfterValidator(_not_blank), AfterValidator(_queue_name)]
TimeZone = Annotated[str, Strict(), AfterValidator(_not_blank), AfterValidator(_time_zone)]
Minutes = Annotated[str | None, BeforeValidator(partial(_field, fields.MINUTES))]
Hours = Annotated[str | None, BeforeValidator(partial(_field, fields.HOURS))]
Days = Annotated[str, BeforeValidator(partial(_field, fields.DAYS))]
Schedule = Annotated[str | None, BeforeValidator(_schedule)]
Fact = Annotated[bool, Strict()]
Seconds = (
    Annotated[int, Strict(), Field(gt=0, le=MAX_DELAY)]
    | Annotated[float, Strict(), Field(gt=0, le=MAX_DELAY, allow_inf_nan=False)]
)
"""The type is kept: it shows in the stored form of the job."""
Arguments = Annotated[
    tuple[Any, ...], BeforeValidator(_require_sequence), AfterValidator(_arguments)
]
Options = Annotated[dict[str, Any], Strict(), AfterValidator(_options)]


OUT_OF_RANGE = {"greater_than", "less_than_equal", "finite_number"}
"""Codes of pydantic for numbers of the right type."""


class _Expected(NamedTuple):
    """`words` completes "and must be …"; `help` makes a remedy of a value that has another type."""

    words: str
    help: Callable[[Any], str | None] = lambda value: None


_EXPECTED: dict[str, _Expected] = {}


def violation_of(detail: ErrorDetails) -> Violation:
    """The violation that one of pydantic's errors is about."""
    key, code, value = str(detail["loc"][0]), detail["type"], detail["input"]
    if code[1:].isdigit():
        return Violation(code, key, detail["msg"], detail.get("ctx", {}).get("help"))
    if code == "missing":
        return Violation("E203", key, f"{key!r} is required", "name a command of manage.py")
    if code == "blank":
        return Violation("E206", key, f"{key!r} is empty")
    if detail["loc"][-1] == "[key]":
        message = f"{key!r} has the key {short_repr(value)}, and option names are text"
        return Violation("E206", key, message)
    expected = _EXPECTED[key]
    if code in OUT_OF_RANGE:
        message = f"{key!r} is {short_repr(value)}, and must be {expected.words}"
        return Violation("E206", key, message, "leave it out for no limit")
    message = f"{key!r} is {_with_type(value)}, and must be {expected.words}"
    return Violation("E205" if key == "schedule" else "E206", key, message, expected.help(value))


def _with_type(value: object) -> str:
    return "None" if value is None else f"{short_repr(value)} ({type(value).__name__})"


def _quoted(value: object) -> str | None:
    return f"write {str(value)!r}" if isinstance(value, int | float) else None


def _bare_number(value: object) -> str | None:
    return f"write {value}" if isinstance(value, str) and value.isdigit() else None


def _bracketed(value: object) -> str | None:
    return f"write [{short_repr(value)}]" if isinstance(value, str | int | float) else None


_TEXT, _FACT = _Expected("text", _quoted), _Expected("True or False")
_EXPECTED |= {
    "command": _TEXT,
    "queue": _TEXT,
    "timezone": _TEXT,
    "schedule": _Expected(
        "five fields of cron text", lambda value: "for instance '*/5 9-17 * * 1-5'"
    ),
    "timeout": _Expected(f"a number of seconds above 0, up to {MAX_DELAY} (a year)", _bare_number),
    "sigkill_on_stop": _FACT,
    "atomic": _FACT,
    "command_args": _Expected("a list", _bracketed),
    "command_kwargs": _Expected("a dict", lambda value: "write {'option': value}"),
}
