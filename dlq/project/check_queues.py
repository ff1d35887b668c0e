"""Checks that need to know more than the settings: the queues, or the plan. Pure functions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches

from dlq.config import PREFIX
from dlq.config.resolution import Resolution
from dlq.diagnostics.finding import Finding
from dlq.diagnostics.rules import settings as rules
from dlq.jobs.declarations import Declaration
from dlq.jobs.queue_names import check_queue_name
from dlq.types import Source


def check_overrides(resolution: Resolution, queue_names: Collection[str]) -> Iterator[Finding]:
    """BACKEND_OVERRIDES names queues that there are. `queue_names`: all of them; those of a WORKERS
    that a higher source hides count too, since an override file that leaves a queue out leaves its
    backend in place for the other machines."""
    overrides = () if resolution.settings is None else resolution.settings.backend_overrides
    known = set(queue_names)
    if known.issuperset(overrides):
        return
    for hidden in resolution.values["WORKERS"].hides:
        if isinstance(hidden.value, Mapping):
            known |= {name for name in hidden.value if isinstance(name, str)}
    for name in overrides:
        if name in known:
            continue
        close = get_close_matches(name, known, 1)
        yield rules.W117.finding(
            f"{PREFIX}BACKEND_OVERRIDES[{name!r}]: queue {name!r} is not in WORKERS, and no task or"
            " cron row names it",
            resolution.source_of("BACKEND_OVERRIDES", name),
            f"did you mean {close[0]!r}?" if close else f"remove it, or add {name!r} to WORKERS",
        )


def check_declared_queues(declarations: Iterable[Declaration]) -> Iterator[Finding]:
    """The queues that tasks name can be called so; the rule is that of WORKERS."""
    latest: dict[tuple[object, Source], Declaration] = {}
    for declaration in declarations:
        at = (declaration.queue, declaration.source)
        if declaration.task is not None or at not in latest:  # @task declares the queue first
            latest[at] = declaration
    for declaration in latest.values():
        violation = check_queue_name(declaration.queue)
        if violation is not None:
            whose = f" of {declaration.task}" if declaration.task else ""
            yield rules.E102.finding(
                f"queue {declaration.queue!r}{whose}: {violation.message}",
                declaration.source,
                violation.help,
            )


def check_metrics_ports(resolution: Resolution, workers: int) -> Iterator[Finding]:
    """The ports that `workers` on one machine need exist, and none is Redis's of this machine."""
    settings = resolution.settings
    if settings is None or not settings.enable_prometheus or workers < 1:
        return
    start = settings.prometheus_start_port
    last = start + workers
    source = resolution.source_of("PROMETHEUS_START_PORT")
    ports = f"{workers} workers need ports {start} to {last}"
    if workers == 1:
        ports = f"1 worker needs ports {start} and {last}"
    if last > 65535:
        yield rules.E118.finding(
            f"{PREFIX}PROMETHEUS_START_PORT is {start}: {ports}, and 65535 is the last there is",
            source,
            f"use {65535 - workers} or less",
        )
    port = settings.redis_port
    local = settings.redis_url is None and settings.redis_host in {"127.0.0.1", "localhost", "::1"}
    if local and start <= port <= last:
        yield rules.E118.finding(
            f"{PREFIX}PROMETHEUS_START_PORT is {start}: {ports}, and Redis has port {port}",
            source,
            f"use {port + 1}, or another range that leaves {port} out",
        )
