"""The settings in force, by attribute: `app_settings.WORKERS` of this module, and of the object
`app_settings` in it. Resolved anew whenever Django's settings change; read only.
"""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from dlq.config import active
from dlq.config.model import PREFIX, Settings


class AppSettings:
    """Every setting under its name without the prefix, in upper case. Collections are copies."""

    def __getattr__(self, name: str) -> Any:
        field = name.lower()
        if not name.isupper() or field not in Settings.model_fields:
            raise AttributeError(f"there is no setting {PREFIX}{name}")
        value = getattr(active.settings(), field)
        if isinstance(value, SecretStr):
            return value.get_secret_value()
        return dict(value) if field in {"workers", "backend_overrides"} else value

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(name.upper() for name in Settings.model_fields)]


app_settings = AppSettings()


def __getattr__(name: str) -> Any:
    return getattr(app_settings, name)
