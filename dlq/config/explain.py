"""What is in force and where it came from: the answers of `dlq config`, as data."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, NamedTuple

from dlq.config import PREFIX
from dlq.config.redaction import display, json_value
from dlq.config.resolution import Resolution
from dlq.config.settings import Settings, default, setting_names
from dlq.errors import UsageError
from dlq.types import Source


class Row(NamedTuple):
    """One line of `dlq config show`. `instead_of` has each hidden value with its source."""

    name: str
    value: str
    source: str
    instead_of: tuple[str, ...] = ()


class Step(NamedTuple):
    """One source that sets a value, or could. `role`: used, over, or unset; and statements of the
    source in use: replaced (by it), or changed (it, later)."""

    role: str
    source: str
    value: str | None
    what: str | None


class Explanation(NamedTuple):
    name: str
    value: str
    steps: tuple[Step, ...]
    description: str


def as_fields(found: Explanation) -> dict[str, Any]:
    """The explanation as JSON has it."""
    return {**found._asdict(), "steps": [step._asdict() for step in found.steps]}


def show(resolution: Resolution) -> tuple[Row, ...]:
    """Return every setting, in the order of the documentation."""
    return tuple(
        Row(
            name,
            display(name, value.value),
            value.source.label,
            tuple(f"{display(name, h.value)} ({h.source.label})" for h in value.hides),
        )
        for name, value in resolution.values.items()
    )


def explain(
    resolution: Resolution, name: str, settings_class: type[Settings] = Settings
) -> Explanation:
    """Return all that is known about one setting; `name` is in any case, with or without the
    prefix. Raises UsageError."""
    wanted = name.upper().removeprefix(PREFIX)
    names = setting_names(settings_class)
    if wanted not in names:
        close = get_close_matches(wanted, names, 1)
        hint = f"did you mean {close[0]}?" if close else "dlq config show lists them"
        raise UsageError(f"no setting is called {name!r}: {hint}")
    value = resolution.values[wanted]
    return Explanation(
        wanted,
        display(wanted, value.value),
        tuple(_steps(resolution, wanted, default(wanted, settings_class))),
        settings_class.model_fields[wanted.lower()].description or "",
    )


def _steps(resolution: Resolution, name: str, standard: object) -> Iterator[Step]:
    value = resolution.values[name]
    yield Step("used", value.source.label, display(name, value.value), _what(value.source))
    earlier = True
    for source in value.history:  # of several statements of one source
        earlier = earlier and source != value.source
        if source != value.source:
            yield Step("replaced" if earlier else "changed", source.label, None, _what(source))
    for hidden in value.hides:
        source = hidden.source
        yield Step("over", source.label, display(name, hidden.value), _what(source))
    if value.source.kind != "default":
        yield Step("over", "default", display(name, standard), None)
    if value.source.kind != "environment":
        yield Step("unset", f"${PREFIX}{name}", None, None)


def _what(source: Source) -> str | None:
    kinds = {"file": "override file", "django": "Django settings", "environment": "environment"}
    what = kinds.get(source.kind)
    return None if what == source.label else what


def settings_json(resolution: Resolution) -> dict[str, Any]:
    """The settings of the plan's JSON, without secrets: `{NAME: {"value", "source", "hides"}}`."""
    return {
        name: {
            "value": json_value(name, value.value),
            "source": value.source.location,
            "hides": [
                {"value": json_value(name, hidden.value), "source": hidden.source.location}
                for hidden in value.hides
            ],
        }
        for name, value in resolution.values.items()
    }
