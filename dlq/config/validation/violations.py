"""What is wrong with values, from pydantic's errors: one table knows the rule of each, and what was
expected comes from the model itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic_core import ErrorDetails

from dlq.config.redaction import in_message
from dlq.config.settings import PREFIX, SECRETS
from dlq.config.validation.expectations import expected, remedy
from dlq.config.validation.notation import Notation, notation_of
from dlq.diagnostics.finding import Rule
from dlq.diagnostics.rules import settings as rules
from dlq.jobs.queue_names import check_queue_name
from dlq.types import Source

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


class Mistake(NamedTuple):
    """One thing that is wrong with one value. `key` is that of the dict's item, or the index of the
    list's element, if it is about one; `in_key`: the key itself is wrong."""

    rule: Rule
    name: str
    message: str
    help: str | None
    key: str | None = None
    in_key: bool = False


def mistakes(
    details: Sequence[ErrorDetails],
    values: Mapping[str, object],
    source_of: Callable[[str], Source],
) -> Iterator[Mistake]:
    """`source_of` is asked what to write the value in the notation of."""
    for detail in details:
        name = name_of(detail)
        yield _mistake(detail, name, values[name], notation_of(source_of(name)))


def name_of(detail: ErrorDetails) -> str:
    """The setting that failed."""
    return str(detail["loc"][0]).upper()


def _mistake(detail: ErrorDetails, name: str, whole: object, notation: Notation) -> Mistake:
    """pydantic says where: (setting), (setting, index), (setting, key) or (setting, key, [key])."""
    setting = PREFIX + name
    inner = detail["loc"][1:]
    if not inner:
        return _told(detail, RULES[detail["type"]], name, setting, whole, notation)
    key = inner[0]
    if inner[1:] == ("[key]",):
        return _key_mistake(detail, name, setting, _key_of(whole, key), whole)
    setting += f"[{key!r}]"
    value = whole.get(key) if isinstance(whole, Mapping) else detail["input"]
    rule = rules.E101 if name == "WORKERS" else RULES[detail["type"]]
    mistake = _told(detail, rule, name, setting, value, notation, inner=True)
    return mistake._replace(key=str(key))


def _key_mistake(
    detail: ErrorDetails, name: str, setting: str, key: object, whole: object
) -> Mistake:
    problem = check_queue_name(key)
    text, help = problem if problem is not None else (detail["msg"], None)
    # Places are known by a key's text, which two keys may have: then none rather than a wrong one.
    at = str(key)
    is_clear = at == key or not (isinstance(whole, Mapping) and at in whole)
    return Mistake(
        rules.E102, name, f"{setting}[{key!r}]: {text}", help, at if is_clear else None, in_key=True
    )


def _key_of(whole: object, at: int | str) -> object:
    """The key that is wrong: pydantic says the text of those that are no text."""
    if not isinstance(whole, Mapping):
        return at
    return next((key for key in whole if str(key) == str(at) and check_queue_name(key)), at)


def _told(
    detail: ErrorDetails,
    rule: Rule,
    name: str,
    setting: str,
    value: object,
    notation: Notation,
    *,
    inner: bool = False,
) -> Mistake:
    if detail["type"] == rule.code:  # raised by a validator of ours, which knows the words
        context: Mapping[str, Any] = detail["ctx"]
        told, help = str(context["expected"]), str(context["help"]) or None
    else:
        told = expected(name, value, notation, inner=inner)
        help = remedy(name, value, notation, inner=inner)
    if name in SECRETS and isinstance(value, str):
        return Mistake(rule, name, f"{setting}: {told}", help)
    return Mistake(rule, name, f"{setting} is {in_message(name, value)}: {told}", help)
