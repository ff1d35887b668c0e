"""One cron row as a value: typed, frozen, complete.

Knows nothing of Django, files or clocks: where a row was written comes in with it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from dlq.cron.rows.constraints import (
    OUT_OF_RANGE,
    Arguments,
    Days,
    Fact,
    Hours,
    Minutes,
    Options,
    Queue,
    Schedule,
    Seconds,
    Text,
    TimeZone,
    Violation,
    violation_of,
)
from dlq.primitives.text import short_repr
from dlq.types import DEFAULT, QueueName, Source

DEFAULT_CRON_QUEUE = QueueName("cron")


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

    command: Text
    minutes: Minutes = None
    hours: Hours = None
    days: Days = "*"
    schedule: Schedule = None
    queue: Queue = DEFAULT_CRON_QUEUE
    timeout: Seconds | None = None
    sigkill_on_stop: Fact = False
    command_args: Arguments = ()
    command_kwargs: Options = Field(default_factory=dict)
    timezone: TimeZone | None = None
    atomic: Fact | None = None
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


KEYS = tuple(key for key in CronRow.model_fields if key not in {"app", "index", "source"})
"""What a row of CONFIG may have."""


def parse_row(
    raw: Mapping[Any, Any], *, app: str = "", index: int = 0, source: Source = DEFAULT
) -> CronRow:
    """The row, or InvalidRow with every mistake in it. `raw` is not touched. Keys that are not
    known have no effect: `unknown_keys` has them."""
    violations: list[Violation] = []
    known = {key: raw[key] for key in KEYS if key in raw}
    try:
        row = CronRow(**known, app=app, index=index, source=source)
    except ValidationError as invalid:
        details: dict[int | str, ErrorDetails] = {}
        for detail in invalid.errors(include_url=False):
            # A value that may be of two types has an error for each.
            if detail["loc"][0] not in details or detail["type"] in OUT_OF_RANGE:
                details[detail["loc"][0]] = detail
        violations = [violation_of(detail) for detail in details.values()]
    violations += _combination(raw)
    if violations:
        raise InvalidRow(tuple(violations)) from None
    return row


def unknown_keys(raw: Mapping[Any, Any], index: int) -> Iterator[Violation]:
    """The keys of a row that have no effect, as in 4.11, and what was probably meant."""
    for key in raw:
        if isinstance(key, str) and key in KEYS:
            continue
        name = short_repr(key)
        close = get_close_matches(name.strip("'").lower(), KEYS, 1, 0.6)
        help = f"did you mean {close[0]!r}?" if close else f"the keys are {', '.join(KEYS)}"
        message = f"unknown key {name} in cron row {index + 1} has no effect"
        yield Violation("W204", key if isinstance(key, str) else None, message, help, True)


def _combination(raw: Mapping[Any, Any]) -> list[Violation]:
    """What only the keys together say: both ways to write a schedule, or neither."""
    old = [key for key in ("minutes", "hours", "days") if key in raw]
    if "schedule" not in raw:
        return [
            Violation("E203", key, f"{key!r} is required", f"'*' for each {key.removesuffix('s')}")
            for key in ("minutes", "hours")
            if key not in raw
        ]
    if not old:
        return []
    help = "keep 'schedule', or 'minutes', 'hours' and 'days'"
    return [Violation("E207", old[0], f"'schedule' and {old[0]!r} in one row", help, True)]
