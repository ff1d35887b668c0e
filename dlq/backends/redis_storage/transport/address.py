"""Where a server is, for connections and for people (without the password). Opens nothing."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import redis

from dlq.config import active
from dlq.config.settings import Settings


class Endpoint(NamedTuple):
    """A port on the network, and whether it is to speak TLS."""

    host: str
    port: int
    is_encrypted: bool


class Address:
    """The server that the settings name."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __str__(self) -> str:
        endpoint = self.endpoint
        if endpoint is None:
            return urlsplit(self.url or "").path
        return f"{endpoint.host}:{endpoint.port}"

    @property
    def endpoint(self) -> Endpoint | None:
        """None for a socket of this machine."""
        if self.url is None:
            return Endpoint(self._settings.redis_host, self._settings.redis_port, False)
        parts = urlsplit(self.url)
        if parts.scheme == "unix":
            return None
        return Endpoint(parts.hostname or "localhost", parts.port or 6379, parts.scheme == "rediss")

    @cached_property
    def url(self) -> str | None:
        """REDIS_URL with the scheme that redis-py knows: Valkey's names mean the same protocol."""
        if self._settings.redis_url is None:
            return None
        # By hand: urlunsplit leaves the slashes of `unix:///path` out.
        scheme, _, rest = self._settings.redis_url.get_secret_value().partition("://")
        known = {"valkey": "redis", "valkeys": "rediss"}.get(scheme, scheme)
        return f"{known}://{rest}"

    @cached_property
    def options(self) -> dict[str, Any]:
        """The options of a redis-py connection that say where the server is and who connects. What
        a URL means, redis-py says."""
        if self.url is not None:
            options: dict[str, Any] = redis.connection.parse_url(self.url)  # type: ignore[no-untyped-call]  # redis-py's own is untyped
            options.pop("connection_class", None)
            return options
        password = self._settings.redis_password
        return {
            "host": self._settings.redis_host,
            "port": self._settings.redis_port,
            "db": self._settings.redis_database,
            "password": None if password is None else password.get_secret_value(),
        }

    @property
    def socket_timeout(self) -> float | None:
        """Seconds, as the settings say."""
        return self._settings.redis_socket_timeout

    @property
    def database(self) -> int:
        return int(self.options.get("db") or 0)

    @property
    def database_setting(self) -> str:
        """The name of the setting that says which database."""
        return "REDIS_DATABASE" if self._settings.redis_url is None else "REDIS_URL"

    @property
    def location_settings(self) -> str:
        """The names of the settings that say which server."""
        return "REDIS_HOST or REDIS_PORT" if self._settings.redis_url is None else "REDIS_URL"

    def source_of(self, setting: str) -> str:
        """Return where a setting was written, for the end of a sentence; empty where that isn't
        known."""
        source = active.source_of(setting, self._settings)
        return "" if source is None else f" ({source.location})"
