"""The findings as Django system checks, with the tag `dlq`."""

from __future__ import annotations

from collections.abc import Sequence

from django.apps import AppConfig
from django.core.checks import CheckMessage


def configuration_check(
    *, app_configs: Sequence[AppConfig] | None, **_: object
) -> list[CheckMessage]:
    """All that `dlq check` finds, unless only other apps are being checked."""
    if app_configs is not None and all(app.label != "dlq" for app in app_configs):
        return []
    from dlq.operations.check import django_checks

    return django_checks()
