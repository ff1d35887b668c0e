"""What every setting may hold: the model that makes `Settings` out of what users wrote.

A plain pydantic model: making one reads neither the environment nor Django. Nothing is coerced: '3'
is not 3 and True is not 1, because a value that was meant otherwise should be told, not guessed.

Its annotations are evaluated where they stand: pydantic would compile the text of each, which takes
a third of the time that the model does.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from dlq.config.settings import DEFAULTS, Secret, Settings
from dlq.config.validation import constraints as check
from dlq.config.validation.constraints import Unfit
from dlq.primitives.frozen import FrozenDict

T = TypeVar("T")
R = TypeVar("R")


def told(checked: Callable[[T], R]) -> Callable[[T], R]:
    """A check whose Unfit pydantic collects, with the code of its rule."""

    def validate(value: T) -> R:
        try:
            return checked(value)
        except Unfit as unfit:
            context = {"expected": unfit.expected, "help": unfit.help or ""}
            # pydantic takes braces in a message for fields, so the text goes through one.
            raise PydanticCustomError(unfit.code, "{expected}", context) from None

    return validate


def within(bounds: tuple[int, int]) -> Any:
    """Of whole numbers, the last included."""
    return Field(ge=bounds[0], le=bounds[1])


def url_in(secret: SecretStr) -> SecretStr:
    check.redis_url(secret.get_secret_value())
    return secret


QueueKey = Annotated[str, AfterValidator(told(check.queue_name))]
Path = Annotated[
    str,
    AfterValidator(told(check.dotted_path)),
    WithJsonSchema({"type": "string", "pattern": check.DOTTED_PATH}),
]
Paths = Annotated[tuple[Path, ...], BeforeValidator(check.as_tuple)]
Names = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(check.as_tuple)]
Port = Annotated[int, within(check.PORTS)]
Workers = Annotated[int, within(check.WORKERS_OF_A_QUEUE)]
Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
PositiveSeconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class SettingsModel(BaseModel):
    """Each field of `Settings`, with what it may hold and what it means."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,
        validate_default=False,
    )

    workers: Annotated[Mapping[QueueKey, Workers], AfterValidator(FrozenDict)] = Field(
        default_factory=FrozenDict,
        description="How many workers each queue has over the whole pool, 0 to 1024. An override"
        " file's WORKERS replaces that of the Django settings as a whole.",
    )
    backend: Path = Field(
        default=DEFAULTS.backend,
        description="Dotted path of the class that stores jobs: a subclass of BaseBackend.",
    )
    backend_overrides: Annotated[Mapping[QueueKey, Path], AfterValidator(FrozenDict)] = Field(
        default_factory=FrozenDict,
        description="Backends of single queues, in place of BACKEND.",
    )
    middleware: Paths = Field(
        default=DEFAULTS.middleware,
        description="Dotted paths of the classes whose process_job, process_result and"
        " process_exception are called around each job, in this order.",
    )
    logger_factory: Annotated[
        str | Callable[[str], Any],
        BeforeValidator(told(check.logger_factory)),
        WithJsonSchema({"type": "string", "pattern": check.DOTTED_PATH}),
    ] = Field(
        default=DEFAULTS.logger_factory,
        description="Dotted path of a function (in Python also the function itself) that is"
        " given a name and returns a logger.",
    )
    ignore_apps: Names = Field(
        default=DEFAULTS.ignore_apps,
        description="Installed apps whose tasks and cron modules are left alone, as"
        " INSTALLED_APPS names them.",
    )
    atomic_jobs: bool = Field(
        default=DEFAULTS.atomic_jobs,
        description="Run each job in a database transaction, unless its task says otherwise.",
    )
    redis_host: Annotated[str, AfterValidator(told(check.redis_host))] = Field(
        default=DEFAULTS.redis_host,
        description="Host name or address of the Redis or Valkey server. Not with REDIS_URL.",
    )
    redis_port: Port = Field(
        default=DEFAULTS.redis_port,
        description="Port of the server. Not with REDIS_URL.",
    )
    redis_password: SecretStr | None = Field(
        default=None,
        description="Password for the server, or None. Not with REDIS_URL.",
    )
    redis_database: Count = Field(
        default=DEFAULTS.redis_database,
        description="Number of the database on the server. Not with REDIS_URL.",
    )
    redis_prefix: str = Field(
        default=DEFAULTS.redis_prefix,
        description="Put before the name of every key, with a colon, so that several projects can"
        " share a server.",
    )
    redis_url: Annotated[SecretStr, AfterValidator(told(url_in))] | None = Field(
        default=None,
        description="The server as one URL: redis://, rediss:// (TLS), unix://, valkey:// or"
        " valkeys://, in place of host, port, password and database.",
    )
    redis_socket_timeout: PositiveSeconds | None = Field(
        default=DEFAULTS.redis_socket_timeout,
        description="Seconds to wait for an answer of the server; longer than DEQUEUE_TIMEOUT."
        " None waits for ever.",
    )
    dequeue_timeout: Annotated[int, within(check.DEQUEUE_TIMEOUTS)] = Field(
        default=DEFAULTS.dequeue_timeout,
        description="Seconds that an idle worker waits for a job in one request.",
    )
    enable_prometheus: bool = Field(
        default=DEFAULTS.enable_prometheus,
        description="Export metrics; needs the extra dlq[metrics].",
    )
    prometheus_start_port: Port = Field(
        default=DEFAULTS.prometheus_start_port,
        description="Port of /worker_config; the workers of a machine export their metrics on the"
        " ports after it.",
    )
    prometheus_address: Annotated[str, AfterValidator(told(check.ip_address))] = Field(
        default=DEFAULTS.prometheus_address,
        description="IP address that the metrics are served on.",
    )
    site_url: Annotated[str, AfterValidator(told(check.site_url))] = Field(
        default=DEFAULTS.site_url,
        description="Where the project's site is, for links of the debug backend. Django's own"
        " SITE_URL is used where this is not set.",
    )
    worker_max_jobs: Count = Field(
        default=DEFAULTS.worker_max_jobs,
        description="After so many jobs a worker is replaced by a fresh one; 0 is never.",
    )
    worker_max_idle: Seconds = Field(
        default=DEFAULTS.worker_max_idle,
        description="After so many seconds without a job a worker is replaced; 0 is never.",
    )
    stop_timeout: Seconds | None = Field(
        default=DEFAULTS.stop_timeout,
        description="Seconds that running jobs are given when the workers stop; None waits for"
        " them to end.",
    )
    max_crashes: Annotated[int, Field(ge=1)] = Field(
        default=DEFAULTS.max_crashes,
        description="How often a job may take its worker down before it is a failed job.",
    )
    failed_keep: Count = Field(
        default=DEFAULTS.failed_keep,
        description="How many failed jobs each queue keeps; 0 keeps none.",
    )
    cron_timezone: Annotated[str, AfterValidator(told(check.timezone))] = Field(
        default=DEFAULTS.cron_timezone,
        description="IANA name of the time zone that cron schedules are meant in.",
    )
    cron_machines: Literal["first", "all"] = Field(
        default=DEFAULTS.cron_machines,
        description="Which machines of a pool schedule cron: the first, or all (each run is still"
        " enqueued once).",
    )
    cron_catch_up: Seconds = Field(
        default=DEFAULTS.cron_catch_up,
        description="How many seconds late a missed cron run may still be enqueued; 0 is never.",
    )
    task_modules: Names = Field(
        default=DEFAULTS.task_modules,
        description="Modules outside of the installed apps that jobs may name tasks of.",
    )
    cron_commands: Names = Field(
        default=DEFAULTS.cron_commands,
        description="Management commands that cron jobs may run although no cron row names them.",
    )
    preload: bool = Field(
        default=DEFAULTS.preload,
        description="Fork workers from the loaded supervisor; False starts a fresh interpreter for"
        " each.",
    )

    def settings(self) -> Settings:
        """The plain value."""
        values = {name: getattr(self, name) for name in Settings._fields}
        for name in ("redis_password", "redis_url"):
            if values[name] is not None:
                values[name] = Secret(values[name].get_secret_value())
        return Settings(**values)
