"""Where the values that an observed module has are written: what was recorded, with positions."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from functools import cached_property
from inspect import CO_OPTIMIZED
from types import FunctionType, MappingProxyType, ModuleType
from typing import Any, NamedTuple

from dlq.primitives.display_path import display_path
from dlq.provenance.indirect_writes import NAMESPACES, IndirectWrite, indirect_writes, line_of
from dlq.provenance.observer import is_project_file
from dlq.provenance.recorder import CONTAINERS, Contents, Namespace, Recorder, Site, Write
from dlq.provenance.setting_location import SettingLocation
from dlq.provenance.source_text import SourceText, blocks, may_be, name_in, subject_of
from dlq.types import Source


class Target(NamedTuple):
    """A value, and its key or name, where that is beside it."""

    value: Source
    key: Source | None = None


class Candidate(NamedTuple):
    """An expression that may have given an item its value. `position` is None where nobody knows
    it."""

    node: ast.expr
    position: Target | None
    is_certain: bool = True


UNKNOWN = object()


class Lookup:
    """Answers for one observation. `compiled`: the text of files that the import system didn't
    read."""

    def __init__(
        self, recorder: Recorder, kind: Source, compiled: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self._recorder, self._kind, self._compiled = recorder, kind, compiled
        self._texts: dict[str, SourceText] = {}

    def in_module(
        self, variables: Mapping[str, Any], name: str, value: object
    ) -> SettingLocation | None:
        """Return where `name` is written, whose value now is `value`; None where nobody knows."""
        namespace = self._recorder.namespaces.get(id(variables))
        return self._location(namespace, name, value) if namespace is not None else None

    def in_class(self, chosen: type, name: str) -> SettingLocation | None:
        """Return where the body of a class, or of one that it inherits from, writes `name`."""
        for owner in chosen.__mro__:
            wanted = (owner.__module__, owner.__qualname__)
            bodies = [
                each
                for each in self._recorder.classes
                if (each.variables.get("__module__"), each.variables.get("__qualname__")) == wanted
            ]
            if bodies and name in bodies[-1].variables:
                return self._location(bodies[-1], name, bodies[-1].variables[name])
            if not bodies and name in vars(owner):
                return None
        return None

    def in_some_class(self, name: str, value: object) -> SettingLocation | None:
        """Return where the only class whose body gives `name` this value writes it."""
        found = [each for each in self._recorder.classes if each.variables.get(name) is value]
        return self._location(found[0], name, value) if len(found) == 1 else None

    def _location(self, namespace: Namespace, name: str, value: object) -> SettingLocation | None:
        found = self._bound(namespace, name, sys.maxsize)
        if found is None or found[0].value is not value or found[0].site is None:
            return None
        for each in self._later(found[0]):
            if each.effects.any_name or name in each.effects.names - each.changed:
                text, _ = self._statement(found[0].site)
                is_there = each.site.code.co_filename == found[0].site.code.co_filename
                return SettingLocation(text.source) if text and is_there else None
        contents = found[1]
        position = self._target(found[0].site, name)
        items = {}
        if contents is not None:
            for key, item in _items(value):
                at = self._item(contents, key, item, sys.maxsize)
                if at is not None:
                    items[str(key)] = at
        values = {key: at.value for key, at in items.items()}
        keys = {key: at.key or at.value for key, at in items.items()}
        sites = {site[:3]: site for site in self._history(namespace, name, sys.maxsize)}
        history = tuple(self._target(site, name).value for site in sites.values())
        return SettingLocation(position.value, values, keys, position.key, history)

    def _history(self, namespace: Namespace, name: str, time: int) -> Iterator[Site]:
        """Yield where the name got values, and where their items were changed, the first first."""
        writes = [each for each in namespace.writes.get(name, ()) if each[0].time <= time]
        ends = [write.time for write, _ in writes[1:]] + [time]
        for (write, contents), end in zip(writes, ends, strict=True):
            origin = self._imported(write, write.site, name, write.time - 1)
            if origin is not None:
                yield from self._history(*origin, write.time - 1)
            elif write.site is not None:
                yield write.site
            changes = contents.all_writes() if contents is not None else ()
            later = [each for each in changes if write.time < each.time < end]
            yield from (each.site for each in sorted(later, key=lambda w: w.time) if each.site)

    # Names.

    def _bound(
        self, namespace: Namespace, name: str, time: int
    ) -> tuple[Write, Contents | None] | None:
        """Return what the name was given then: in the module that an import statement took it
        from."""
        found = namespace.at(name, time)
        if found is None:
            return None
        write = found[0]
        stars = [(at, site) for at, site in reversed(namespace.stars) if write.time < at <= time]
        for at, site in (*stars, (write.time, write.site)):
            origin = self._imported(write, site, name, at - 1)
            if origin is not None:
                return self._bound(*origin, at - 1)
        return found

    def _imported(
        self, write: Write, site: Site | None, name: str, time: int
    ) -> tuple[Namespace, str] | None:
        """Return the module that the statement imports the name from, and its name there."""
        _, statement = self._statement(site)
        if site is None or not isinstance(statement, ast.ImportFrom):
            return None
        module, package = statement.module or "", site.namespace.get("__package__") or ""
        if statement.level:
            module = importlib.util.resolve_name("." * statement.level + module, package)
        for alias in statement.names:
            is_star = alias.name == "*"
            attribute = name if is_star else alias.name
            if is_star or (alias.asname or alias.name) == name:
                for namespace in self._recorder.namespaces.values():
                    exported = namespace.variables.get("__all__")
                    found = namespace.at(attribute, time)
                    if (
                        namespace.variables.get("__name__") == module
                        and not (is_star and exported is not None and name not in exported)
                        and found is not None
                        and found[0].value is write.value
                    ):
                        return namespace, attribute
        return None

    # Positions.

    def _statement(self, site: Site | None) -> tuple[SourceText | None, ast.stmt | None]:
        """Return the text of the code that ran, where it still says the same, and the statement."""
        if site is None:
            return None, None
        filename = site.code.co_filename
        if filename not in self._texts:
            compiled = self._compiled.get(filename)
            self._texts[filename] = SourceText(self._kind, filename, compiled)
        text = self._texts[filename]
        return (text, text.statement(site)) if text.is_of(site.code) else (None, None)

    def _target(self, site: Site, name: str) -> Target:
        """Return where the statement at `site` writes `name`."""
        text, statement = self._statement(site)
        if text is None:
            return Target(self._kind._replace(file=display_path(site.code.co_filename)))
        found = statement and name_in(statement, name)
        if found:
            return Target(*map(text.at, found))
        is_simple = statement is not None and not any(blocks(statement))
        return Target(text.at(statement) if statement and is_simple else text.source.at(site.line))

    # Items.

    def _item(self, contents: Contents, key: object, value: object, time: int) -> Target | None:
        """Return where the item is written that `contents` had under `key` at that time."""
        write = contents.at(key, time)
        if write is None:
            return None
        for at, site in self._touches.get(contents, ()):
            if write.time < at <= time:
                found = self._candidates(site, contents, key, value, at, is_new=False)
                if found and not found[-1].is_certain:
                    return None  # it may have written the same again
                if found:
                    return found[-1].position
        if write.site is None or write.value is not value:
            return None
        for each in self._later(write, time):
            for table, at_key, is_known in each.effects.tables:
                if isinstance(at_key, ast.Constant) and (
                    at_key.value != key or key in each.changed
                ):
                    continue
                if self._may_be_table(table, each.site, each.last, contents, is_known):
                    return None
        text, statement = self._statement(write.site)
        if text is None or statement is None:
            return Target(text.source.at(write.site.line)) if text else None
        is_new = write.time <= contents.since
        found = self._candidates(write.site, contents, key, value, write.time, is_new=is_new)
        if found and (found[-1].is_certain or len(found) == 1):
            return found[-1].position
        is_one_line = statement.lineno == statement.end_lineno or (
            isinstance(statement, ast.Expr) and not is_new
        )
        return Target(text.source.at(statement.lineno)) if is_one_line and not found else None

    def _candidates(
        self, site: Site, contents: Contents, key: Any, value: object, time: int, *, is_new: bool
    ) -> list[Candidate]:
        """Return what may have given the item its value in the statement, in the order of the
        text: of several, the last has won."""
        text, statement = self._statement(site)
        if text is None or statement is None:
            return []
        parts = text.parts(statement, is_new=is_new)
        is_dict = isinstance(contents.value, dict)
        same = key if is_dict else value
        literal = parts.literal.get((type(same), same), []) if isinstance(same, Hashable) else []
        if not is_dict and len(literal) > 1:
            elements = getattr(getattr(statement, "value", None), "elts", [])[key : key + 1]
            literal = [part for part in literal if part.value in elements]
        is_inside = is_new and isinstance(statement, ast.Expr)  # of what a function returned
        found: list[Candidate] = []
        for part in literal:
            if may_be(part.value, value):
                at = text.at(part.key) if part.key is not None else None
                found.append(Candidate(part.value, Target(text.at(part.value), at)))
        for node in (*parts.names, *(part.value for part in parts.open)):
            other = self._resolve(node, site, time - 1)
            if isinstance(other, Contents):
                for inner in [key] if is_dict else list(other.writes):
                    write = other.at(inner, time - 1)
                    if write is not None and write.value is value:
                        position = self._item(other, inner, value, time - 1)
                        found.append(Candidate(node, position))
            is_hidden = is_inside and other is not None and isinstance(node, ast.Call)
            if other is UNKNOWN or (is_hidden and not any(each.node is node for each in found)):
                found.append(Candidate(node, None, is_certain=False))
            elif other is None and node not in parts.names and may_be(node, value):
                found.append(Candidate(node, Target(text.at(node)), is_certain=False))
        found.sort(key=lambda each: (each.node.lineno, each.node.col_offset, each.is_certain))
        if parts.is_branched and len(found) > 1:
            found.append(found[-1]._replace(position=None, is_certain=False))
        return found

    # Values that may have been written again with the same object.

    def _later(self, write: Write, time: int = sys.maxsize) -> Iterator[IndirectWrite]:
        """Yield what may have written the same value again."""
        for each in self._indirect:
            is_same = write.site is not None and line_of(each.site) == line_of(write.site)
            if (
                each.last >= write.time
                and each.first <= time
                and not is_same
                and not each.is_accounted
            ):
                yield each

    @cached_property
    def _indirect(self) -> list[IndirectWrite]:
        return indirect_writes(self._recorder, lambda site: self._statement(site)[0])

    def _may_be_table(
        self, table: ast.expr | None, site: Site, time: int, contents: Contents, is_known: bool
    ) -> bool:
        """Whether an expression may stand for a container, by another name than its own."""
        if table is None:
            return True
        found = self._resolve(table, site, time)
        if isinstance(found, Contents):
            return found is contents and not is_known
        root, is_direct = table, True
        while isinstance(root, ast.Attribute | ast.Subscript | ast.Call):
            if isinstance(root, ast.Attribute) and root.attr in self._recorder.names:
                return True
            is_direct = False
            root = root.func if isinstance(root, ast.Call) else root.value
        if not isinstance(root, ast.Name):
            return not isinstance(root, ast.Constant)
        code, known = site.code, site.namespace.get(root.id, UNKNOWN)
        is_local = root.id in (*code.co_varnames, *code.co_cellvars, *code.co_freevars)
        is_own = is_direct and known is contents.value
        return is_local or known is UNKNOWN or is_own or root.id in NAMESPACES

    @cached_property
    def _touches(self) -> dict[Contents, list[tuple[int, Site]]]:
        """The statements that may have written an item again with the same object, the last first.
        One that gave a single item another value is none of them."""
        last: dict[tuple[Contents, int, int | None], tuple[int, Site]] = {}
        times: dict[Contents, set[int]] = {}
        for at, site in self._recorder.touches:
            _, statement = self._statement(site)
            subject, is_one = subject_of(statement)
            contents = self._resolve(subject, site, at - 1) if subject else None
            if isinstance(contents, Contents):
                if contents not in times:
                    times[contents] = {write.time for write in contents.all_writes()}
                is_dict = isinstance(contents.value, dict)
                if at not in times[contents] if is_one else is_dict:
                    last[contents, id(site.code), site.offset] = (at, site)
        found: dict[Contents, list[tuple[int, Site]]] = {}
        for (contents, _, _), touch in sorted(last.items(), key=lambda each: -each[1][0]):
            found.setdefault(contents, []).append(touch)
        return found

    def _resolve(self, node: ast.expr, site: Site, time: int) -> object:
        """Return the contents of what a name, or an attribute of a module, stood for, or what that
        function returned last; UNKNOWN for what may be a container; None for anything else."""
        code, variables, name = site.code, site.namespace, ""
        match node:
            case ast.Name(id=name):
                is_local = name in (*code.co_varnames, *code.co_cellvars, *code.co_freevars)
                if is_local or not (code.co_flags & CO_OPTIMIZED or code.co_name == "<module>"):
                    return UNKNOWN
            case ast.Attribute(value=ast.Name(id=module), attr=name) if isinstance(
                variables.get(module), ModuleType
            ):
                variables = vars(variables[module])
            case ast.Call(func=function):
                called = self._resolve(function, site, time)
                is_method = isinstance(function, ast.Attribute) and called is UNKNOWN
                return None if is_method else called
            case ast.Attribute() | ast.Subscript():
                return UNKNOWN
            case _:
                return None
        namespace = self._recorder.namespaces.get(id(variables))
        bound = self._bound(namespace, name, time) if namespace is not None else None
        if bound is not None and bound[1] is not None:
            return bound[1]
        found = variables.get(name)
        if isinstance(found, FunctionType) and is_project_file(found.__code__.co_filename):
            returned = (
                contents
                for at, code, contents in reversed(self._recorder.returned)
                if at <= time and code is found.__code__
            )
            return next(returned, UNKNOWN)
        return UNKNOWN if isinstance(found, CONTAINERS) else None


def _items(value: object) -> Iterator[tuple[object, object]]:
    """Yield the items whose keys can be told apart by their text."""
    if isinstance(value, Mapping):
        texts = Counter(map(str, value))
        yield from (pair for pair in value.items() if texts[str(pair[0])] == 1)
    elif isinstance(value, list | tuple):
        yield from enumerate(value)
