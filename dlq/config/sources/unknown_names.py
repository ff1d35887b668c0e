"""Names of settings that are not known, and what was probably meant."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

from dlq.config import PREFIX
from dlq.diagnostics.finding import Finding
from dlq.diagnostics.rules import project as rules
from dlq.types import Source

FAMILY = "LIGHTWEIGHT"
"""The start of names that are settings of dlq, or misspelt ones."""

OTHER_NAMES = {
    "URL": "REDIS_URL",
    "HOST": "REDIS_HOST",
    "PORT": "REDIS_PORT",
    "PASSWORD": "REDIS_PASSWORD",
    "DB": "REDIS_DATABASE",
    "REDIS_DB": "REDIS_DATABASE",
    "QUEUES": "WORKERS",
    "TIMEZONE": "CRON_TIMEZONE",
}
"""Short names, and those of other programs, that are too far for a comparison of letters."""


def unknown_setting(name: str, source: Source, known: Collection[str]) -> Finding:
    """Report `name`, which has its prefix as it is written. `known` has the settings' names."""
    meant = close_setting(name, known)
    help = f"did you mean {PREFIX}{meant}?" if meant else "dlq config show lists the settings"
    return rules.W002.finding(f"unknown setting {name}", source, help)


def close_setting(name: str, known: Collection[str]) -> str | None:
    """Return the setting, without prefix, that was probably meant by a name with or without one."""
    bare = name.upper().removeprefix(PREFIX)
    if bare in known:
        return bare
    if bare in OTHER_NAMES:
        return OTHER_NAMES[bare]
    close = get_close_matches(bare, known, 1, 0.75)
    if close:
        return close[0]
    full = get_close_matches(name.upper(), [PREFIX + each for each in known], 1, 0.9)
    return full[0].removeprefix(PREFIX) if full else None
