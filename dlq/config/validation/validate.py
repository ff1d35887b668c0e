"""From raw values to valid settings, or to everything that is wrong with them.

Values are validated together, and one that fails hides no other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from dlq.config.plain import plain_settings
from dlq.config.settings import Settings
from dlq.types import Source

if TYPE_CHECKING:
    from dlq.config.validation.violations import Mistake


class Verdict(NamedTuple):
    """`valid` has the settings that passed, with defaults in place of those that didn't; `failed`
    names the latter."""

    valid: Settings
    mistakes: tuple[Mistake, ...] = ()
    failed: frozenset[str] = frozenset()


def validate(values: Mapping[str, object], source_of: Callable[[str], Source]) -> Verdict:
    """`values` by setting name in upper case; what is missing has its default. `source_of` is asked
    about settings that failed, to tell what to write in the notation of their source."""
    fields = {name.lower(): value for name, value in values.items()}
    plain = plain_settings(fields)
    if plain is not None:
        return Verdict(plain)
    from pydantic import ValidationError

    from dlq.config.model import SettingsModel

    try:
        return Verdict(SettingsModel.model_validate(fields).settings())
    except ValidationError as error:
        details = error.errors(include_url=False)
    from dlq.config.validation.violations import mistakes, name_of

    failed = frozenset(name_of(detail) for detail in details)
    passed = {name: value for name, value in fields.items() if name.upper() not in failed}
    found = tuple(mistakes(details, values, source_of))
    return Verdict(SettingsModel.model_validate(passed).settings(), found, failed)
