"""From raw values to valid settings, or to everything that is wrong with them.

Every error of pydantic's is told through one table, which knows its rule; what was expected comes
from the model itself. Values are validated together, and one that fails hides no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from dlq.config.expectations import expected, remedy
from dlq.config.model import PREFIX, Settings
from dlq.config.secrets import in_message
from dlq.findings import Rule
from dlq.rules import settings as rules

RULES: Mapping[str, Rule] = {
    "bool_type": rules.E103,
    "int_type": rules.E103,
    "int_from_float": rules.E103,
    "float_type": rules.E103,
    "string_type": rules.E103,
    "string_unicode": rules.E103,
    "tuple_type": rules.E103,
    "dict_type": rules.E103,
    "mapping_type": rules.E103,
    "finite_number": rules.E104,
    "greater_than": rules.E104,
    "greater_than_equal": rules.E104,
    "less_than": rules.E104,
    "less_than_equal": rules.E104,
    "literal_error": rules.E104,
    "string_too_short": rules.E104,
    "E102": rules.E102,
    "E105": rules.E105,
    "E106": rules.E106,
    "E110": rules.E110,
}
"""By the type of pydantic's error; ours are called after their rule."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong with one value. `key` is that of the dict's item, if it is one."""

    rule: Rule
    name: str
    message: str
    help: str | None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`valid` has the settings that passed, with defaults in place of those that didn't; `failed`
    names the latter."""

    valid: Settings
    mistakes: tuple[Mistake, ...] = ()
    failed: frozenset[str] = frozenset()


def validate(values: Mapping[str, object]) -> Verdict:
    """`values` by setting name in upper case; what is missing has its default."""
    fields = {name.lower(): value for name, value in values.items()}
    try:
        return Verdict(Settings.model_validate(fields))
    except ValidationError as error:
        details = error.errors(include_url=False)
    failed = frozenset(str(detail["loc"][0]).upper() for detail in details)
    passed = {name: value for name, value in fields.items() if name.upper() not in failed}
    mistakes = tuple(_mistake(detail, values) for detail in details)
    return Verdict(Settings.model_validate(passed), mistakes, failed)


def _mistake(detail: ErrorDetails, values: Mapping[str, object]) -> Mistake:
    name = str(detail["loc"][0]).upper()
    inner = detail["loc"][1:]
    is_key = len(inner) == 2 and inner[1] == "[key]"
    context: Mapping[str, Any] = detail.get("ctx", {})
    rule = RULES[detail["type"]]
    whole = values[name]
    value, place = whole, PREFIX + name
    if inner and isinstance(whole, Mapping):
        place += f"[{inner[0]!r}]"
        value = inner[0] if is_key else whole.get(inner[0])
    elif inner and isinstance(inner[0], int):
        place += f"[{inner[0]}]"
        value = detail["input"]
    if name == "WORKERS" and inner and not is_key:
        rule = rules.E101
    if is_key:
        rule = rules.E102
    ours = detail["type"] == rule.code
    told = (
        str(context["expected"]) if ours else expected(name, value, inner=bool(inner), key=is_key)
    )
    help = (str(context["help"]) or None) if ours else remedy(name, value, bool(inner), is_key)
    subject = f"{place}: " if is_key else f"{place} is {in_message(name, value)}: "
    return Mistake(
        rule, name, subject + told, help, inner[0] if inner and isinstance(inner[0], str) else None
    )
