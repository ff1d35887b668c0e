"""The outcome of reading all sources: settings, where each value came from, and what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, NamedTuple

from dlq.diagnostics.finding import Finding
from dlq.primitives.frozen import FrozenDict
from dlq.types import Source, SourceKind

if TYPE_CHECKING:
    # A web process imports this module long before it resolves its settings.
    from dlq.config.settings import Settings


class Hidden(NamedTuple):
    """A value that a higher source hides."""

    value: object
    source: Source


class ValueProvenance(NamedTuple):
    """Where a value was written, and what it hides. `items` says where each value of a dict was
    written, by key, and each element of a list, by index ('0'), as far as that is known. `history`:
    the statements of its source that gave it a value, or changed its items, the first first."""

    source: Source
    items: Mapping[str, Source] = FrozenDict()
    hides: tuple[Hidden, ...] = ()
    history: tuple[Source, ...] = ()


class ResolvedValue:
    """One setting as it is in force. `name` has no prefix and is in upper case, `kind` is that of
    its source. Its provenance is looked up when it is first asked for: files are read for
    that, and a start with nothing to say about them should not wait for it."""

    def __init__(
        self, name: str, value: object, kind: SourceKind, look_up: Callable[[], ValueProvenance]
    ) -> None:
        self.name = name
        self.value = value
        self.kind = kind
        self._look_up = look_up

    @property
    def source(self) -> Source:
        return self._provenance.source

    @property
    def items(self) -> Mapping[str, Source]:
        return self._provenance.items

    @property
    def hides(self) -> tuple[Hidden, ...]:
        return self._provenance.hides

    @property
    def history(self) -> tuple[Source, ...]:
        return self._provenance.history

    @cached_property
    def _provenance(self) -> ValueProvenance:
        return self._look_up()

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with what was looked up: the way to do that cannot travel."""
        found = partial(ValueProvenance, *self._provenance)
        return (ResolvedValue, (self.name, self.value, self.kind, found))


class Resolution(NamedTuple):
    """The outcome of reading all sources.

    `settings` is None where an error among `findings` left no valid value. `values` has every
    setting by name (upper case, no prefix), those that failed included. `usable` are settings to
    look at the servers with: where the errors are about single values that don't say which server
    is meant, those have their defaults.
    """

    settings: Settings | None
    values: Mapping[str, ResolvedValue]
    findings: tuple[Finding, ...]
    settings_module: str = ""
    override_files: tuple[str, ...] = ()
    usable: Settings | None = None

    def source_of(self, name: str, key: str | None = None) -> Source:
        """Where a setting was written, or the value of one key of its dict, or one element of its
        list ('0'); a file without a line where that is not known."""
        value = self.values[name]
        return value.source if key is None else value.items.get(key, value.source.without_line)
