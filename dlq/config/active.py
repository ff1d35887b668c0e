"""The resolution that is in force in this process: one holder, with one owner.

A command installs what it resolved (with its override files); any other process, a web worker for
instance, resolves from Django and the environment when somebody first asks. `runtime` builds its
live objects from what is here and is told when it changes.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import TYPE_CHECKING

from dlq.config.resolution import Resolution
from dlq.diagnostics.finding import errors
from dlq.diagnostics.refusal import ConfigurationRefused
from dlq.types import Source

if TYPE_CHECKING:
    from dlq.config.settings import Settings


class InvalidConfiguration(ConfigurationRefused):
    """The configuration has errors, so there is nothing to work with. `resolution` has them all."""

    def __init__(self, resolution: Resolution) -> None:
        lines = [
            f"{finding.message} ({finding.source.location})" if finding.source else finding.message
            for finding in errors(resolution.findings)
        ]
        super().__init__("; ".join(lines) + " (dlq check tells more)", resolution.findings)
        self.resolution = resolution


class _Active:
    def __init__(self) -> None:
        self._lock = RLock()
        self._resolution: Resolution | None = None
        self._assigned: dict[str, object] = {}
        self._in_force: Resolution | None = None
        self._listeners: list[Callable[[], None]] = []

    def get(self) -> Resolution:
        with self._lock:
            if self._in_force is None:
                if self._resolution is None:
                    from dlq.config.resolve import resolve_from_django

                    self._resolution = resolve_from_django()
                self._in_force = _with_assigned(self._resolution, self._assigned)
            return self._in_force

    def install(self, resolution: Resolution | None) -> None:
        with self._lock:
            self._resolution = resolution
            self._put_in_force(resolution, self._assigned)

    def assign(self, assigned: dict[str, object]) -> None:
        with self._lock:
            self.get()
            self._put_in_force(self._resolution, assigned)
            self._assigned = assigned

    def assigned(self) -> dict[str, object]:
        with self._lock:
            return dict(self._assigned)

    def peek(self) -> Resolution | None:
        with self._lock:
            return self._in_force

    def _put_in_force(self, resolution: Resolution | None, assigned: dict[str, object]) -> None:
        self._in_force = None if resolution is None else _with_assigned(resolution, assigned)
        for listener in self._listeners:
            listener()

    def on_change(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)


def _with_assigned(resolution: Resolution, assigned: dict[str, object]) -> Resolution:
    settings = resolution.settings
    if settings is None or not assigned:
        return resolution
    values = {name: getattr(settings, name) for name in settings.model_fields_set}
    values |= {name.lower(): value for name, value in assigned.items()}
    return resolution._replace(settings=type(settings)(**values))


_active = _Active()


def resolution() -> Resolution:
    """What is in force, errors included."""
    return _active.get()


def settings() -> Settings:
    """The valid settings in force. Raises InvalidConfiguration."""
    current = _active.get()
    if current.settings is None:
        raise InvalidConfiguration(current)
    return current.settings


def source_of(name: str, settings: Settings) -> Source | None:
    """Where `settings` have a value from, if they are those in force. Resolves nothing."""
    current = _active.peek()
    return current.source_of(name) if current and current.settings is settings else None


def install(resolution: Resolution) -> None:
    """Put a resolution in force for this process."""
    _active.install(resolution)


def assign(name: str, value: object) -> None:
    """Let a value outrank every source, as an assignment to `app_settings` does in 4.11. `name` is
    in upper case. Raises ValueError for a value that the setting cannot have."""
    _active.assign({**_active.assigned(), name: value})


def is_assigned(name: str) -> bool:
    """Whether a value was assigned that outranks the sources."""
    return name in _active.assigned()


def unassign(name: str) -> None:
    """Let the sources decide about a setting again."""
    _active.assign({key: value for key, value in _active.assigned().items() if key != name})


def forget() -> None:
    """Resolve anew when somebody next asks (Django's settings have changed)."""
    _active.install(None)


def on_change(listener: Callable[[], None]) -> None:
    """Call `listener` after each change. Registered once, by a module, for the process's life."""
    _active.on_change(listener)
