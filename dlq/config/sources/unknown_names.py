"""Names of settings that are not known, and what was probably meant."""

from __future__ import annotations

from difflib import get_close_matches

from dlq.config.settings import PREFIX, SETTING_NAMES
from dlq.diagnostics.finding import Finding
from dlq.diagnostics.rules import project as rules
from dlq.types import Source

FAMILY = "LIGHTWEIGHT"
"""The start of names that are settings of dlq, or misspelt ones."""

RENAMED = {
    "URL": "REDIS_URL",
    "HOST": "REDIS_HOST",
    "PORT": "REDIS_PORT",
    "PASSWORD": "REDIS_PASSWORD",
    "DB": "REDIS_DATABASE",
    "REDIS_DB": "REDIS_DATABASE",
    "QUEUES": "WORKERS",
    "TIMEZONE": "CRON_TIMEZONE",
}
"""Short or foreign names that letters alone don't lead to."""


def unknown_setting(name: str, source: Source) -> Finding:
    """`name` as it is written, with its prefix."""
    meant = close_setting(name)
    help = f"did you mean {PREFIX}{meant}?" if meant else "dlq config show lists the settings"
    return rules.W002.finding(f"unknown setting {name}", source, help)


def close_setting(name: str) -> str | None:
    """The setting, without prefix, that was probably meant by a name with or without prefix."""
    bare = name.upper().removeprefix(PREFIX)
    if bare in SETTING_NAMES:
        return bare
    if bare in RENAMED:
        return RENAMED[bare]
    close = get_close_matches(bare, SETTING_NAMES, 1, 0.75)
    if close:
        return close[0]
    full = get_close_matches(name.upper(), [PREFIX + known for known in SETTING_NAMES], 1, 0.9)
    return full[0].removeprefix(PREFIX) if full else None
