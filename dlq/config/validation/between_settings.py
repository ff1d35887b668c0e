"""Rules between settings, and about values that are valid and still worth a word.

Pure functions over what is resolved; none imports the users' code.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from ipaddress import ip_address

from dlq.config.layers import URL_PARTS, Merged
from dlq.config.settings import PREFIX, Settings
from dlq.diagnostics.finding import Finding
from dlq.diagnostics.rules import settings as rules
from dlq.provenance.setting_location import SettingLocation


def cross_check(settings: Settings, merged: Merged, failed: Collection[str]) -> Iterator[Finding]:
    """`failed` names settings whose values are not those in `settings`: nothing is said of them."""
    yield from _check_url(merged)
    if not {"REDIS_SOCKET_TIMEOUT", "DEQUEUE_TIMEOUT"} & set(failed):
        yield from _check_timeouts(settings, merged)
    yield from _check_workers(merged)
    if "PROMETHEUS_ADDRESS" not in failed:
        yield from _check_address(settings, merged)


def _check_url(merged: Merged) -> Iterator[Finding]:
    url = merged.owner("REDIS_URL")
    if url is None:
        return
    if url.replaces_url is not None:
        value = merged["REDIS_URL"]
        hidden = next(h for h in value.hides if h.value is not None)
        yield rules.W109.finding(
            f"{PREFIX}{url.replaces_url} ({value.source.label}) replaces the whole"
            f" {PREFIX}REDIS_URL ({hidden.source.label})",
            value.source,
            f"set {PREFIX}REDIS_URL here too, or use the parts in both places",
        )
    if url.values["REDIS_URL"] is None:
        return
    parts = [name for name in URL_PARTS if url.values.get(name) is not None]
    if parts:
        yield rules.E107.finding(
            f"{PREFIX}REDIS_URL is set beside {', '.join(parts)}, in the same place",
            merged["REDIS_URL"].source,
            f"remove {PREFIX}REDIS_URL, or {' and '.join(PREFIX + part for part in parts)}",
        )


def _check_timeouts(settings: Settings, merged: Merged) -> Iterator[Finding]:
    timeout = settings.redis_socket_timeout
    if timeout is None or timeout > settings.dequeue_timeout:
        return
    higher = max(
        (merged[name].source for name in ("REDIS_SOCKET_TIMEOUT", "DEQUEUE_TIMEOUT")),
        key=lambda source: source.kind != "default",
    )
    yield rules.E108.finding(
        f"{PREFIX}REDIS_SOCKET_TIMEOUT is {timeout:g}: must be longer than DEQUEUE_TIMEOUT"
        f" ({settings.dequeue_timeout})",
        higher,
        f"use {settings.dequeue_timeout * 2}, or a shorter DEQUEUE_TIMEOUT",
    )


def _check_workers(merged: Merged) -> Iterator[Finding]:
    """Of the value as it is written: a bad entry hides nothing about the others."""
    workers = merged.raw().get("WORKERS")
    if not isinstance(workers, Mapping):
        return
    names = [name for name in workers if isinstance(name, str)]
    place: SettingLocation | None = None
    for name in names:
        if type(workers[name]) is int and workers[name] == 0:
            place = place or merged.place("WORKERS")
            yield rules.W101.finding(
                f"queue {name!r} has 0 workers: its jobs wait until a worker is added",
                place.keys.get(name, place.source),
            )
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(name.casefold(), []).append(name)
    for group in alike.values():
        if len(group) > 1:
            place = place or merged.place("WORKERS")
            yield rules.W102.finding(
                f"queues {' and '.join(repr(name) for name in group)} differ only in case",
                place.keys.get(group[-1], place.source),
                "keep one of them, if they are meant to be one queue",
            )


def _check_address(settings: Settings, merged: Merged) -> Iterator[Finding]:
    if ip_address(settings.prometheus_address).is_unspecified:
        yield rules.W121.finding(
            f"{PREFIX}PROMETHEUS_ADDRESS is {settings.prometheus_address!r}: whoever reaches this"
            " machine can read the metrics",
            merged["PROMETHEUS_ADDRESS"].source,
            "use '127.0.0.1', or the address of the interface that Prometheus comes in by",
        )
