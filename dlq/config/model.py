"""The settings as one frozen, typed value, and the resolution that it came out of.

A plain pydantic model: making one reads neither the environment nor Django.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from dlq.findings import Finding
from dlq.types import Source

PREFIX = "LIGHTWEIGHT_QUEUE_"
"""Of every setting's name, in Django settings and in the environment."""


class Settings(BaseModel):
    """Every setting, under its name in lower case. Durations are in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    workers: Mapping[str, int] = Field(default_factory=dict)
    backend: str = "dlq.backends.synchronous.SynchronousBackend"
    backend_overrides: Mapping[str, str] = Field(default_factory=dict)
    middleware: tuple[str, ...] = ("dlq.middleware.logging.LoggingMiddleware",)
    logger_factory: str | Callable[[str], Any] = "logging.getLogger"
    ignore_apps: tuple[str, ...] = ()
    atomic_jobs: bool = True
    redis_host: str = "127.0.0.1"
    redis_port: int = 6379
    redis_password: SecretStr | None = None
    redis_database: int = 0
    redis_prefix: str = ""
    redis_url: SecretStr | None = None
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


@dataclass(frozen=True, slots=True)
class Hidden:
    """A value that a higher source hides."""

    value: object
    source: Source


@dataclass(frozen=True, slots=True)
class ResolvedValue:
    """One setting as it is in force. `name` has no prefix and is in upper case; `items` says where
    each key of a dict was written, as far as that is known."""

    name: str
    value: object
    source: Source
    hides: tuple[Hidden, ...] = ()
    items: Mapping[str, Source] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Resolution:
    """The outcome of reading all sources.

    `settings` is None where an error among `findings` left no valid value. `values` has every
    setting by name (upper case, no prefix), those that failed included.
    """

    settings: Settings | None
    values: Mapping[str, ResolvedValue]
    findings: tuple[Finding, ...]
    settings_module: str = ""
    override_files: tuple[str, ...] = ()

    def source_of(self, name: str, key: str | None = None) -> Source:
        """Where a setting, or one key of a dict setting, was written."""
        value = self.values[name]
        if key is not None and key in value.items:
            return value.items[key]
        return value.source
