"""The settings as one frozen, typed value: what everything after the validation works with.

Plain, so that a worker needs no pydantic. What each field may hold, and what it means, stands in
`config.model`, which makes these values out of what users wrote; a value that is made without it,
in a test for instance, is not validated.

Its annotations are evaluated where they stand: compiling the text of each would take as long as the
rest of this module.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from dlq.primitives.frozen import FrozenDict

PREFIX = "LIGHTWEIGHT_QUEUE_"
"""Of every setting's name, in Django settings and in the environment."""

SECRETS = frozenset({"REDIS_PASSWORD", "REDIS_URL"})
"""Their values, or a part of them, are never shown."""


class Secret:
    """A text that no log and no traceback should show."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def get_secret_value(self) -> str:
        """Named as pydantic's."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('********')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


class Settings(NamedTuple):
    """Every setting, under its name in lower case, in the order of the documentation. Durations are
    in seconds. Paths of classes are those of dlq, also where the old package's were written."""

    workers: Mapping[str, int] = FrozenDict()
    backend: str = "dlq.backends.synchronous.SynchronousBackend"
    backend_overrides: Mapping[str, str] = FrozenDict()
    middleware: tuple[str, ...] = ("dlq.middleware.logging.LoggingMiddleware",)
    logger_factory: str | Callable[[str], Any] = "logging.getLogger"
    ignore_apps: tuple[str, ...] = ()
    atomic_jobs: bool = True
    redis_host: str = "127.0.0.1"
    redis_port: int = 6379
    redis_password: Secret | None = None
    redis_database: int = 0
    redis_prefix: str = ""
    redis_url: Secret | None = None
    redis_socket_timeout: float | None = 30
    dequeue_timeout: int = 15
    enable_prometheus: bool = False
    prometheus_start_port: int = 9300
    prometheus_address: str = "127.0.0.1"
    site_url: str = "http://localhost:8000"
    worker_max_jobs: int = 1000
    worker_max_idle: float = 1800
    stop_timeout: float | None = None
    max_crashes: int = 3
    failed_keep: int = 1000
    cron_timezone: str = "UTC"
    cron_machines: Literal["first", "all"] = "first"
    cron_catch_up: float = 600
    task_modules: tuple[str, ...] = ()
    cron_commands: tuple[str, ...] = ()
    preload: bool = True


DEFAULTS = Settings()

SETTING_NAMES = tuple(name.upper() for name in Settings._fields)
"""Without the prefix, in the order of the documentation."""
