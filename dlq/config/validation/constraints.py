"""What a single value must be like, beyond its type.

Each check returns the value, or raises Unfit, whose message goes on after "SETTING is VALUE: ".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address as parse_ip_address
from urllib.parse import parse_qsl, urlsplit

from dlq.jobs.queue_names import check_queue_name
from dlq.primitives.import_path import is_import_path
from dlq.primitives.legacy_names import modern_path, path_of_word
from dlq.primitives.time_zones import time_zone_help

DOTTED_PATH = r"^[^\W\d]\w*(\.[^\W\d]\w*)+$"
"""As a pattern of JSON Schema, for editors; `dotted_path` has the last word."""

URL_SCHEMES = ("redis", "rediss", "unix", "valkey", "valkeys")

URL_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "db": (),
    "username": (),
    "password": (),
    "ssl_ca_certs": (),
    "ssl_ca_path": (),
    "ssl_certfile": (),
    "ssl_keyfile": (),
    "ssl_password": (),
    "ssl_ciphers": (),
    "ssl_cert_reqs": ("required", "optional", "none"),
    "ssl_check_hostname": ("true", "false"),
}
"""What may stand after the ? of a URL, and the values that some are limited to. Not all that
redis-py takes there: time-outs and retries are ours to say, since a retried pop can lose a job."""


PORTS = (1, 65535)
WORKERS_OF_A_QUEUE = (0, 1024)
DEQUEUE_TIMEOUTS = (1, 300)
"""Seconds."""


class Unfit(Exception):
    """`code` as in E103, of the rule that is broken; what was expected is the message."""

    def __init__(self, code: str, expected: str, help: str | None = None) -> None:
        super().__init__(expected)
        self.code = code
        self.expected = expected
        self.help = help


def as_tuple(value: object) -> object:
    """Lists and tuples are both fine; a set has no order to keep, so it is sorted."""
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, set | frozenset):
        return tuple(sorted(value, key=str))
    return value


def queue_name(name: str) -> str:
    problem = check_queue_name(name)
    if problem is not None:
        raise Unfit("E102", problem.text, problem.help)
    return name


def dotted_path(path: str) -> str:
    if not is_import_path(path):
        known = path_of_word(path)
        help = None if known is None else f"use {known!r}"
        raise Unfit("E110", "must be a dotted path, as in 'package.module.Class'", help)
    return modern_path(path)


def logger_factory(value: object) -> object:
    if isinstance(value, str):
        return dotted_path(value)
    if callable(value):
        return value
    raise Unfit("E110", "must be the dotted path of a function, or a function")


def redis_host(host: str) -> str:
    if "://" in host:
        raise Unfit("E105", "must be a host name only", "use LIGHTWEIGHT_QUEUE_REDIS_URL for a URL")
    name, colon, port = host.rpartition(":")
    if colon and ":" not in name and port.isdigit():
        raise Unfit(
            "E105",
            "must be a host name only",
            f"use {name!r}, and LIGHTWEIGHT_QUEUE_REDIS_PORT = {port}",
        )
    if not host or not host.isprintable() or any(c.isspace() or c in "/@" for c in host):
        raise Unfit("E105", "must be a host name or an address, as in 'redis.internal'")
    return host


def redis_url(url: str) -> str:
    """The URL itself is never part of a message."""
    scheme = url.partition("://")[0] if "://" in url else ""
    if scheme not in URL_SCHEMES:
        allowed = ", ".join(f"{name}://" for name in URL_SCHEMES)
        raise Unfit(
            "E106", f"must start with one of {allowed}", "as in redis://redis.internal:6379/0"
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Unfit("E106", "its host or port cannot be read", _quoting_help) from None
    if port == 0:
        raise Unfit("E106", "its port must be 1 to 65535")
    if scheme == "unix":
        if not parts.path:
            raise Unfit("E106", "has no path of a socket", "as in unix:///run/valkey/valkey.sock")
    else:
        if not parts.hostname:
            raise Unfit("E106", "names no host", "as in redis://redis.internal:6379/0")
        _require_database(parts.path.strip("/"))
    _require_options(scheme, parts.query)
    return url


def _require_database(text: str) -> None:
    if text and not re.fullmatch("[0-9]+", text):
        raise Unfit("E106", "its database must be a number", "as in redis://redis.internal:6379/0")


def _require_options(scheme: str, query: str) -> None:
    """An unknown name is not shown: it may be the rest of a password with an unescaped ? in it."""
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in URL_OPTIONS:
            raise Unfit(
                "E106", "has an option that is not known", f"there are {', '.join(URL_OPTIONS)}"
            )
        if name.startswith("ssl_") and scheme not in ("rediss", "valkeys"):
            raise Unfit("E106", f"its option {name} is for TLS", "start it with rediss://")
        if name == "db":
            _require_database(value)
        allowed = URL_OPTIONS[name]
        if allowed and value not in allowed:
            raise Unfit("E106", f"its option {name} must be one of {', '.join(allowed)}")


_quoting_help = "write / as %2F, @ as %40 and : as %3A in a user name or password"


def ip_address(value: str) -> str:
    try:
        parse_ip_address(value)
    except ValueError:
        raise Unfit(
            "E105", "must be an IP address", "use '127.0.0.1' for this machine only"
        ) from None
    return value


def site_url(url: str) -> str:
    if not is_site_url(url):
        raise Unfit("E105", "must be an http or https URL", "as in 'https://shop.example'")
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
        raise Unfit("E105", "must be the IANA name of a time zone", help)
    return name
