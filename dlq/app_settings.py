"""The settings in force, by attribute, as in django-lightweight-queue 4.11.

    from dlq import app_settings
    app_settings.WORKERS

and the same by `app_settings.app_settings.WORKERS`. Each access asks what is in force now, so it
follows Django's settings and what a command resolved; nothing can be set here.
"""

from __future__ import annotations

from typing import Any

from dlq.config import PREFIX, active
from dlq.primitives.frozen import FrozenDict


class AppSettings:
    """Every setting under its name without the prefix, in upper case. Dicts are copies: changing
    one changes nothing."""

    def __getattr__(self, name: str) -> Any:
        if name not in _names():
            raise AttributeError(f"there is no setting {PREFIX}{name}")
        from pydantic import SecretStr

        value = getattr(active.settings(), name.lower())
        if isinstance(value, SecretStr):
            return value.get_secret_value()
        return dict(value) if isinstance(value, FrozenDict) else value

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(
            f"cannot set {name} here: set {PREFIX}{name} in the Django settings, or in an override"
            " file"
        )

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *_names()]


def _names() -> tuple[str, ...]:
    from dlq.config.settings import SETTING_NAMES  # a process that only enqueues has no use for it

    return SETTING_NAMES


app_settings = AppSettings()


def __getattr__(name: str) -> Any:
    return getattr(app_settings, name)
