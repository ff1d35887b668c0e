"""The base of management commands that take an override file, as 4.11 has it."""

from __future__ import annotations

import warnings
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from django_lightweight_queue.utils import load_extra_settings

__all__ = ("CommandWithExtraSettings",)


class CommandWithExtraSettings(BaseCommand):
    """A subclass calls `handle_extra_settings(**options)` first in its `handle`."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        group = parser.add_mutually_exclusive_group()
        group.add_argument("--config", metavar="FILE", help="the old name of --extra-settings")
        group.add_argument(
            "--extra-settings", metavar="FILE", help="override file on top of the Django settings"
        )

    def handle_extra_settings(
        self, *, config: str | None = None, extra_settings: str | None = None, **_: Any
    ) -> str | None:
        """Put the settings of the file in force, if one was given, and return its path."""
        if config is not None:
            warnings.warn(
                "--config is called --extra-settings now", DeprecationWarning, stacklevel=2
            )
            extra_settings = config
        if extra_settings is not None:
            load_extra_settings(extra_settings)
        return extra_settings
