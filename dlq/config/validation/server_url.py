"""What REDIS_URL must be like. The URL itself is never part of a message: it may hold a password.

A new form of URL is a new scheme in SCHEMES, and a check of what follows it in `check_server_url`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pydantic import SecretStr
from pydantic_core import PydanticCustomError

from dlq.config.validation.constraints import MOST_DATABASES, violates

EXAMPLE = "as in redis://redis.internal:6379/0"
IPV6_HELP = "an IPv6 address stands in brackets, as in redis://[::1]:6379/0"
QUOTING_HELP = "write / as %2F, @ as %40 and : as %3A in a user name or password"


class Scheme(NamedTuple):
    """How a server is reached: over TCP, with or without TLS, or by a socket in the file system."""

    tls: bool = False
    socket: bool = False


SCHEMES: Mapping[str, Scheme] = {
    "redis": Scheme(),
    "rediss": Scheme(tls=True),
    "unix": Scheme(socket=True),
    "valkey": Scheme(),
    "valkeys": Scheme(tls=True),
}

OPTIONS: Mapping[str, tuple[str, ...]] = {
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
"""What may follow the ? of a URL, and the values that some are limited to. Not all that redis-py
takes there: time-outs and retries are for dlq to decide, since a retried pop can lose a job."""


def server_url(secret: SecretStr) -> SecretStr:
    """Check a URL for pydantic."""
    check_server_url(secret.get_secret_value())
    return secret


def check_server_url(url: str) -> None:
    name, separator, rest = url.partition("://")
    scheme = SCHEMES.get(name) if separator else None
    if scheme is None:
        allowed = ", ".join(f"{each}://" for each in SCHEMES)
        raise _violates(f"must start with one of {allowed}", EXAMPLE)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        help = IPV6_HELP if _is_bare_ipv6(rest.partition("/")[0]) else QUOTING_HELP
        raise _violates("its host or port cannot be read", help) from None
    if port == 0:
        raise _violates("its port must be 1 to 65535")
    if scheme.socket:
        if not parts.path:
            raise _violates("has no path of a socket", "as in unix:///run/valkey/valkey.sock")
    else:
        _check_host(parts)
        _check_database(parts.path.strip("/"))
    _check_options(scheme, parts.query)


def _violates(message: str, help: str | None = None) -> PydanticCustomError:
    return violates("E106", message, help)


def _check_host(parts: SplitResult) -> None:
    if _is_bare_ipv6(parts.netloc):
        raise _violates("its host cannot be read", IPV6_HELP)
    if not parts.hostname:
        raise _violates("names no host", EXAMPLE)


def _is_bare_ipv6(netloc: str) -> bool:
    """Say whether the host of a URL is an IPv6 address without brackets, maybe with a port."""
    host = netloc.rpartition("@")[2]
    return "[" not in host and host.count(":") > 1


def _check_database(text: str) -> None:
    if text and not re.fullmatch("[0-9]+", text):
        raise _violates("its database must be a number", EXAMPLE)
    if len(text.lstrip("0")) > len(str(MOST_DATABASES)) or int(text or 0) > MOST_DATABASES:
        raise _violates(f"its database must be a number from 0 to {MOST_DATABASES}", EXAMPLE)


def _check_options(scheme: Scheme, query: str) -> None:
    """An unknown name is not shown: it may be the rest of a password with an unescaped ? in it."""
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in OPTIONS:
            raise _violates("has an option that is not known", f"there are {', '.join(OPTIONS)}")
        if name.startswith("ssl_") and not scheme.tls:
            raise _violates(f"its option {name} is for TLS", "start it with rediss://")
        if name == "db":
            _check_database(value)
        allowed = OPTIONS[name]
        if allowed and value not in allowed:
            raise _violates(f"its option {name} must be one of {', '.join(allowed)}")
