"""Which module of dlq imports which, read from the source and not by importing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import dlq

PACKAGE = Path(dlq.__file__).parent
ALIAS = PACKAGE / "_alias"


@dataclass(frozen=True)
class Import:
    """`importer` imports `imported` (a module, dotted) on `line`. `when_called`: the statement is
    in a function, so importing the importer doesn't cause it."""

    importer: str
    imported: str
    line: int
    when_called: bool


def source_files() -> dict[str, Path]:
    """Every module of the package by its dotted name; the alias's under their own."""
    files = {}
    for path in PACKAGE.rglob("*.py"):
        root = ALIAS if path.is_relative_to(ALIAS) else PACKAGE.parent
        parts = path.relative_to(root).with_suffix("").parts
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return files


@cache
def imports() -> tuple[Import, ...]:
    """What is imported when the code runs: imports for type checkers only are left out."""
    return tuple(_imports())


def _imports() -> Iterator[Import]:
    files = source_files()
    for name, path in files.items():
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        tree = ast.parse(path.read_text(), str(path))
        for node, when_called in _statements(tree.body, False):
            for imported in _imported(node, package, files):
                yield Import(name, imported, node.lineno, when_called)


def _statements(
    body: list[ast.stmt], in_function: bool
) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, in_function
        elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            yield from _statements(node.orelse, in_function)
        else:
            inside = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            for field in ("body", "orelse", "finalbody", "handlers", "cases"):
                yield from _statements(getattr(node, field, []), inside)


def _imported(
    node: ast.Import | ast.ImportFrom, package: str, files: dict[str, Path]
) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    base = node.module or ""
    if node.level:
        above = package.split(".")[: len(package.split(".")) - node.level + 1]
        base = ".".join([*above, *([base] if base else [])])
    for alias in node.names:
        yield f"{base}.{alias.name}" if f"{base}.{alias.name}" in files else base
