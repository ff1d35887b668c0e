"""Which statement of which file a value in force was written by.

Conditional assignments, later changes of single keys, star imports and their order are followed
through all the modules that took part. What is computed in ways that the texts don't tell has a
file and no line.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import NamedTuple

from dlq.primitives.display_path import display_path
from dlq.provenance.python_source import Bound, Changed, Imported, PythonText, Rumour
from dlq.provenance.setting_location import SettingLocation
from dlq.provenance.written import ANY, GONE, UNKNOWN, Entry, Written, decide, replayed
from dlq.types import Source

DEEPEST = 20
"""Names and modules within each other that are followed; it ends those that run in a circle."""


@dataclass(slots=True, eq=False, repr=False)
class _Module:
    """A module that was run. `text` is None where there is none, or it cannot be parsed."""

    text: PythonText | None
    namespace: Mapping[str, object]
    package: str
    source: Source


@dataclass(slots=True, eq=False, repr=False)
class Provenance:
    """Remembers the files it has parsed, for one look at a configuration."""

    kind: Source
    _modules: dict[str, _Module] = field(default_factory=dict)

    def in_module(self, name: str, setting: str, value: object) -> SettingLocation:
        """Of a setting that an imported module has."""
        module = self._loaded(name)
        if module is None:
            return SettingLocation(self.kind)
        return self._place(module, setting, value)

    def in_text(
        self, text: str, namespace: Mapping[str, object], setting: str, value: object
    ) -> SettingLocation:
        """Of a setting in a file that was run, but is no module of the project."""
        module = self._modules.get("")
        if module is None:
            module = self._modules[""] = _Module(_parsed(self.kind, text), namespace, "", self.kind)
        return self._place(module, setting, value)

    def _place(self, module: _Module, setting: str, value: object) -> SettingLocation:
        history, rumoured = self._history(module, setting, None, 0)
        written = decide(history, value, rumoured)
        if written is None or written.source is None:
            return SettingLocation(module.source)
        items: dict[str, Source] = {}
        keys: dict[str, Source] = {}
        if isinstance(value, Mapping):
            for key, entry in _entries_in_force(written, value, rumoured):
                if entry.source is not None:
                    items[key] = entry.source
                    keys[key] = entry.at_key or entry.source
        elif isinstance(value, list | tuple) and len(value) == len(written.elements):
            items = {str(index): source for index, source in enumerate(written.elements)}
        return SettingLocation(written.source, items, keys, written.at_name)

    def _loaded(self, name: str) -> _Module | None:
        if name not in self._modules:
            module = sys.modules.get(name)
            if module is None:
                return None
            self._modules[name] = self._read(module)
        return self._modules[name]

    def _read(self, module: ModuleType) -> _Module:
        path = getattr(module, "__file__", None)
        package = getattr(module, "__package__", None) or ""
        if not isinstance(path, str) or not path.endswith(".py"):
            return _Module(None, vars(module), package, self.kind)
        source = self.kind._replace(file=display_path(path))
        try:
            with tokenize.open(path) as file:
                text = file.read()
        except (OSError, SyntaxError, UnicodeDecodeError):
            return _Module(None, vars(module), package, source)
        return _Module(_parsed(source, text), vars(module), package, source)

    def _history(
        self, module: _Module, name: str, before: int | None, depth: int
    ) -> tuple[list[Written], bool]:
        """All that may have given `name` its value, the first first, and whether something may
        have written it in a way that the text doesn't tell."""
        history: list[Written] = []
        rumoured = module.text is None
        if module.text is None or depth > DEEPEST:
            return history, True
        for event in module.text.events(name, before):
            if isinstance(event, Rumour):
                rumoured = True
            elif isinstance(event, Bound):
                reader = _Expressions(self, module, module.text, event.line, depth)
                history.append(reader.bound(event))
            elif isinstance(event, Imported):
                inner, doubtful = self._imported(module, event, depth)
                history += inner
                rumoured = rumoured or doubtful
            else:
                reader = _Expressions(self, module, module.text, event.line, depth)
                entries = tuple(reader.changes(event))
                history = [written.changed(entries) for written in history]
        return history, rumoured

    def _imported(self, module: _Module, event: Imported, depth: int) -> tuple[list[Written], bool]:
        """As the other module was written; nothing where it isn't loaded, so the import failed or
        was not reached."""
        try:
            name = importlib.util.resolve_name("." * event.level + event.module, module.package)
        except (ImportError, ValueError):
            return [], True
        origin = self._loaded(name)
        if origin is None or event.attribute not in origin.namespace:
            return [], False
        exported = origin.namespace.get("__all__")
        if event.star and isinstance(exported, list | tuple) and event.attribute not in exported:
            return [], False
        inner, rumoured = self._history(origin, event.attribute, None, depth + 1)
        if not inner:
            return [Written(event.certain, UNKNOWN, None)], True
        return [each._replace(certain=each.certain and event.certain) for each in inner], rumoured


class _Expressions(NamedTuple):
    """What the expressions of one statement, on `line`, stand for, as far as the text tells."""

    provenance: Provenance
    module: _Module
    text: PythonText
    line: int
    depth: int

    def bound(self, event: Bound) -> Written:
        if event.node is None:
            return Written(event.certain, UNKNOWN, None)
        source = self.text.at(event.node)
        at_name = self.text.at(event.target) if event.target is not None else None
        if event.value is None:
            return Written(event.certain, UNKNOWN, source, at_name=at_name)
        entries = self._entries(event.value)
        if entries is not None:
            return Written(event.certain, replayed(entries), source, entries, at_name=at_name)
        value = self._value(event.value)
        elements = tuple(self._elements(event.value))
        return Written(event.certain, value, source, elements=elements, at_name=at_name)

    def _elements(self, node: ast.expr) -> Iterator[Source]:
        """Of a list that is written out; nothing for another expression."""
        elements = node.elts if isinstance(node, ast.List | ast.Tuple) else []
        if not any(isinstance(element, ast.Starred) for element in elements):
            yield from map(self.text.at, elements)

    def changes(self, event: Changed) -> Iterator[Entry]:
        if event.table is not None:
            entries = self._entries(event.table)
            if entries is None:
                yield Entry(ANY, False, UNKNOWN)
            else:
                yield from (
                    entry._replace(certain=entry.certain and event.certain) for entry in entries
                )
            return
        if not event.entries:
            yield Entry(ANY, False, UNKNOWN)
        for key_node, value_node in event.entries:
            key = self._value(key_node)
            certain = event.certain and not event.only_missing
            if key is UNKNOWN or not _is_hashable(key):
                yield Entry(ANY, False, UNKNOWN)
            elif value_node is None:
                yield Entry(key, certain, GONE)
            else:
                at_key, at_value = self.text.at(key_node), self.text.at(value_node)
                yield Entry(key, certain, self._value(value_node), at_value, at_key)

    def _entries(self, node: ast.expr) -> tuple[Entry, ...] | None:
        """Of an expression that makes a dict; None for another one."""
        match node:
            case ast.Dict(keys=keys, values=values):
                found: list[Entry] = []
                for key_node, value_node in zip(keys, values, strict=True):
                    found += self._pair(key_node, value_node)
                return tuple(found)
            case ast.Call(func=ast.Name(id="dict"), args=args, keywords=keywords) if len(args) < 2:
                found = []
                for argument in args:
                    found += self._entries(argument) or [Entry(ANY, False, UNKNOWN)]
                for keyword in keywords:
                    key = keyword.arg and ast.copy_location(
                        ast.Constant(keyword.arg), keyword.value
                    )
                    found += self._pair(key or None, keyword.value)
                return tuple(found)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                first, second = self._entries(left), self._entries(right)
                if first is None and second is None:
                    return None
                unknown = (Entry(ANY, False, UNKNOWN),)
                return (*(first or unknown), *(second or unknown))
            case ast.Call(func=ast.Attribute(value=ast.Name() as name, attr="copy"), args=[]):
                return self._entries(name)
            case ast.Name():
                written = self._named(node)
                return None if written is None else written.entries
        return None

    def _pair(self, key_node: ast.expr | None, value_node: ast.expr) -> list[Entry]:
        if key_node is None:  # **value
            return list(self._entries(value_node) or [Entry(ANY, False, UNKNOWN)])
        key = self._value(key_node)
        if key is UNKNOWN or not _is_hashable(key):
            return [Entry(ANY, False, UNKNOWN)]
        at_key, at_value = self.text.at(key_node), self.text.at(value_node)
        return [Entry(key, True, self._value(value_node), at_value, at_key)]

    def _value(self, node: ast.expr) -> object:
        if isinstance(node, ast.Name):
            written = self._named(node)
            return UNKNOWN if written is None else written.value
        try:
            value: object = ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return UNKNOWN
        return value

    def _named(self, node: ast.Name) -> Written | None:
        """What another name certainly stood for before this statement."""
        history, rumoured = self.provenance._history(
            self.module, node.id, self.line, self.depth + 1
        )
        if not history or rumoured or not history[-1].certain:
            return None
        return history[-1]


def _entries_in_force(
    written: Written, table: Mapping[object, object], rumoured: bool
) -> Iterator[tuple[str, Entry]]:
    """Which entry wrote each key's value, for those keys where that is certain; by the key's text,
    as what is wrong with a key that is no text is told."""
    for key, value in table.items():
        possible = [entry for entry in written.entries or () if entry.key in (ANY, key)]
        entry = decide(possible, value, rumoured)
        name = str(key)
        if entry is not None and (name == key or name not in table):
            yield name, entry


def _is_hashable(key: object) -> bool:
    try:
        hash(key)
    except TypeError:
        return False
    return True


def _parsed(source: Source, text: str) -> PythonText | None:
    try:
        return PythonText(source, text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
