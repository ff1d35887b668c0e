"""Settings that name classes, functions and apps: whether those are there, and are what they ought
to be. Imports the users' modules, so it runs in commands and checks, not when a setting is read."""

from __future__ import annotations

from dlq.config.model import Resolution
from dlq.findings import Finding


def check_imports(resolution: Resolution) -> list[Finding]:
    return []
