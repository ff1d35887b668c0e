"""What is wrong with values, from pydantic's errors: the rule of each, and the words about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic_core import ErrorDetails

from dlq.config import PREFIX
from dlq.config.layers import Layers
from dlq.config.redaction import in_message
from dlq.config.settings import SECRETS
from dlq.config.validation.expectations import Expectation, notation_of
from dlq.diagnostics.finding import Finding
from dlq.diagnostics.rules import RULES
from dlq.jobs.queue_names import check_queue_name
from dlq.types import Violation

KEY = "[key]"
"""What pydantic says last of the path to a dict's key."""

WRONG_TYPE = {
    *("bool_type", "int_type", "int_from_float", "float_type", "string_type", "string_unicode"),
    *("tuple_type", "dict_type", "mapping_type"),
}
"""pydantic's errors that break E103. Those of dlq are called after their rule; all others are about
a range: E104."""


def violations(details: Sequence[ErrorDetails], layers: Layers) -> list[Violation]:
    values = layers.values_in_force()
    return [_violation(detail, values, layers) for detail in details]


def finding_of(violation: Violation, layers: Layers) -> Finding:
    """Say where the value is written."""
    name, *inner = violation.path
    location = layers.location_of(str(name))
    source = location.source
    if inner:
        source = location.item(str(inner[0]), of_key=inner[-1] == KEY)
    return RULES[violation.rule].finding(violation.message, source, violation.help)


def _violation(detail: ErrorDetails, values: Mapping[str, object], layers: Layers) -> Violation:
    """pydantic says where: (setting), (setting, index), (setting, key) or (setting, key, [key])."""
    name, *inner = detail["loc"]
    name = str(name).upper()
    whole = values[name]
    if not inner:
        return _of_value(detail, (name,), PREFIX + name, whole, layers)
    key = inner[0]
    if inner[1:] == [KEY]:
        return _of_key(detail, name, _key_of(whole, key), whole)
    value = whole.get(key) if isinstance(whole, Mapping) else detail["input"]
    return _of_value(detail, (name, key), f"{PREFIX}{name}[{key!r}]", value, layers)


def _of_key(detail: ErrorDetails, name: str, key: object, whole: object) -> Violation:
    violation = check_queue_name(key)
    message = detail["msg"] if violation is None else violation.message
    help = None if violation is None else violation.help
    # Places are known by a key's text, which two keys may have: then none rather than a wrong one.
    at = str(key)
    is_clear = at == key or not (isinstance(whole, Mapping) and at in whole)
    path = (name, at, KEY) if is_clear else (name,)
    return Violation("E102", path, f"{PREFIX}{name}[{key!r}]: {message}", help)


def _key_of(whole: object, at: int | str) -> object:
    """Return the key that is wrong: pydantic gives the text of those that are no text."""
    if not isinstance(whole, Mapping):
        return at
    return next((key for key in whole if str(key) == str(at) and check_queue_name(key)), at)


def _of_value(
    detail: ErrorDetails,
    path: tuple[str | int, ...],
    setting: str,
    value: object,
    layers: Layers,
) -> Violation:
    name = str(path[0])
    if detail["type"] in RULES:  # raised by a check of dlq, which knows the words
        rule = detail["type"]
        message, help = detail["ctx"]["message"], detail["ctx"]["help"] or None
    else:
        rule = "E103" if detail["type"] in WRONG_TYPE else "E104"
        notation = notation_of(layers.location_of(name).source)
        expectation = Expectation(layers.settings_class, name, notation, is_item=len(path) > 1)
        message, help = expectation.words(), expectation.remedy(value)
    is_hidden = name in SECRETS and isinstance(value, str)
    got = "" if is_hidden else f" is {in_message(name, value)}"
    return Violation(rule, path, f"{setting}{got}: {message}", help)
