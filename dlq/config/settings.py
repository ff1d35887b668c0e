"""Every setting, declared once: its type, its bounds, its default and its description.

`Settings` is what the whole program works with. Everything else is derived from its fields: how
text is read, the words about a mistake, the JSON Schema, what `dlq config explain` prints. So a new
setting is one more field here, and a line in the README.

The annotations are evaluated at once: pydantic would compile the text of each.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from dlq.config.sources.text_values import DEFAULT, is_secret, meaning
from dlq.config.validation import constraints as check
from dlq.config.validation.server_url import server_url
from dlq.primitives.frozen import FrozenDict

T = TypeVar("T")

DAY = 24 * 60 * 60
"""Seconds."""

Path = Annotated[
    str,
    AfterValidator(check.class_path),
    Field(description="dotted paths", json_schema_extra={"pattern": check.CLASS_PATH}),
]
"""The description names several of them, for the words about a list or a table."""
App = Annotated[str, Field(min_length=1, description="apps")]
Module = Annotated[str, Field(min_length=1, description="modules")]
Command = Annotated[str, Field(min_length=1, description="commands")]
Workers = Annotated[
    int,
    Field(ge=0, le=check.MOST_WORKERS, description="numbers of workers"),
    BeforeValidator(check.worker_count),
]
ByQueue = Annotated[
    Mapping[Annotated[str, AfterValidator(check.queue_name)], T], AfterValidator(FrozenDict)
]
Port = Annotated[int, Field(ge=1, le=65_535)]
Seconds = Annotated[float, Field(ge=0, le=30 * DAY)]


class Settings(BaseSettings):
    """Every setting, under its name in lower case, in the order of the documentation. Durations are
    in seconds. Paths of classes are those of dlq, also where the old package's were written.

    Nothing is converted that could be meant otherwise: True is not 1, and 'no' is not False. What
    other values stand for is in `text_values.meaning`.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,
        validate_default=False,
    )

    workers: ByQueue[Workers] = Field(
        default_factory=FrozenDict,
        description="How many workers each queue has over the whole pool, 0 to 1024. An override"
        " file's WORKERS replaces that of the Django settings as a whole.",
    )
    placement: Literal["dealt", "stable"] = Field(
        "dealt",
        description="How a pool's workers are assigned to its machines: dealt, as in"
        " django-lightweight-queue 4.11, or stable, which moves few workers when queues or machines"
        " are added.",
    )
    backend: Annotated[Path, check.NO_NONE] = Field(
        "dlq.backends.synchronous.SynchronousBackend",
        description="Dotted path of the class that stores jobs: a subclass of BaseBackend.",
    )
    backend_overrides: ByQueue[Path] = Field(
        default_factory=FrozenDict,
        description="Backends of single queues, in place of BACKEND.",
    )
    middleware: tuple[Path, ...] = Field(
        ("dlq.middleware.logging.LoggingMiddleware",),
        description="Dotted paths of the classes whose process_job, process_result and"
        " process_exception are called around each job, in this order.",
    )
    logger_factory: Annotated[
        str | Callable[[str], Any],
        BeforeValidator(check.logger_factory, json_schema_input_type=Path),
    ] = Field(
        "logging.getLogger",
        description="Dotted path of a function (in Python also the function itself) that takes a"
        " name and returns a logger.",
    )
    ignore_apps: tuple[App, ...] = Field(
        (),
        description="Installed apps whose tasks and cron modules are left alone, as"
        " INSTALLED_APPS names them.",
    )
    atomic_jobs: bool = Field(
        True,
        description="Run each job in a database transaction, unless its task says otherwise.",
    )
    redis_host: Annotated[str, AfterValidator(check.redis_host)] = Field(
        "127.0.0.1",
        description="Host name or address of the Redis or Valkey server. Not with REDIS_URL.",
    )
    redis_port: Port = Field(
        6379,
        description="Port of the server. Not with REDIS_URL.",
    )
    redis_password: SecretStr | None = Field(
        None,
        description="Password for the server, or None. Not with REDIS_URL.",
    )
    redis_database: int = Field(
        0,
        ge=0,
        le=check.MOST_DATABASES,
        description="Number of the database on the server. Not with REDIS_URL.",
    )
    redis_prefix: str = Field(
        "",
        description="Put before the name of every key, with a colon, so that several projects can"
        " share a server.",
    )
    redis_url: Annotated[SecretStr, AfterValidator(server_url)] | None = Field(
        None,
        description="The server as one URL: redis://, rediss:// (TLS), unix://, valkey:// or"
        " valkeys://, in place of host, port, password and database.",
    )
    redis_socket_timeout: Annotated[float, Field(gt=0, le=DAY)] | None = Field(
        30,
        description="Seconds to wait for an answer of the server; longer than DEQUEUE_TIMEOUT."
        " None waits for ever.",
    )
    dequeue_timeout: int = Field(
        15,
        ge=1,
        le=300,
        description="Seconds that an idle worker waits for a job in one request.",
    )
    enable_prometheus: bool = Field(
        False,
        description="Export metrics; needs the extra dlq[metrics].",
    )
    prometheus_start_port: Port = Field(
        9300,
        description="Port of /worker_config; the workers of a machine export their metrics on the"
        " ports after it.",
    )
    prometheus_address: Annotated[str, AfterValidator(check.ip_address)] = Field(
        "127.0.0.1",
        description="IP address that the metrics are served on.",
    )
    site_url: Annotated[str, AfterValidator(check.site_url)] = Field(
        "http://localhost:8000",
        description="Where the project's site is, for links of the debug backend. Django's own"
        " SITE_URL is used where this is not set.",
    )
    worker_max_jobs: int = Field(
        1000,
        ge=0,
        le=1_000_000_000,
        description="After so many jobs a worker is replaced by a new one; 0 is never.",
    )
    worker_max_idle: Seconds = Field(
        1800,
        description="After so many seconds without a job a worker is replaced; 0 is never.",
    )
    stop_timeout: Seconds | None = Field(
        None,
        description="Seconds that running jobs are given when the workers stop; None waits for"
        " them to end.",
    )
    max_crashes: int = Field(
        3,
        ge=1,
        le=1000,
        description="How often a job may take its worker down before it is a failed job.",
    )
    failed_keep: int = Field(
        1000,
        ge=0,
        le=10_000_000,
        description="How many failed jobs each queue keeps; 0 keeps none.",
    )
    cron_timezone: Annotated[str, AfterValidator(check.timezone)] = Field(
        "UTC",
        description="IANA name of the time zone that cron schedules are meant in.",
    )
    cron_machines: Literal["first", "all"] = Field(
        "first",
        description="Which machines of a pool schedule cron: the first, or all (each run is still"
        " enqueued once).",
    )
    cron_catch_up: Seconds = Field(
        600,
        description="How many seconds late a missed cron run may still be enqueued; 0 is never.",
    )
    task_modules: tuple[Module, ...] = Field(
        (),
        description="Modules outside of the installed apps that jobs may name tasks of.",
    )
    cron_commands: tuple[Command, ...] = Field(
        (),
        description="Management commands that cron jobs may run although no cron row names them.",
    )
    preload: bool = Field(
        True,
        description="Fork workers from the loaded supervisor; False starts a new interpreter for"
        " each.",
    )
    admin_pages: Literal["full", "read-only", "off"] = Field(
        "full",
        description="What the pages in the Django admin allow at most: full, read-only (nothing can"
        " be changed), or off.",
    )

    @classmethod
    def read(cls, sources: Sequence[PydanticBaseSettingsSource]) -> Self:
        """Return the settings that the sources give, the highest source first. Raises pydantic's
        ValidationError, which has every mistake."""
        arguments: dict[str, Any] = {_SOURCES: sources}
        return cls(**arguments)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources that `read` was given. Settings that are made of keyword arguments, as
        in a test, have these arguments and no other source: not the process's environment."""
        given = init_settings().get(_SOURCES)
        return (init_settings,) if given is None else tuple(given)

    @model_validator(mode="before")
    @classmethod
    def _read_values(cls, values: Mapping[str, object]) -> dict[str, object]:
        read = {name: cls.meaning(name, value) for name, value in values.items()}
        return {name: value for name, value in read.items() if value is not DEFAULT}

    @classmethod
    def meaning(cls, name: str, value: object) -> object:
        """Return what a value stands for: DEFAULT, a number, a flag, a tuple, or the value itself.
        `name` is in lower case."""
        field = cls.model_fields.get(name)
        return value if field is None else meaning(field, value)


_SOURCES = "_sources"


def setting_names(settings_class: type[Settings]) -> tuple[str, ...]:
    """Return the names in upper case, without the prefix, in the order of the documentation."""
    return tuple(name.upper() for name in settings_class.model_fields)


def default(name: str, settings_class: type[Settings] = Settings) -> Any:
    """Return the default of a setting; `name` is in upper case."""
    return settings_class.model_fields[name.lower()].get_default(call_default_factory=True)


SETTING_NAMES = setting_names(Settings)

SECRETS = frozenset(
    name.upper() for name, field in Settings.model_fields.items() if is_secret(field)
)
"""Settings whose values, or a part of them, are never shown."""
