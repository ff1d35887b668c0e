"""Positions inside the statements of a source file.

The statement is known to have run; here it is only found where in it a name, a value or an item is
written. What was executed has to be what the file says now, else there are no positions.
"""

from __future__ import annotations

import ast
import tokenize
from bisect import bisect_right
from collections.abc import Iterator
from types import CodeType
from typing import NamedTuple

from dlq.primitives.display_path import display_path
from dlq.provenance.recorder import Site
from dlq.types import Source

Node = ast.expr | ast.stmt | ast.keyword | ast.alias


class Part(NamedTuple):
    """An expression that may have given an item its value, beside its key."""

    value: ast.expr
    key: Node | None = None


class Parts(NamedTuple):
    """What a statement says about items. `literal`: by key, or by the element itself, with the
    type; `open`: with a key that is computed, or a call or comprehension that makes the items;
    `names`: what passes on the items of something else; `is_branched`: not all of it ran."""

    literal: dict[tuple[type, object], list[Part]]
    open: list[Part]
    names: list[ast.expr]
    is_branched: list[bool]

    def add(self, key: ast.expr, value: ast.expr, at: Node | None) -> None:
        if isinstance(key, ast.Constant):
            self.literal.setdefault((type(key.value), key.value), []).append(Part(value, at))
        else:
            self.open.append(Part(value, at))

    def collect(self, node: ast.expr) -> None:
        """Read an expression whose value is a container."""
        match node:
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if key is None:
                        self.collect(value)
                    else:
                        self.add(key, value, key)
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                for element in elements:
                    if isinstance(element, ast.Starred):
                        self.collect(element.value)
                    else:
                        self.add(element, element, None)
            case ast.BinOp(left=left, right=right):
                self.collect(left)
                self.collect(right)
            case ast.IfExp(body=left, orelse=right) | ast.BoolOp(values=[left, right]):
                self.is_branched.append(True)
                self.collect(left)
                self.collect(right)
            case ast.Call(func=function) if _name(function) in COPYING:
                self.collect_arguments(node)
                if _name(function) == "copy" and isinstance(function, ast.Attribute):
                    self.collect(function.value)
            case ast.Call(func=function, args=[*_, element]) if _name(function) in ADDING:
                self.add(element, element, None)
            case ast.Constant() | ast.Set():
                pass
            case ast.Name() | ast.Attribute() | ast.Subscript():
                self.names.append(node)
            case _:
                self.open.append(Part(node))

    def collect_arguments(self, call: ast.Call) -> None:
        for argument in call.args:
            self.collect(argument)
        for keyword in call.keywords:
            if keyword.arg is None:
                self.collect(keyword.value)
            else:
                self.add(ast.Constant(keyword.arg), keyword.value, keyword)


COPYING = {"dict", "OrderedDict", "list", "tuple", "copy", "deepcopy", "update", "extend"}
ADDING = {"append", "insert"}


def _name(function: ast.expr) -> str:
    return str(getattr(function, "attr", None) or getattr(function, "id", ""))


class SourceText:
    """One file. `text`: what was compiled, where that is known; `source` then is the file as it is
    shown."""

    def __init__(self, source: Source, filename: str, text: str | None = None) -> None:
        self.source = source if text is not None else source._replace(file=display_path(filename))
        self._codes: set[tuple[CodeType, bytes]] = set()
        self._known: dict[int, bool] = {}
        self._positions: dict[int, list[tuple[int | None, ...]]] = {}
        self._statements: dict[tuple[int, int, int | None], ast.stmt | None] = {}
        self._parts: dict[tuple[ast.stmt, bool], Parts] = {}
        try:
            if text is None:
                with tokenize.open(filename) as file:
                    text = file.read()
            self._codes.update(_nested(compile(text, filename, "exec", dont_inherit=True)))
            self._body, self._lines = ast.parse(text).body, text.split("\n")
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            self._codes.clear()

    def is_of(self, code: CodeType) -> bool:
        """Whether the file still says what was executed. Nothing else here makes sense if not."""
        if id(code) not in self._known:
            self._known[id(code)] = (code, code.co_linetable) in self._codes
        return self._known[id(code)]

    def statement(self, site: Site) -> ast.stmt | None:
        """Return the innermost statement at a site; None where several are on its line."""
        key = (id(site.code), site.line, site.offset)
        if key not in self._statements:
            line, column = site.line, None
            if site.offset is not None:
                if id(site.code) not in self._positions:
                    self._positions[id(site.code)] = list(site.code.co_positions())
                at = self._positions[id(site.code)][site.offset // 2]
                line, column = at[0] or line, at[2]
            found = _innermost(self._body, line, column)
            before = (
                self._lines[found[0].lineno - 1].encode()[: found[0].col_offset] if found else b""
            )
            is_alone = len(found) == 1 and (column is not None or not before.strip())
            self._statements[key] = found[0] if is_alone else None
        return self._statements[key]

    def statements(self, line: int) -> list[ast.stmt]:
        """Return all innermost statements that are on a line."""
        return _innermost(self._body, line, None)

    def parts(self, statement: ast.stmt, *, is_new: bool) -> Parts:
        """Read a statement once for all its items: a dict may have thousands. `is_new`: it made the
        container, instead of changing it."""
        if (statement, is_new) not in self._parts:
            found = self._parts[statement, is_new] = Parts({}, [], [], [])
            match statement:
                case ast.Assign(targets=targets, value=value) if not is_new:
                    for target in targets:
                        if isinstance(target, ast.Subscript):
                            found.add(target.slice, value, target.slice)
                case ast.AugAssign(target=ast.Subscript(slice=key), value=value):
                    found.add(key, value, key)
                case ast.AugAssign(target=target, value=value):
                    if is_new:
                        found.collect(target)
                    found.collect(value)
                case ast.Assign(targets=targets, value=value):
                    if not any(isinstance(target, ast.Tuple) for target in targets):
                        found.collect(value)
                case (
                    ast.AnnAssign(value=ast.expr() as value) | ast.Return(value=ast.expr() as value)
                ):
                    found.collect(value)
                case ast.Expr(value=ast.Call(args=arguments, keywords=keywords)) if is_new:
                    # What wrote the name, as in globals().update(NAME={...}), or setattr().
                    for value in (*arguments, *(keyword.value for keyword in keywords)):
                        found.collect(value)
                case ast.Expr(value=value):
                    found.collect(value)
        return self._parts[statement, is_new]

    def at(self, node: Node) -> Source:
        """ast counts bytes from 0, people count characters from 1."""
        column = self._characters(node.lineno, node.col_offset)
        end = None
        if node.end_lineno == node.lineno and node.end_col_offset is not None:
            end = self._characters(node.lineno, node.end_col_offset)
        return self.source.at(node.lineno, column, end)

    def _characters(self, line: int, offset: int) -> int:
        return len(self._lines[line - 1].encode()[:offset].decode(errors="replace")) + 1


def _nested(code: CodeType) -> Iterator[tuple[CodeType, bytes]]:
    """Yield the code objects in a code object; equal ones may be on other lines."""
    yield code, code.co_linetable
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)


def _innermost(body: list[ast.stmt], line: int, column: int | None) -> list[ast.stmt]:
    """Return the innermost statements there. `column` in bytes, from 0, where it is known."""
    found: list[ast.stmt] = []
    for index in range(bisect_right(body, line, key=lambda each: each.lineno) - 1, -1, -1):
        statement = body[index]
        start = (statement.lineno, statement.col_offset)
        end = (statement.end_lineno or 0, statement.end_col_offset or 0)
        if end[0] < line:
            break
        if column is None or start <= (line, column) < end:
            within = [each for part in blocks(statement) for each in _innermost(part, line, column)]
            found += within or [statement]
    return found


def blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for part in ("body", "orelse", "finalbody"):
        yield getattr(statement, part, [])
    for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        yield part.body


def direct_nodes(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield the nodes of a statement, in the order of the text, without those in its blocks."""
    todo: list[ast.AST] = [statement]
    while todo:
        node = todo.pop()
        yield node
        inner = ast.iter_child_nodes(node)
        outside = (ast.stmt, ast.ExceptHandler, ast.match_case)
        todo += reversed([each for each in inner if not isinstance(each, outside)])


def name_in(statement: ast.stmt, name: str) -> tuple[Node, Node] | None:
    """Return the value that the statement gives to a name, or else the name again, and the name."""
    found: list[tuple[Node, Node]] = []
    for node in direct_nodes(statement):
        match node:
            case ast.Assign(targets=targets, value=value):
                found += ((value, target) for target in targets if _writes(target, name))
            case ast.AnnAssign(target=target, value=ast.expr() as value) if _writes(target, name):
                found.append((value, target))
            case ast.NamedExpr(target=target, value=value) if target.id == name:
                found.append((value, target))
            case ast.alias() if (node.asname or node.name.partition(".")[0]) == name:
                found.append((node, node))
            case ast.FunctionDef(name=written) | ast.ClassDef(name=written) if written == name:
                found.append((node, node))
            case ast.expr() if _writes(node, name) and all(node is not at for _, at in found):
                found.append((node, node))
    return found[0] if len(found) == 1 else None


def _writes(node: ast.expr, name: str) -> bool:
    match node:
        case ast.Name(id=written, ctx=ast.Store()) | ast.Attribute(attr=written, ctx=ast.Store()):
            return written == name
        case ast.Subscript(slice=ast.Constant(value=written), ctx=ast.Store()):
            return bool(written == name)
    return False


def subject_of(statement: ast.stmt | None) -> tuple[ast.expr | None, bool]:
    """Return the dict or list whose items the statement may write again, if it is one, and whether
    it writes a single one."""
    match statement:
        case ast.Assign(targets=[ast.Subscript(value=changed), *_]):
            return changed, True
        case ast.AugAssign(target=ast.Subscript(value=changed)):
            return changed, True
        case ast.AugAssign(target=changed):
            return changed, False
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=changed, attr="update"))):
            return changed, False
    return None, False


def may_be(node: ast.expr, value: object) -> bool:
    """Whether the expression may have had this value: a constant has only its own."""
    try:
        made = node.value if isinstance(node, ast.DictComp) else node
        constant = ast.literal_eval(made)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return True
    return type(constant) is type(value) and bool(constant == value)
