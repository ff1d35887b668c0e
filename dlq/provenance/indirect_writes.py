"""Which names and keys a statement may write by indirect means, as globals(), setattr() or exec().

A value that is written again with the same object shows no difference. After such a statement
nothing says which of the two lines wrote it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection
from typing import NamedTuple, TypeGuard

from dlq.provenance.recorder import Recorder, Site, Write
from dlq.provenance.source_text import SourceText, direct_nodes

NAMESPACES = {"globals", "vars", "locals"}
READERS = {"get", "items", "keys", "values", "copy", "dict", "list", "len", "set", "sorted", "dir"}


class Effects(NamedTuple):
    """`names`: of variables and keys, as far as they are literal; `any_name`: a variable whose name
    is computed; `tables`: the containers of which an item is written, with its key, both None for
    any, and whether `subject_of` knows the statement."""

    names: set[object]
    any_name: bool
    tables: list[tuple[ast.expr | None, ast.expr | None, bool]]


def aliases_in(statement: ast.stmt) -> set[str]:
    """Return the names that the statement gives to a namespace, as in `g = globals()`."""
    match statement:
        case ast.Assign(targets=targets, value=value) if _is_namespace(value, ()):
            return {target.id for target in targets if isinstance(target, ast.Name)}
    return set()


def writes_once(statement: ast.stmt) -> bool:
    """Whether the statement writes a single name or item."""
    match statement:
        case ast.Assign(targets=[ast.Subscript(slice=key)]):
            return not isinstance(key, ast.Slice)
        case ast.Assign(targets=[ast.Attribute()]):
            return True
        case ast.Expr(value=ast.Call(func=function)):
            return _name(function) in ("setattr", "__setattr__", "__setitem__")
    return False


def effects_of(
    nodes: Collection[ast.AST], aliases: Collection[str], is_name: Callable[[str], bool]
) -> Effects:
    """Read the nodes of a statement. `aliases` are names of namespaces."""
    found, is_any = set[object](), False
    tables: list[tuple[ast.expr | None, ast.expr | None, bool]] = []
    words = {node.value for node in nodes if isinstance(node, ast.Constant)}
    words |= {node.arg for node in nodes if isinstance(node, ast.keyword)}
    mentioned = {word for word in words if isinstance(word, str) and is_name(word)}
    is_open = any(
        isinstance(node, ast.Starred) or (isinstance(node, ast.keyword) and node.arg is None)
        for node in nodes
    )
    is_effect = any(isinstance(node, ast.Expr) for node in nodes)

    def opaque() -> None:
        nonlocal is_any
        found.update(mentioned)
        is_any = is_any or is_open or not mentioned

    for node in nodes:
        match node:
            case ast.Attribute(attr=name, ctx=ast.Store() | ast.Del()):
                found.add(name)
            case ast.Subscript(value=base, slice=key, ctx=ast.Store() | ast.Del()):
                if not _is_namespace(base, aliases):
                    tables.append((base, key, not isinstance(key, ast.Slice)))
                    literal = key.value if isinstance(key, ast.Constant) else None
                    found.update({literal} if isinstance(literal, str) and is_name(literal) else ())
                elif isinstance(key, ast.Constant):
                    found.add(key.value)
                else:
                    is_any = True
            case ast.AugAssign(target=target, op=ast.BitOr()):
                if _is_namespace(target, aliases):
                    opaque()
                elif isinstance(target, ast.Name | ast.Attribute):
                    tables.append((target, None, True))
            case ast.Call(
                func=ast.Name(id="exec" | "eval"), args=[ast.Constant(value=str(text)), *_]
            ):
                try:
                    inner = [*ast.walk(ast.parse(text.strip()))]
                except (SyntaxError, ValueError, RecursionError, MemoryError):
                    continue  # it raised
                found.update(each.id for each in inner if _is_stored(each))
                written = effects_of(inner, aliases, is_name)
                found |= written.names
                calls = any(isinstance(each, ast.Call | ast.ImportFrom) for each in inner)
                is_any = is_any or written.any_name or calls
                tables += [(None, key, False) for _, key, _ in written.tables]
                tables += [(None, None, False)] * calls
            case ast.Call(func=function, args=arguments, keywords=keywords):
                called = _name(function)
                passed = [*arguments, *(each.value for each in keywords if each.arg)]
                is_passed = any(_is_namespace(each, aliases) for each in passed)
                is_effect_on = is_effect and any(
                    (isinstance(part, ast.Name) and part.id == "__name__")
                    or (isinstance(part, ast.Attribute) and part.attr == "modules")
                    for each in passed
                    for part in ast.walk(each)
                )
                if called in ("exec", "eval"):
                    is_any = True
                    tables.append((None, None, False))
                elif called in ("setattr", "__setattr__", "delattr", "__delattr__"):
                    at = arguments[-1 if "del" in called else -2 :]
                    if at and isinstance(at[0], ast.Constant):
                        found.add(at[0].value)
                    else:
                        is_any = True
                elif isinstance(function, ast.Attribute) and _is_namespace(function.value, aliases):
                    if called not in READERS:
                        opaque()
                elif isinstance(function, ast.Attribute) and called == "update":
                    tables.append((function.value, None, True))
                elif isinstance(function, ast.Attribute) and called in ("__setitem__", "__ior__"):
                    tables.append((function.value, arguments[0] if arguments else None, False))
                elif (is_passed and called not in READERS) or is_effect_on:
                    opaque()
            case ast.Return(value=value) if value is not None and _is_namespace(value, aliases):
                is_any = True
    return Effects(found, is_any, tables)


def _is_namespace(node: ast.expr, aliases: Collection[str]) -> bool:
    match node:
        case ast.Call(func=ast.Name(id=name)):
            return name in NAMESPACES
        case ast.Attribute(attr=name):
            return name == "__dict__"
        case ast.Name(id=name):
            return name in aliases
    return False


def _is_stored(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)


def _name(function: ast.expr) -> str:
    return str(getattr(function, "attr", None) or getattr(function, "id", ""))


class IndirectWrite(NamedTuple):
    """A statement that may have written names or items, and when it ran first and last.
    `is_accounted`: it writes one thing, and wrote another value there; `changed`: names and keys
    that it gave another value the only time that it ran."""

    site: Site
    first: int
    last: int
    effects: Effects
    is_accounted: bool
    changed: set[object]


def indirect_writes(
    recorder: Recorder, text_of: Callable[[Site], SourceText | None]
) -> list[IndirectWrite]:
    """Return what ran and may have written names or items by indirect means."""
    found = list[IndirectWrite]()
    containers = [
        contents
        for namespace in (*recorder.namespaces.values(), *recorder.classes)
        for writes in namespace.writes.values()
        for _, contents in writes
        if contents is not None
    ]
    changed: dict[tuple[str, int], set[object]] = {}
    records: list[tuple[object, Write | None]] = [
        (key, write)
        for contents in containers
        for key, pairs in contents.writes.items()
        for _, write in pairs
    ]
    for namespace in (*recorder.namespaces.values(), *recorder.classes):
        for name, bound in namespace.writes.items():
            records += [(name, write) for write, _ in bound]
    for key, write in records:
        if write is not None and write.site is not None:
            changed.setdefault(line_of(write.site), set()).add(key)
    statements = []
    for first, last, site in recorder.ran.values():
        text = text_of(site)
        on_line = text.statements(site.line) if text is not None else []
        statements.append((first, last, site, text, on_line))
    aliases = {name for *_, on_line in statements for each in on_line for name in aliases_in(each)}
    for first, last, site, text, on_line in statements:
        is_accounted = (
            first == last
            and len(on_line) == 1
            and line_of(site) in changed
            and writes_once(on_line[0])
        )
        for each in on_line:
            nodes = list(direct_nodes(each))
            written = effects_of(nodes, aliases, recorder.names.__contains__)
            if written.names or written.any_name or written.tables:
                own = changed.get(line_of(site), set()) if first == last else set[object]()
                found.append(IndirectWrite(site, first, last, written, is_accounted, own))
        if text is None:
            found.append(
                IndirectWrite(
                    site, first, last, Effects(set(), True, [(None, None, False)]), False, set()
                )
            )
    return found


def line_of(site: Site) -> tuple[str, int]:
    return site.code.co_filename, site.line
