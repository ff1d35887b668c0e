"""Check that the import name of django-lightweight-queue 4.11 is dlq's own alias."""

from __future__ import annotations

from importlib import import_module

import dlq
from dlq.diagnostics.finding import Finding
from dlq.diagnostics.rules import project as rules
from dlq.primitives.legacy_names import OLD_PACKAGE


def check_old_name() -> list[Finding]:
    """The two distributions hold a package of one name: installing the old one beside dlq, or
    removing it afterwards, takes files away from dlq."""
    try:
        theirs = getattr(import_module(OLD_PACKAGE), "task", None)
    except Exception as error:
        return [_finding(f"cannot import the package {OLD_PACKAGE}: {error}")]
    if theirs is dlq.task:
        return []
    return [_finding(f"the package {OLD_PACKAGE} is not the one that dlq brings")]


def _finding(message: str) -> Finding:
    return rules.E026.finding(
        message,
        None,
        "pip uninstall django-lightweight-queue; pip install --force-reinstall --no-deps dlq",
    )
