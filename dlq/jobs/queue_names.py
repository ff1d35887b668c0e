"""What a queue may be called.

A name becomes part of keys on the server, which 4.11 finds by pattern and by suffix, and Redis
reads some characters as patterns.
"""

from __future__ import annotations

from dlq.types import Violation

GLOB_CHARACTERS = "*?[]^\\"

SCHEMA_PATTERN = r"^(?!.*:pause$)(?!.*:processing(:|$))[^\s*?\[\]^\\\x00-\x1f\x7f-\x9f]+$"
"""The rule as a pattern of JSON Schema, for editors; `check_queue_name` decides."""


def check_queue_name(name: object) -> Violation | None:
    """Say why `name` cannot be the name of a queue; None where it can."""
    if not isinstance(name, str):
        help = f"use {str(name)!r}" if isinstance(name, int) else None
        return _violation(f"queue names are text, not {type(name).__name__}", help)
    if not name:
        return _violation("a queue's name cannot be empty")
    for character in name:
        if character.isspace() or not character.isprintable():
            return _violation(
                f"a queue's name cannot have {_described(character, name)}", _help(name)
            )
        if character in GLOB_CHARACTERS:
            any_of = " ".join(GLOB_CHARACTERS)
            return _violation(f"a queue's name cannot have any of {any_of}", _help(name))
    if name.endswith(":pause"):
        return _violation(f"it collides with the key that pauses queue {name[:-6]!r}")
    if ":processing:" in name or name.endswith(":processing"):
        queue = name.partition(":processing")[0]
        return _violation(f"it collides with the lists of jobs in hand of queue {queue!r}")
    return None


def _described(character: str, name: str) -> str:
    code = f"U+{ord(character):04X}"
    if character == " ":
        if name.endswith(" "):
            return "a trailing space"
        return "a leading space" if name.startswith(" ") else "a space"
    if character.isspace():
        return f"a blank ({code})"
    if ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0:
        return f"the control character {code}"
    return f"the character {code}, which does not print"


def _help(name: str) -> str | None:
    kept = "".join(c if c.isprintable() else " " for c in name if c not in GLOB_CHARACTERS)
    shorter = "-".join(kept.split())
    return f"for instance {shorter!r}" if shorter else None


def _violation(message: str, help: str | None = None) -> Violation:
    return Violation("E102", (), message, help)
