"""One cron row as a value: typed, frozen, complete.

Knows nothing of Django, files or clocks: where a row was written comes in with it.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from dlq.cron.rows.constraints import (
    error,
    field_text,
    quoted,
    require_json,
    require_queue_name,
    require_zone,
    with_type,
)
from dlq.cron.rows.fields import DAYS, HOURS, MINUTES, FieldViolation, checked, checked_schedule
from dlq.job import MAX_TIMEOUT
from dlq.primitives.text import short_repr
from dlq.types import DEFAULT, QueueName, Source

KEYS = (
    "command",
    "minutes",
    "hours",
    "days",
    "schedule",
    "queue",
    "timeout",
    "sigkill_on_stop",
    "command_args",
    "command_kwargs",
    "timezone",
    "atomic",
)
"""What a row of CONFIG may have."""

DEFAULT_CRON_QUEUE = QueueName("cron")

OLD_SPELLING = ("minutes", "hours", "days")


class Violation(NamedTuple):
    """A mistake in a row. `code` is that of a rule in `dlq.diagnostics.rules.cron`; `key` is
    where it is; `at_key` says that the key itself is wrong, and not its value."""

    code: str
    key: str | None
    message: str
    help: str | None = None
    at_key: bool = False


class InvalidRow(ValueError):
    """A row with mistakes; `violations` has them all."""

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        super().__init__("; ".join(violation.message for violation in violations))
        self.violations = violations


class CronRow(BaseModel):
    """A row of CONFIG. `minutes`, `hours` and `days` are cron text whatever they were written as;
    `timezone` None stands for CRON_TIMEZONE, `atomic` None for ATOMIC_JOBS. `app` is the module
    that has the row, `index` its place in CONFIG from 0."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    command: str
    minutes: str | None = None
    hours: str | None = None
    days: str = "*"
    schedule: str | None = None
    queue: QueueName = DEFAULT_CRON_QUEUE
    timeout: int | float | None = None
    sigkill_on_stop: bool = False
    command_args: tuple[Any, ...] = ()
    command_kwargs: Mapping[str, Any] = Field(default_factory=dict)
    timezone: str | None = None
    atomic: bool | None = None
    app: str = ""
    index: int = 0
    source: Source = DEFAULT

    @property
    def expression(self) -> str:
        """The schedule as five fields of cron text, however it was spelt."""
        return self.schedule or f"{self.minutes} {self.hours} * * {self.days}"

    @property
    def identity(self) -> str:
        """Sixteen hex digits that name the row in the once-only marks, on every machine and after
        every restart.

        They are made of what the row does and when: command, arguments, schedule, time zone and
        queue. So a row keeps its name when other rows are added, removed or moved, and also when
        it moves to another app, or gets another timeout, sigkill_on_stop or atomic: none of these
        may double a run while an old and a new scheduler share a minute. Changing what it does or
        when makes another row. Two rows that agree in all of it are the same row.
        """
        content = [
            self.command,
            list(self.command_args),
            dict(self.command_kwargs),
            self.expression,
            self.timezone,
            self.queue,
        ]
        text = json.dumps(content, sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    @field_validator("command", "queue", "timezone", mode="before")
    @classmethod
    def _text(cls, value: object, info: Any) -> object:
        key = info.field_name
        if value is None and key == "timezone":
            return None
        if not isinstance(value, str):
            raise error("E206", f"{key!r} is {with_type(value)}, and must be text", quoted(value))
        if not value.strip():
            raise error("E206", f"{key!r} is empty")
        if key == "queue":
            require_queue_name(value)
        elif key == "timezone":
            require_zone(value)
        return value

    @field_validator("minutes", "hours", "days", mode="before")
    @classmethod
    def _field(cls, value: object, info: Any) -> object:
        field = {"minutes": MINUTES, "hours": HOURS, "days": DAYS}[info.field_name]
        text = field_text(field, value)
        try:
            return checked(field, text)
        except FieldViolation as violation:
            message = f"{field.key} {short_repr(value)}: {violation}"
            raise error("E205", message, violation.help) from None

    @field_validator("schedule", mode="before")
    @classmethod
    def _schedule(cls, value: object) -> object:
        if not isinstance(value, str):
            raise error(
                "E205",
                f"'schedule' is {with_type(value)}, and must be five fields of cron text",
                "for instance '*/5 9-17 * * 1-5'",
            )
        try:
            return checked_schedule(value)
        except FieldViolation as violation:
            raise error("E205", f"schedule {value[:60]!r}: {violation}", violation.help) from None

    @field_validator("timeout", mode="before")
    @classmethod
    def _seconds(cls, value: object) -> object:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise error(
                "E206",
                f"'timeout' is {with_type(value)}, and must be a number of seconds above 0",
                f"write {value}" if isinstance(value, str) and value.isdigit() else None,
            )
        if not 0 < value <= MAX_TIMEOUT:
            raise error(
                "E206",
                f"'timeout' is {short_repr(value)}, and must be a number of seconds above 0, up to"
                f" {MAX_TIMEOUT}",
                "leave it out for no limit",
            )
        return value

    @field_validator("sigkill_on_stop", "atomic", mode="before")
    @classmethod
    def _fact(cls, value: object, info: Any) -> object:
        if isinstance(value, bool) or (value is None and info.field_name == "atomic"):
            return value
        raise error("E206", f"{info.field_name!r} is {with_type(value)}, and must be True or False")

    @field_validator("command_args", mode="before")
    @classmethod
    def _args(cls, value: object) -> object:
        if not isinstance(value, list | tuple):
            raise error(
                "E206",
                f"'command_args' is {with_type(value)}, and must be a list",
                f"write [{value!r}]" if isinstance(value, str | int | float) else None,
            )
        require_json(*(((None,) * place + (item,), {}) for place, item in enumerate(value)))
        return tuple(copy.deepcopy(value))

    @field_validator("command_kwargs", mode="before")
    @classmethod
    def _kwargs(cls, value: object) -> object:
        if not isinstance(value, dict):
            raise error(
                "E206",
                f"'command_kwargs' is {with_type(value)}, and must be a dict",
                "write {'option': value}",
            )
        for name in value:
            if not isinstance(name, str):
                raise error(
                    "E206",
                    f"'command_kwargs' has the key {short_repr(name)}, and option names are text",
                )
        require_json(*(((), {name: item}) for name, item in value.items()))
        return copy.deepcopy(value)


def parse_row(
    raw: Mapping[Any, Any], *, app: str = "", index: int = 0, source: Source = DEFAULT
) -> CronRow:
    """The row, or InvalidRow with every mistake in it. `raw` is not touched."""
    violations = [*_unknown_keys(raw, index), *_spelling(raw)]
    known = {key: raw[key] for key in KEYS if key in raw}
    try:
        row = CronRow(**known, app=app, index=index, source=source)
    except ValidationError as invalid:
        for detail in invalid.errors(include_url=False):
            key = str(detail["loc"][0])
            if detail["type"] == "missing":
                continue
            context = detail.get("ctx", {})
            violations.append(Violation(detail["type"], key, detail["msg"], context.get("help")))
        raise InvalidRow(tuple(violations)) from None
    if violations:
        raise InvalidRow(tuple(violations))
    return row


def _unknown_keys(raw: Mapping[Any, Any], index: int) -> list[Violation]:
    found = []
    for key in raw:
        if isinstance(key, str) and key in KEYS:
            continue
        shown_key = short_repr(key)
        close = get_close_matches(shown_key.strip("'").lower(), KEYS, 1, 0.6)
        help = f"did you mean {close[0]!r}?" if close else f"the keys are {', '.join(KEYS)}"
        message = f"unknown key {shown_key} in cron row {index + 1}"
        found.append(Violation("E204", key if isinstance(key, str) else None, message, help, True))
    return found


def _spelling(raw: Mapping[Any, Any]) -> list[Violation]:
    """What only the keys together say: the old spelling and the new one, and what is missing."""
    violations = []
    old = [key for key in OLD_SPELLING if key in raw]
    if "command" not in raw:
        violations.append(
            Violation("E203", "command", "'command' is required", "name a command of manage.py")
        )
    if "schedule" in raw:
        if old:
            violations.append(
                Violation(
                    "E207",
                    old[0],
                    f"'schedule' and {old[0]!r} in one row",
                    "keep 'schedule', or 'minutes', 'hours' and 'days'",
                    True,
                )
            )
        return violations
    for key, each in (("minutes", "minute"), ("hours", "hour")):
        if key not in raw:
            violations.append(
                Violation("E203", key, f"{key!r} is required", f"'*' for each {each}")
            )
    return violations
