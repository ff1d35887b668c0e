"""The settings as one frozen, typed value, and the resolution that it came out of.

A plain pydantic model: making one reads neither the environment nor Django. Nothing is coerced: '3'
is not 3 and True is not 1, because a value that was meant otherwise should be told, not guessed.

Its annotations are evaluated where they stand: pydantic would compile the text of each, which takes
a third of the time that the model does.
"""

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    WithJsonSchema,
)

from dlq.config import values as check
from dlq.config.frozen import FrozenDict
from dlq.findings import Finding
from dlq.types import Source, SourceKind

PREFIX = "LIGHTWEIGHT_QUEUE_"
"""Of every setting's name, in Django settings and in the environment."""

SECRETS = frozenset({"REDIS_PASSWORD", "REDIS_URL"})
"""Their values, or a part of them, are never shown."""

QueueKey = Annotated[str, AfterValidator(check.queue_name)]
Path = Annotated[
    str,
    AfterValidator(check.dotted_path),
    WithJsonSchema({"type": "string", "pattern": check.DOTTED_PATH}),
]
Paths = Annotated[tuple[Path, ...], BeforeValidator(check.as_tuple)]
Names = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(check.as_tuple)]
Port = Annotated[int, Field(ge=1, le=65535)]
Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
PositiveSeconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Settings(BaseModel):
    """Every setting, under its name in lower case. Durations are in seconds. Paths of classes are
    those of dlq, also where the old package's were written."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,
        validate_default=False,
    )

    workers: Annotated[
        Mapping[QueueKey, Annotated[int, Field(ge=0, le=1024)]], AfterValidator(FrozenDict)
    ] = Field(
        default_factory=FrozenDict,
        description="How many workers each queue has over the whole pool, 0 to 1024. An override"
        " file's WORKERS replaces that of the Django settings as a whole.",
    )
    backend: Path = Field(
        default="dlq.backends.synchronous.SynchronousBackend",
        description="Dotted path of the class that stores jobs: a subclass of BaseBackend.",
    )
    backend_overrides: Annotated[Mapping[QueueKey, Path], AfterValidator(FrozenDict)] = Field(
        default_factory=FrozenDict, description="Backends of single queues, in place of BACKEND."
    )
    middleware: Paths = Field(
        default=("dlq.middleware.logging.LoggingMiddleware",),
        description="Dotted paths of the classes whose process_job, process_result and"
        " process_exception are called around each job, in this order.",
    )
    logger_factory: Annotated[
        str | Callable[[str], Any],
        BeforeValidator(check.logger_factory),
        WithJsonSchema({"type": "string", "pattern": check.DOTTED_PATH}),
    ] = Field(
        default="logging.getLogger",
        description="Dotted path of a function (in Python also the function itself) that is"
        " given a name and returns a logger.",
    )
    ignore_apps: Names = Field(
        default=(),
        description="Installed apps whose tasks and cron modules are left alone, as"
        " INSTALLED_APPS names them.",
    )
    atomic_jobs: bool = Field(
        default=True,
        description="Run each job in a database transaction, unless its task says otherwise.",
    )
    redis_host: Annotated[str, AfterValidator(check.redis_host)] = Field(
        default="127.0.0.1",
        description="Host name or address of the Redis or Valkey server. Not with REDIS_URL.",
    )
    redis_port: Port = Field(default=6379, description="Port of the server. Not with REDIS_URL.")
    redis_password: SecretStr | None = Field(
        default=None, description="Password for the server, or None. Not with REDIS_URL."
    )
    redis_database: Count = Field(
        default=0, description="Number of the database on the server. Not with REDIS_URL."
    )
    redis_prefix: str = Field(
        default="",
        description="Put before the name of every key, with a colon, so that several projects can"
        " share a server.",
    )
    redis_url: Annotated[SecretStr, AfterValidator(check.redis_url)] | None = Field(
        default=None,
        description="The server as one URL: redis://, rediss:// (TLS), unix://, valkey:// or"
        " valkeys://, in place of host, port, password and database.",
    )
    redis_socket_timeout: PositiveSeconds | None = Field(
        default=30,
        description="Seconds to wait for an answer of the server; longer than DEQUEUE_TIMEOUT."
        " None waits for ever.",
    )
    dequeue_timeout: Annotated[int, Field(ge=1, le=300)] = Field(
        default=15, description="Seconds that an idle worker waits for a job in one request."
    )
    enable_prometheus: bool = Field(
        default=False, description="Export metrics; needs the extra dlq[metrics]."
    )
    prometheus_start_port: Port = Field(
        default=9300,
        description="Port of /worker_config; the workers of a machine export their metrics on the"
        " ports after it.",
    )
    prometheus_address: Annotated[str, AfterValidator(check.ip_address)] = Field(
        default="127.0.0.1", description="IP address that the metrics are served on."
    )
    site_url: Annotated[str, AfterValidator(check.site_url)] = Field(
        default="http://localhost:8000",
        description="Where the project's site is, for links of the debug backend. Django's own"
        " SITE_URL is used where this is not set.",
    )
    worker_max_jobs: Count = Field(
        default=1000,
        description="After so many jobs a worker is replaced by a fresh one; 0 is never.",
    )
    worker_max_idle: Seconds = Field(
        default=1800,
        description="After so many seconds without a job a worker is replaced; 0 is never.",
    )
    stop_timeout: Seconds | None = Field(
        default=None,
        description="Seconds that running jobs are given when the workers stop; None waits for"
        " them to end.",
    )
    max_crashes: Annotated[int, Field(ge=1)] = Field(
        default=3,
        description="How often a job may take its worker down before it is a failed job.",
    )
    failed_keep: Count = Field(
        default=1000, description="How many failed jobs each queue keeps; 0 keeps none."
    )
    cron_timezone: Annotated[str, AfterValidator(check.timezone)] = Field(
        default="UTC", description="IANA name of the time zone that cron schedules are meant in."
    )
    cron_machines: Literal["first", "all"] = Field(
        default="first",
        description="Which machines of a pool schedule cron: the first, or all (each run is still"
        " enqueued once).",
    )
    cron_catch_up: Seconds = Field(
        default=600,
        description="How many seconds late a missed cron run may still be enqueued; 0 is never.",
    )
    task_modules: Names = Field(
        default=(),
        description="Modules outside of the installed apps that jobs may name tasks of.",
    )
    cron_commands: Names = Field(
        default=(),
        description="Management commands that cron jobs may run although no cron row names them.",
    )
    preload: bool = Field(
        default=True,
        description="Fork workers from the loaded master; False starts a fresh interpreter for"
        " each.",
    )


SETTING_NAMES = tuple(name.upper() for name in Settings.model_fields)
"""Without the prefix, in the order of the documentation."""


class Hidden(NamedTuple):
    """A value that a higher source hides."""

    value: object
    source: Source


class Whereabouts(NamedTuple):
    """Where a value was written, and what it hides. `items` says where each value of a dict was
    written, by key, and each element of a list, by index ('0'), as far as that is known."""

    source: Source
    items: Mapping[str, Source] = FrozenDict()
    hides: tuple[Hidden, ...] = ()


class ResolvedValue:
    """One setting as it is in force. `name` has no prefix and is in upper case, `kind` is that of
    its source. Its whereabouts are looked up when they are first asked for: files are read for
    that, and a start with nothing to say about them should not wait for it."""

    def __init__(
        self, name: str, value: object, kind: SourceKind, look_up: Callable[[], Whereabouts]
    ) -> None:
        self.name = name
        self.value = value
        self.kind = kind
        self._look_up = look_up

    @property
    def source(self) -> Source:
        return self._whereabouts.source

    @property
    def items(self) -> Mapping[str, Source]:
        return self._whereabouts.items

    @property
    def hides(self) -> tuple[Hidden, ...]:
        return self._whereabouts.hides

    @cached_property
    def _whereabouts(self) -> Whereabouts:
        return self._look_up()

    def __reduce__(self) -> tuple[object, ...]:
        """With what was looked up: the way to do that cannot travel."""
        found = partial(Whereabouts, *self._whereabouts)
        return (ResolvedValue, (self.name, self.value, self.kind, found))


class Resolution(NamedTuple):
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
        """Where a setting was written, or the value of one key of its dict, or one element of its
        list ('0')."""
        value = self.values[name]
        if key is not None and key in value.items:
            return value.items[key]
        return value.source
