"""What a single value must be like, beyond its type.

Each check returns the value, or raises what `violates` makes: pydantic collects it.
"""

from __future__ import annotations

from ipaddress import ip_address as parse_ip_address
from typing import Final, LiteralString
from urllib.parse import urlsplit

from pydantic_core import PydanticCustomError

from dlq.jobs.queue_names import check_queue_name
from dlq.primitives.import_path import is_import_path
from dlq.primitives.legacy_names import modern_path, path_of_word
from dlq.primitives.time_zones import time_zone_help

CLASS_PATH = r"^[^\W\d]\w*(\.[^\W\d]\w*)+$"
"""As a pattern of JSON Schema, for editors; `class_path` has the last word."""

MOST_WORKERS = 1024
"""Workers of one queue."""
MOST_DATABASES = 65_535
"""The highest number of a database. A server has 16 unless its configuration says otherwise."""

NO_NONE: Final = "no None"
"""Marks a setting whose None is a mistake, and does not stand for its default."""


def violates(rule: LiteralString, message: str, help: str | None = None) -> PydanticCustomError:
    """Make the error to raise for a broken rule. `rule` is its code, as in E103; `message` goes on
    after "SETTING is VALUE: "; `help` is something to type."""
    # Braces in a message would be fields of the template, so the text goes through one.
    return PydanticCustomError(rule, "{message}", {"message": message, "help": help or ""})


def worker_count(value: object) -> int:
    """Check how many workers a queue has."""
    if not isinstance(value, int) or isinstance(value, bool):
        expected = f"must be a whole number from 0 to {MOST_WORKERS}"
        raise violates("E101", expected, _worker_count_help(value))
    if value < 0:
        raise violates(
            "E101",
            "a queue cannot have fewer than 0 workers",
            "use 0 to stop running this queue, or remove the entry",
        )
    if value > MOST_WORKERS:
        expected = f"a queue cannot have more than {MOST_WORKERS} workers"
        raise violates("E101", expected, f"use {MOST_WORKERS} or fewer")
    return int(value)


def _worker_count_help(value: object) -> str:
    if isinstance(value, bool) or (isinstance(value, float) and value.is_integer()):
        return f"use {int(value)}"
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 6:
        return f"use {int(value)}"
    if value is None:
        return "remove the entry, or use 0 to stop running this queue"
    return "use a number, as in 1"


def queue_name(name: str) -> str:
    violation = check_queue_name(name)
    if violation is not None:
        raise violates("E102", violation.message, violation.help)
    return name


def class_path(path: str) -> str:
    if not is_import_path(path):
        known = path_of_word(path)
        help = None if known is None else f"use {known!r}"
        raise violates("E110", "must be a dotted path, as in 'package.module.Class'", help)
    return modern_path(path)


def logger_factory(value: object) -> object:
    if isinstance(value, str):
        return class_path(value)
    if callable(value):
        return value
    raise violates("E110", "must be the dotted path of a function, or a function")


def redis_host(host: str) -> str:
    if "://" in host:
        raise violates(
            "E105", "must be a host name only", "use LIGHTWEIGHT_QUEUE_REDIS_URL for a URL"
        )
    name, colon, port = host.rpartition(":")
    is_bracketed = name.startswith("[") and name.endswith("]")
    if colon and port.isdigit() and (is_bracketed or ":" not in name):
        bare = name[1:-1] if is_bracketed else name
        raise violates(
            "E105",
            "must be a host name only",
            f"use {bare!r}, and LIGHTWEIGHT_QUEUE_REDIS_PORT = {port}",
        )
    if host.startswith("[") and host.endswith("]"):
        raise violates(
            "E105",
            "must be a host name or an address, and brackets are for URLs",
            f"use {host[1:-1]!r}",
        )
    if not host or not host.isprintable() or any(c.isspace() or c in "/@" for c in host):
        raise violates("E105", "must be a host name or an address, as in 'redis.internal'")
    return host


def ip_address(value: str) -> str:
    try:
        parse_ip_address(value)
    except ValueError:
        raise violates(
            "E105", "must be an IP address", "use '127.0.0.1' for this machine only"
        ) from None
    return value


def site_url(url: str) -> str:
    if not is_site_url(url):
        raise violates("E105", "must be an http or https URL", "as in 'https://shop.example'")
    return url


def is_site_url(url: object) -> bool:
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False


def timezone(name: str) -> str:
    help = time_zone_help(name)
    if help is not None:
        raise violates("E105", "must be the IANA name of a time zone", help)
    return name
