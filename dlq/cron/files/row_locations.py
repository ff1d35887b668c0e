"""Where the rows of a cron.py are written, read from its text without running it.

`CONFIG` may be a list or tuple, a sum of them, or grow by `+=`, `append` and `extend`; a row may be
a dict, `dict(...)`, or the name of one. What is written in another way has no location: better no
line than a wrong one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from dlq.primitives.frozen import FrozenDict
from dlq.types import Source

DEEPEST = 8
"""Names and sums within each other that are followed; it also ends names that run in a circle."""


WHOLE = ""
"""Stands in RowLocation.values for a row that is no dict, but a value that a row cannot be."""


class NotLiteral(ValueError):
    """The value is computed, so only running the file would show it."""


class RowLocation(NamedTuple):
    """One row as it is written. `values` has what can be read without running the file; a key that
    is missing there, and is in `keys`, is computed. `complete`: no key is hidden in a `**`.
    `locate` finds the source location of a key, or of its value."""

    source: Source
    keys: frozenset[str] = frozenset()
    values: Mapping[str, Any] = FrozenDict()
    complete: bool = True
    locate: Callable[[str, bool], Source] | None = None

    def of(self, key: str | None, *, at_key: bool = False) -> Source:
        """The source location of a key's value, or of the key; of the row where it has none."""
        if key is None or key not in self.keys or self.locate is None:
            return self.source
        return self.locate(key, at_key)

    def agrees(self, row: object) -> bool:
        """Whether this may be where `row` was written: no value contradicts."""
        try:
            if WHOLE in self.values:
                return bool(self.values[WHOLE] == row)
            return isinstance(row, dict) and all(
                key in row and row[key] == value for key, value in self.values.items()
            )
        except Exception:  # an object of the user's that cannot be compared
            return False


class ConfigLocation(NamedTuple):
    """`rows` has None for a row that is written in no way that is understood, and
    `exact` is False where not even the number of rows is known."""

    config: Source | None = None
    is_dict: bool = False
    rows: tuple[RowLocation | None, ...] = ()
    exact: bool = True


def find_rows(text: str, source: Source) -> tuple[ConfigLocation, ...]:
    """Each of the values that the file may give CONFIG (the branches of an `if` give it several),
    the last one first. Raises SyntaxError and ValueError (NUL bytes), as `compile` does."""
    return _Reader(text, source).read()


class _Reader:
    def __init__(self, text: str, source: Source) -> None:
        self._lines = re.split(r"\r\n|\r|\n", text)
        self._source = source
        self._tree = ast.parse(text, source.file or "<cron.py>")
        self._names: dict[str, ast.expr] = {}

    def read(self) -> tuple[ConfigLocation, ...]:
        found: list[ConfigLocation] = []
        for statement in _statements(self._tree.body):
            change = self._change(statement)
            if change is not None:
                target, value, resets = change
                added = self._rows(value)
                if resets or not found:
                    found.append(ConfigLocation(self._at(target), isinstance(value, ast.Dict)))
                found[-1] = found[-1]._replace(
                    rows=(*found[-1].rows, *(added or ())),
                    exact=found[-1].exact and added is not None,
                )
            self._note_name(statement)
        return tuple(reversed(found))

    def _note_name(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self._names[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                self._names[name] = value

    def _change(self, statement: ast.stmt) -> tuple[ast.expr, ast.expr, bool] | None:
        """The part of the file that a statement gives CONFIG, and whether it replaces it."""
        match statement:
            case ast.Assign(targets=[ast.Name(id="CONFIG") as target], value=value):
                return (target, value, True)
            case ast.AnnAssign(target=ast.Name(id="CONFIG") as target, value=ast.expr() as value):
                return (target, value, True)
            case ast.AugAssign(target=ast.Name(id="CONFIG") as target, value=value):
                return (target, value, False)
            case ast.Expr(
                value=ast.Call(
                    func=ast.Attribute(value=ast.Name(id="CONFIG") as target, attr=method),
                    args=[argument],
                )
            ) if method in ("append", "extend"):
                if method == "append":
                    argument = ast.List(elts=[argument], ctx=ast.Load())
                return (target, argument, False)
        return None

    def _rows(self, value: ast.expr, depth: int = 0) -> list[RowLocation | None] | None:
        if depth > DEEPEST:
            return None
        match value:
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                rows: list[RowLocation | None] = []
                for element in elements:
                    if isinstance(element, ast.Starred):
                        inner = self._rows(element.value, depth + 1)
                        if inner is None:
                            return None
                        rows += inner
                    else:
                        rows.append(self._row(element))
                return rows
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                first, second = self._rows(left, depth + 1), self._rows(right, depth + 1)
                return None if first is None or second is None else first + second
            case ast.Name(id=name) if name in self._names:
                return self._rows(self._names[name], depth + 1)
            case ast.Call(func=ast.Name(id="list" | "tuple"), args=[argument], keywords=[]):
                return self._rows(argument, depth + 1)
        return None

    def _row(self, element: ast.expr) -> RowLocation | None:
        match element:
            case ast.Dict(keys=keys, values=values):
                pairs = list(zip(keys, values, strict=True))
            case ast.Call(func=ast.Name(id="dict"), args=[], keywords=keywords):
                return self._keyword_row(element, keywords)
            case ast.Name(id=name) if isinstance(self._names.get(name), ast.Dict | ast.Call):
                return self._row(self._names[name])
            case ast.Constant(value=value):
                return RowLocation(self._at(element), values={WHOLE: value}, complete=False)
            case _:
                return None
        nodes: dict[str, tuple[ast.expr, ast.expr]] = {}
        complete = True
        for key_node, value_node in pairs:
            if isinstance(key_node, ast.Constant) and isinstance(key_node.value, str):
                nodes[key_node.value] = (key_node, value_node)
            else:
                complete = False

        def locate(key: str, at_key: bool) -> Source:
            return self._at(nodes[key][0 if at_key else 1])

        return RowLocation(
            self._at(element),
            frozenset(nodes),
            self._literals({key: value for key, (_, value) in nodes.items()}),
            complete,
            locate,
        )

    def _keyword_row(self, element: ast.expr, keywords: list[ast.keyword]) -> RowLocation:
        nodes = {keyword.arg: keyword for keyword in keywords if keyword.arg is not None}

        def locate(key: str, at_key: bool) -> Source:
            if not at_key:
                return self._at(nodes[key].value)
            start = self._at(nodes[key])
            end = None if start.column is None else start.column + len(key)
            return start.at(nodes[key].lineno, start.column, end)

        return RowLocation(
            self._at(element),
            frozenset(nodes),
            self._literals({key: keyword.value for key, keyword in nodes.items()}),
            len(nodes) == len(keywords),
            locate,
        )

    def _literals(self, nodes: Mapping[str, ast.expr]) -> dict[str, Any]:
        known: dict[str, Any] = {}
        for key, node in nodes.items():
            try:
                known[key] = self._value(node)
            except NotLiteral:
                continue
        return known

    def _value(self, node: ast.expr) -> Any:
        """A literal, or the name of one. Raises NotLiteral."""
        if isinstance(node, ast.Name) and node.id in self._names:
            node = self._names[node.id]
        if isinstance(node, ast.Constant):
            return node.value
        try:
            return ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            raise NotLiteral from None

    def _at(self, node: ast.expr | ast.keyword) -> Source:
        """ast counts bytes; people count letters."""
        column = self._letters(node.lineno, node.col_offset)
        if node.end_lineno != node.lineno or node.end_col_offset is None:
            return self._source.at(node.lineno, column)
        return self._source.at(node.lineno, column, self._letters(node.lineno, node.end_col_offset))

    def _letters(self, line: int, offset: int) -> int:
        text = self._lines[line - 1] if line <= len(self._lines) else ""
        if text.isascii():
            return offset + 1
        return len(text.encode()[:offset].decode(errors="replace")) + 1


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Those that run when the module is imported, in their order, branches included."""
    for statement in body:
        yield statement
        for part in ("body", "orelse", "handlers", "finalbody"):
            if isinstance(statement, ast.If | ast.Try | ast.With):
                inner: list[Any] = getattr(statement, part, [])
                for block in inner:
                    if isinstance(block, ast.ExceptHandler):
                        yield from _statements(block.body)
                    else:
                        yield from _statements([block])
