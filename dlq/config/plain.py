"""Settings that are plainly right, told without the model.

Nearly all are, and a web process that enqueues, a worker and a start need to know no more than
that; to import pydantic and make the model takes a sixth of a start, and 5 MiB. What is not plain
here, be it a mistake or an odd value that is fine, is the model's to judge: it has the last word,
and all the words about mistakes. So this may know less than the model, and never more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from dlq.config.settings import Secret, Settings
from dlq.config.validation import constraints as check
from dlq.primitives.frozen import FrozenDict

Accept: TypeAlias = Callable[[Any], Any]
"""What becomes of a value; raises NotPlain or Unfit."""

MANY = 2**53
"""Up to which whole numbers and floats are the same."""
INSTANT = 0.001
"""Seconds."""


class NotPlain(Exception):
    """The model has to be asked."""


def plain_settings(values: Mapping[str, object]) -> Settings | None:
    """`values` by the name of the field; what is missing has its default. None where the model has
    to be asked."""
    try:
        return Settings(**{name: ACCEPT[name](value) for name, value in values.items()})
    except (KeyError, NotPlain, check.Unfit):
        return None


def _text(value: object) -> str:
    if type(value) is str and value.isascii():
        return value
    raise NotPlain


def _name(value: object) -> str:
    return _text(value) or _refused(value)


def _switch(value: object) -> bool:
    return value if type(value) is bool else _refused(value)


def _refused(value: object) -> Any:
    raise NotPlain


def _that_is(checked: Callable[[str], str]) -> Accept:
    return lambda value: checked(_text(value))


def _one_of(*words: str) -> Accept:
    return lambda value: value if _text(value) in words else _refused(value)


def _whole(lowest: int, highest: int = MANY) -> Accept:
    def accept(value: object) -> int:
        if type(value) is int and lowest <= value <= highest:
            return value
        raise NotPlain

    return accept


def _number(lowest: float) -> Accept:
    def accept(value: object) -> float:
        if (type(value) is int or type(value) is float) and lowest <= value <= MANY:
            return float(value)
        raise NotPlain

    return accept


def _optional(accept: Accept) -> Accept:
    return lambda value: None if value is None else accept(value)


def _secret(accept: Accept) -> Accept:
    return lambda value: Secret(accept(value))


def _tuple(accept: Accept) -> Accept:
    def accept_all(value: object) -> tuple[object, ...]:
        if type(value) is list or type(value) is tuple:
            return tuple(map(accept, value))
        raise NotPlain

    return accept_all


def _table(accept: Accept) -> Accept:
    """By the names of queues."""
    key = _that_is(check.queue_name)

    def accept_all(value: object) -> Mapping[str, object]:
        if type(value) is dict:
            return FrozenDict({key(name): accept(item) for name, item in value.items()})
        raise NotPlain

    return accept_all


_path = _that_is(check.dotted_path)
_count = _whole(0)
_seconds = _number(0)
_port = _whole(*check.PORTS)

ACCEPT: Mapping[str, Accept] = {
    "workers": _table(_whole(*check.WORKERS_OF_A_QUEUE)),
    "backend": _path,
    "backend_overrides": _table(_path),
    "middleware": _tuple(_path),
    "logger_factory": _path,
    "ignore_apps": _tuple(_name),
    "atomic_jobs": _switch,
    "redis_host": _that_is(check.redis_host),
    "redis_port": _port,
    "redis_password": _optional(_secret(_text)),
    "redis_database": _count,
    "redis_prefix": _text,
    "redis_url": _optional(_secret(_that_is(check.redis_url))),
    "redis_socket_timeout": _optional(_number(INSTANT)),
    "dequeue_timeout": _whole(*check.DEQUEUE_TIMEOUTS),
    "enable_prometheus": _switch,
    "prometheus_start_port": _port,
    "prometheus_address": _that_is(check.ip_address),
    "site_url": _that_is(check.site_url),
    "worker_max_jobs": _count,
    "worker_max_idle": _seconds,
    "stop_timeout": _optional(_seconds),
    "max_crashes": _whole(1),
    "failed_keep": _count,
    "cron_timezone": _that_is(check.timezone),
    "cron_machines": _one_of("first", "all"),
    "cron_catch_up": _seconds,
    "task_modules": _tuple(_name),
    "cron_commands": _tuple(_name),
    "preload": _switch,
}
