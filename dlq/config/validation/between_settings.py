"""Rules between settings, and about values that are valid and still worth a word.

Pure functions over what is resolved; none imports the users' code.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from ipaddress import ip_address

from dlq.config import PREFIX
from dlq.config.layers import Layers
from dlq.config.settings import Settings
from dlq.config.sources.settings_source import URL_PARTS
from dlq.diagnostics.finding import Finding
from dlq.diagnostics.rules import settings as rules
from dlq.provenance.setting_location import SettingLocation
from dlq.types import Source


def check_between_settings(
    settings: Settings, layers: Layers, failed: Collection[str]
) -> Iterator[Finding]:
    """`failed` names settings whose values are not those in `settings`: nothing is said of them."""
    yield from _check_url(layers)
    if not {"REDIS_SOCKET_TIMEOUT", "DEQUEUE_TIMEOUT"} & set(failed):
        yield from _check_timeouts(settings, layers)
    yield from _check_workers(layers)
    if "PROMETHEUS_ADDRESS" not in failed:
        yield from _check_address(settings, layers)


def _check_url(layers: Layers) -> Iterator[Finding]:
    replaced = layers.replaced_url()
    if replaced is not None:
        owner, part, hidden = replaced
        source = owner.location_of(part).source
        yield rules.W109.finding(
            f"{PREFIX}{part} ({source.label}) replaces the whole {PREFIX}REDIS_URL"
            f" ({hidden.location_of('REDIS_URL').source.label})",
            source,
            f"set {PREFIX}REDIS_URL here too, or use the parts in both places",
        )
    url = layers.owner("REDIS_URL")
    if url is None or url.values["REDIS_URL"] is None:
        return
    parts = [name for name in URL_PARTS if url.values.get(name) is not None]
    if parts:
        source = url.location_of("REDIS_URL").source
        beside = [f"{part}{_apart(url.location_of(part).source, source)}" for part in parts]
        apart = beside != parts
        yield rules.E107.finding(
            f"{PREFIX}REDIS_URL{f' ({source.label})' if apart else ''} is set beside"
            f" {', '.join(beside)}, in {_WHERE[url.kind]}",
            source,
            f"remove {PREFIX}REDIS_URL, or {' and '.join(PREFIX + part for part in parts)}",
        )


_WHERE: Mapping[str, str] = {
    "django": "the Django settings",
    "file": "one override file",
    "environment": "the environment",
}


def _apart(source: Source, url: Source) -> str:
    """Name the place of a part that is written in another file than the URL."""
    return f" ({source.label})" if source.file != url.file else ""


def _check_timeouts(settings: Settings, layers: Layers) -> Iterator[Finding]:
    timeout = settings.redis_socket_timeout
    if timeout is None or timeout > settings.dequeue_timeout:
        return
    higher = max(
        (layers[name].source for name in ("REDIS_SOCKET_TIMEOUT", "DEQUEUE_TIMEOUT")),
        key=lambda source: source.kind != "default",
    )
    yield rules.E108.finding(
        f"{PREFIX}REDIS_SOCKET_TIMEOUT is {timeout:g}: must be longer than DEQUEUE_TIMEOUT"
        f" ({settings.dequeue_timeout})",
        higher,
        f"use {settings.dequeue_timeout * 2}, or a shorter DEQUEUE_TIMEOUT",
    )


def _check_workers(layers: Layers) -> Iterator[Finding]:
    """Check the value as it is written: a bad entry hides nothing about the others."""
    workers = layers.values_in_force().get("WORKERS")
    if not isinstance(workers, Mapping):
        return
    names = [name for name in workers if isinstance(name, str)]
    location: SettingLocation | None = None
    for name in names:
        if type(workers[name]) is int and workers[name] == 0:
            location = location or layers.location_of("WORKERS")
            yield rules.W101.finding(
                f"queue {name!r} has 0 workers: its jobs wait until a worker is added",
                location.item(name, of_key=True),
            )
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(name.casefold(), []).append(name)
    for group in alike.values():
        if len(group) > 1:
            location = location or layers.location_of("WORKERS")
            yield rules.W102.finding(
                f"queues {' and '.join(repr(name) for name in group)} differ only in case",
                location.item(group[-1], of_key=True),
                "keep one of them, if they are meant to be one queue",
            )


def _check_address(settings: Settings, layers: Layers) -> Iterator[Finding]:
    if ip_address(settings.prometheus_address).is_unspecified:
        yield rules.W121.finding(
            f"{PREFIX}PROMETHEUS_ADDRESS is {settings.prometheus_address!r}: every process"
            " that reaches this machine can read the metrics",
            layers["PROMETHEUS_ADDRESS"].source,
            "use '127.0.0.1', or the address of the interface that Prometheus comes in by",
        )
