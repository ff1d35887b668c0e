"""What a single call may change about its job: queue, timeout, delay and the like.

Options come from `task.using(...)`, or with their 4.11 names among the keyword arguments of a call.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final, NamedTuple

from dlq.errors import UnusableArgument
from dlq.job import MAX_TIMEOUT, is_seconds, is_timeout
from dlq.jobs.placement import AT_ONCE, Placement
from dlq.jobs.queue_names import check_queue_name
from dlq.jobs.task import MAX_DELAY
from dlq.primitives.text import short_repr
from dlq.types import QueueName

OPTION_PREFIX = "django_lightweight_queue_"
PREFIXED = {OPTION_PREFIX + name: name for name in ("queue", "timeout", "sigkill_on_stop")}
"""What may be given among the arguments of a call: with the prefix, and what it means."""


class Unset(Enum):
    """The absence of an option whose None means something."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


class CallOptions(NamedTuple):
    """What holds for a call. `timeout` is in seconds. `database` is whose commit `on_commit` waits
    for; None is the default database."""

    queue: QueueName
    timeout: float | None
    sigkill_on_stop: bool
    placement: Placement = AT_ONCE
    unique_key: str | None = None
    database: str | None = None


def take_prefixed(path: str, kwargs: dict[str, Any], options: CallOptions) -> CallOptions:
    """Remove the options with a prefix from `kwargs`, and let them override `options`."""
    for given, name in PREFIXED.items():
        if given not in kwargs:
            continue
        value = kwargs.pop(given)
        if name == "queue":
            options = options._replace(queue=queue_name(path, given, value))
        elif name == "timeout":
            options = options._replace(timeout=timeout_of(path, given, value))
        else:
            options = options._replace(sigkill_on_stop=bool(value))
    return options


def queue_name(path: str, name: str, value: object) -> QueueName:
    """Check a queue's name by the rule of WORKERS: some would be other keys on the server."""
    problem = check_queue_name(value)
    if problem is not None:
        help = f"; {problem.help}" if problem.help else ""
        raise UnusableArgument(f"{path}: {name} is {short_repr(value)}: {problem.message}{help}")
    return QueueName(str(value))


def timeout_of(path: str, name: str, value: Any) -> float | None:
    if not is_timeout(value):
        raise UnusableArgument(
            f"{path}: {name} is {short_repr(value)}: give a number of seconds up to {MAX_TIMEOUT},"
            " or None for no limit"
        )
    seconds: float | None = value
    return seconds


def placement_of(
    path: str, delay: float | timedelta, at: datetime | None, unique: float | None
) -> Placement:
    """Check when a job is due. A moment that has passed is now."""
    if at is None:
        return Placement(delay=_delay(path, delay) or None, unique=unique)
    if delay:
        raise UnusableArgument(f"{path}: delay and at are both given: give one of them")
    if not isinstance(at, datetime):
        raise UnusableArgument(f"{path}: at is {short_repr(at)}: give a datetime")
    if at.utcoffset() is None:
        raise UnusableArgument(
            f"{path}: at is {at!r}, which has no time zone: use django.utils.timezone.now() or"
            " timezone.make_aware()"
        )
    moment = at.timestamp()
    ahead = moment - time.time()
    if ahead > MAX_DELAY:
        raise UnusableArgument(f"{path}: at is {at.isoformat()}, more than a year from now")
    return Placement(at=moment if ahead > 0 else None, unique=unique)


def _delay(path: str, delay: float | timedelta) -> float:
    seconds = delay.total_seconds() if isinstance(delay, timedelta) else delay
    if not is_seconds(seconds, MAX_DELAY):
        raise UnusableArgument(
            f"{path}: delay is {short_repr(delay)}: give seconds, from 0 to {MAX_DELAY} (a year)"
        )
    return float(seconds)
