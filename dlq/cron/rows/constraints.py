"""What a single value of a row must be like. Raises errors of pydantic that carry a rule's code.

Messages are whole sentences about a key and its value; where they stand is added by the reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import PydanticCustomError

from dlq.cron.rows.fields import Field
from dlq.errors import UnusableArgument
from dlq.jobs.arguments import check_arguments
from dlq.jobs.queue_names import check_queue_name
from dlq.primitives.text import short_repr
from dlq.primitives.time_zones import time_zone_help


def error(code: str, message: str, help: str | None = None) -> PydanticCustomError:
    return PydanticCustomError(code, "{message}", {"message": message, "help": help})


def field_text(field: Field, value: object) -> str:
    if isinstance(value, list | tuple) and value:
        return ",".join(field_text(field, item) for item in value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return value
    raise error(
        "E205",
        f"{field.key!r} is {with_type(value)}, and must be text or a number",
        "for instance '0,30', '9-17', '*/5', or '*' for each",
    )


def require_json(*calls: tuple[tuple[Any, ...], Mapping[str, Any]]) -> None:
    violations = []
    for args, kwargs in calls:
        try:
            check_arguments("", args, kwargs)
        except UnusableArgument as violation:
            violations.append(f"command_{str(violation).removeprefix(': ')}")
    if violations:
        raise error("E211", "; ".join(violations))


def require_queue_name(value: str) -> None:
    """Apply the rule of the names in WORKERS."""
    violation = check_queue_name(value)
    if violation is not None:
        raise error("E206", f"'queue' is {short_repr(value)}: {violation.text}", violation.help)


def require_zone(value: str) -> None:
    help = time_zone_help(value)
    if help is not None:
        raise error("E212", f"timezone {value!r} is not in the time zone database", help)


def with_type(value: object) -> str:
    return "None" if value is None else f"{short_repr(value)} ({type(value).__name__})"


def quoted(value: object) -> str | None:
    return f"write {str(value)!r}" if isinstance(value, int | float) else None
