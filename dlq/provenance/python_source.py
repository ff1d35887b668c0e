"""A Python module as text: which of its statements may have given a name its value.

The text is never run. Each statement is noted with whether it certainly ran when the module was
imported, and what it wrote, as far as that can be told; which of them is the one in force is
decided elsewhere, against the value that is there.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias, TypeGuard

from dlq.types import Source

DYNAMIC = {"eval", "exec", "globals", "include", "locals", "optional", "setattr", "vars"}
"""Names that let code write variables without naming them; `include` and `optional` are those of
django-split-settings."""

READING = {"copy", "get", "items", "keys", "values", "count", "index"}
"""Methods of dicts and lists that change nothing."""


class Bound(NamedTuple):
    """The name is assigned. `value` is None where it isn't a single expression, and `node` is None
    where the name is deleted. `line` is the statement's, `target` where the name itself stands."""

    line: int
    certain: bool
    value: ast.expr | None
    node: ast.AST | None
    target: ast.AST | None = None


class Imported(NamedTuple):
    """The name may come from another module, under the name `attribute` there."""

    certain: bool
    level: int
    module: str
    attribute: str
    star: bool


class Changed(NamedTuple):
    """The dict (or list) is changed in place. `entries` are keys with what is written under them
    (None: the key is removed); `table` is a dict whose entries are all written. Neither: nobody
    knows what is changed."""

    line: int
    certain: bool
    node: ast.AST
    entries: tuple[tuple[ast.expr, ast.expr | None], ...] = ()
    table: ast.expr | None = None
    only_missing: bool = False


class Rumour(NamedTuple):
    """Something here may write any name."""


Event: TypeAlias = Bound | Imported | Changed | Rumour


class PythonText:
    """The syntax tree of a file, with places as people count them. Raises SyntaxError and
    ValueError."""

    def __init__(self, source: Source, text: str) -> None:
        self._source = source
        self._tree = ast.parse(text)
        self._lines = text.split("\n")

    def events(self, name: str, before: int | None = None) -> Iterator[Event]:
        """What may have happened to `name`, in the order of the text; `before`: a line."""
        return _events(self._tree.body, name, certain=True, before=before or sys.maxsize)

    def at(self, node: ast.AST) -> Source:
        """ast counts bytes from 0, people count characters from 1."""
        assert isinstance(node, ast.expr | ast.stmt | ast.keyword)
        column = self._characters(node.lineno, node.col_offset)
        end = None
        if node.end_lineno == node.lineno and node.end_col_offset is not None:
            end = self._characters(node.lineno, node.end_col_offset)
        return self._source.at(node.lineno, column, end)

    def _characters(self, line: int, offset: int) -> int:
        text = self._lines[line - 1] if line <= len(self._lines) else ""
        return len(text.encode()[:offset].decode(errors="replace")) + 1


def _events(body: list[ast.stmt], name: str, *, certain: bool, before: int) -> Iterator[Event]:
    for statement in body:
        if statement.lineno >= before:
            return
        yield from _simple(statement, name, certain)
        if isinstance(statement, ast.If) and _is_for_type_checkers(statement.test):
            yield from _events(statement.orelse, name, certain=certain, before=before)
        elif isinstance(statement, ast.Try):
            yield from _try(statement, name, certain, before)
        elif not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for inner in _bodies(statement):
                yield from _events(inner, name, certain=False, before=before)
        if _may_write_anything(statement, name):
            yield Rumour()


def _is_for_type_checkers(test: ast.expr) -> bool:
    return ast.unparse(test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def _try(statement: ast.Try, name: str, certain: bool, before: int) -> Iterator[Event]:
    """An import that a try begins with has run if its module is loaded, which is asked later."""
    first, rest = statement.body[:1], statement.body[1:]
    is_import = bool(first) and isinstance(first[0], ast.ImportFrom)
    yield from _events(first, name, certain=certain and is_import, before=before)
    blocks = [rest, *(handler.body for handler in statement.handlers), statement.orelse]
    for block in blocks:
        yield from _events(block, name, certain=False, before=before)
    yield from _events(statement.finalbody, name, certain=certain, before=before)


def _bodies(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for part in ("body", "orelse"):
        inner = getattr(statement, part, None)
        if isinstance(inner, list):
            yield inner
    for case in getattr(statement, "cases", ()):
        yield case.body


def _simple(statement: ast.stmt, name: str, certain: bool) -> Iterator[Event]:
    line = statement.lineno
    match statement:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _assigned(target, value, name, line, certain)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield from _assigned(target, value, name, line, certain)
        case ast.AugAssign(target=ast.Name(id=written), op=op, value=value) if written == name:
            table = value if isinstance(op, ast.BitOr) else None
            yield Changed(line, certain, statement, table=table)
        case ast.AugAssign(target=ast.Subscript(value=ast.Name(id=written), slice=key)):
            if written == name:
                yield Changed(line, certain, statement, ((key, statement.value),))
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=written))) as call):
            if written == name:
                yield from _called(call, line, certain)
        case ast.Delete(targets=targets):
            for target in targets:
                if isinstance(target, ast.Name) and target.id == name:
                    yield Bound(line, certain, None, None)
                elif _is_entry(target, name):
                    yield Changed(line, certain, statement, ((target.slice, None),))
        case ast.ImportFrom(module=module, names=aliases, level=level):
            for alias in aliases:
                star = alias.name == "*"
                if star or (alias.asname or alias.name) == name:
                    attribute = name if star else alias.name
                    yield Imported(certain, level, module or "", attribute, star)
        case ast.Import(names=aliases):
            if any((alias.asname or alias.name.partition(".")[0]) == name for alias in aliases):
                yield Bound(line, certain, None, statement, statement)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            if statement.name == name:
                yield Bound(line, certain, None, statement, statement)
        case ast.For(target=target):
            yield from _assigned(target, None, name, line, certain=False)
        case ast.With(items=items):
            for item in items:
                if item.optional_vars is not None:
                    yield from _assigned(item.optional_vars, None, name, line, certain=False)


def _assigned(
    target: ast.expr, value: ast.expr | None, name: str, line: int, certain: bool
) -> Iterator[Event]:
    if isinstance(target, ast.Name):
        if target.id == name:
            yield Bound(line, certain, value, value or target, target)
    elif isinstance(target, ast.Tuple | ast.List):
        for element in target.elts:
            yield from _assigned(element, None, name, line, certain)
    elif isinstance(target, ast.Starred):
        yield from _assigned(target.value, None, name, line, certain)
    elif _is_entry(target, name):
        yield Changed(line, certain, target, ((target.slice, value),) if value is not None else ())


def _is_entry(target: ast.expr, name: str) -> TypeGuard[ast.Subscript]:
    return (
        isinstance(target, ast.Subscript)
        and isinstance(target.value, ast.Name)
        and target.value.id == name
    )


def _called(call: ast.Call, line: int, certain: bool) -> Iterator[Event]:
    """A method of the name's value."""
    assert isinstance(call.func, ast.Attribute)
    match call:
        case ast.Call(func=ast.Attribute(attr="update"), args=[], keywords=keywords):
            yield from (_keyword(keyword, line, certain) for keyword in keywords)
        case ast.Call(func=ast.Attribute(attr="update"), args=[table], keywords=keywords):
            yield Changed(line, certain, call, table=table)
            yield from (_keyword(keyword, line, certain) for keyword in keywords)
        case ast.Call(func=ast.Attribute(attr="setdefault"), args=[key, value]):
            yield Changed(line, certain, call, ((key, value),), only_missing=True)
        case ast.Call(func=ast.Attribute(attr="pop"), args=[key, *_]):
            yield Changed(line, certain, call, ((key, None),))
        case _ if call.func.attr not in READING:
            yield Changed(line, certain, call)


def _keyword(keyword: ast.keyword, line: int, certain: bool) -> Changed:
    if keyword.arg is None:
        return Changed(line, certain, keyword, table=keyword.value)
    key = ast.copy_location(ast.Constant(value=keyword.arg), keyword.value)
    return Changed(line, certain, keyword, ((key, keyword.value),))


def _may_write_anything(statement: ast.stmt, name: str) -> bool:
    """Of the statement itself, with the bodies of functions that it defines; blocks of other
    statements are asked one by one."""
    if isinstance(statement, ast.If | ast.For | ast.While | ast.With | ast.Try | ast.Match):
        return False
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and node.id in DYNAMIC and isinstance(node.ctx, ast.Load):
            return True
        if isinstance(node, ast.Global) and name in node.names:
            return True
        if isinstance(node, ast.NamedExpr) and node.target.id == name:
            return True
    return False
