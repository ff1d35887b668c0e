"""The settings in force, by attribute, as in django-lightweight-queue 4.11.

    from dlq import app_settings
    app_settings.WORKERS

and the same by `app_settings.app_settings.WORKERS`. Each access asks what is in force now, so it
follows Django's settings and what a command resolved. An assignment (or `mock.patch` of a name, or
a change inside one of the dicts) outranks all of these in this process, until the name is deleted
or the patch ends.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from dlq.config import PREFIX, active
from dlq.primitives.frozen import FrozenDict


class AssigningDict(dict[str, Any]):
    """A copy of a setting's dict, with a function that is called after each change."""

    def __init__(self, items: Any, changed: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(items)
        self._changed = changed

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self._changed(dict(self))

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self._changed(dict(self))

    def update(self, *items: Any, **named: Any) -> None:
        super().update(*items, **named)
        self._changed(dict(self))

    def setdefault(self, key: str, default: Any = None) -> Any:
        value = super().setdefault(key, default)
        self._changed(dict(self))
        return value

    def pop(self, *arguments: Any) -> Any:
        value = super().pop(*arguments)
        self._changed(dict(self))
        return value

    def clear(self) -> None:
        super().clear()
        self._changed({})


class AppSettings:
    """Every setting under its name without the prefix, in upper case."""

    def __getattr__(self, name: str) -> Any:
        if name not in _names():
            raise AttributeError(f"there is no setting {PREFIX}{name}")
        from pydantic import SecretStr

        value = getattr(active.settings(), name.lower())
        if isinstance(value, SecretStr):
            return value.get_secret_value()
        if not isinstance(value, FrozenDict):
            return value
        items = {**_implied_workers(), **value} if name == "WORKERS" else value
        return AssigningDict(items, lambda changed: active.assign(name, changed))

    def __setattr__(self, name: str, value: object) -> None:
        if name not in _names():
            raise AttributeError(f"there is no setting {PREFIX}{name}")
        active.assign(name, value)

    def __delattr__(self, name: str) -> None:
        if not active.is_assigned(name):
            raise AttributeError(f"{name} has no assigned value")
        active.unassign(name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *_names()]


def _implied_workers() -> dict[str, int]:
    """One worker for each queue that a task of the modules imported so far names, as in 4.11."""
    from dlq.jobs.declarations import declarations

    kind = active.resolution().values["WORKERS"].kind
    if active.is_assigned("WORKERS") or kind not in {"django", "default"}:
        return {}
    return {declaration.queue: 1 for declaration in declarations()}


def _names() -> tuple[str, ...]:
    from dlq.config.settings import SETTING_NAMES  # a process that only enqueues has no use for it

    return SETTING_NAMES


app_settings = AppSettings()


class _Module(ModuleType):
    """This module, whose settings are those of `app_settings`."""

    def __setattr__(self, name: str, value: object) -> None:
        if name.isupper():
            setattr(app_settings, name, value)
        else:
            super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        if name.isupper():
            delattr(app_settings, name)
        else:
            super().__delattr__(name)


sys.modules[__name__].__class__ = _Module


def __getattr__(name: str) -> Any:
    return getattr(app_settings, name)
