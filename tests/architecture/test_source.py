"""What holds for every file: its name, its size, its docstring, and that it keeps no state."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.imports import PACKAGE, source_files
from tests.kit.environments import ROOT

MAX_LINES = 400
"""Of a file of the package: what one can hold in one's head."""

VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "handler"}

STATE = {
    "dlq.jobs.declarations": {"_declared"},
    "dlq.jobs.task": {"_adapters"},
    "dlq.runtime": {"_capturing", "_current", "_lock"},
    "dlq.config.active": {"_active"},
    "dlq.config.json_schema": {"@cache"},
    "dlq.diagnostics.user_exceptions": {"@cache"},
    "dlq.process.posix.fork": {"@cache"},
    "dlq.process.posix.title": {"@cache"},
    "dlq.provenance.observed_settings": {"_known"},
}
"""The only module state: the append-only declarations and adapters, the two holders of what is in
force, a constant that is made when it is first needed, and what was recorded while the
settings were imported."""

CHANGING = {"add", "append", "clear", "extend", "insert", "pop", "remove", "setdefault", "update"}

MUTABLE_CALLS = {"bytearray", "defaultdict", "deque", "dict", "list", "set", "Lock", "RLock"}

TREES = {name: ast.parse(path.read_text()) for name, path in source_files().items()}


@pytest.mark.parametrize("name", TREES)
def test_a_file_has_one_job(name: str) -> None:
    path = source_files()[name]
    text = path.read_text()
    assert len(text.splitlines()) <= MAX_LINES
    if path.stem not in {"__init__", "__main__"} or text:
        assert ast.get_docstring(TREES[name]), "the docstring says what the module is for"


def test_no_file_has_a_name_that_says_nothing() -> None:
    files = [*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    vague = {
        path for path in files if path.stem.rstrip("s") in VAGUE_NAMES or path.stem in VAGUE_NAMES
    }
    # The old package had a module of that name, and its get_backend is documented.
    assert vague == {PACKAGE / "_alias" / "django_lightweight_queue" / "utils.py"}


@pytest.mark.parametrize("name", [name for name in TREES if name.startswith("dlq")])
def test_a_module_keeps_no_state(name: str) -> None:
    assert set(_state(TREES[name])) == STATE.get(name, set())


def _state(tree: ast.Module) -> Iterator[str]:
    """Names at module level that hold something that can change, or that functions rebind."""
    constants = set()
    for node in tree.body:
        target, value = _assigned(node)
        if target is None or not _is_mutable(value):
            continue
        if target.isupper() or target in {"__all__", "urlpatterns"}:
            constants.add(target)
        else:
            yield target
    for inner in ast.walk(tree):
        if isinstance(inner, ast.Global):
            yield from inner.names
        if isinstance(inner, ast.FunctionDef):
            yield from (
                f"@{ast.unparse(decorator)}"
                for decorator in inner.decorator_list
                if "cache" in ast.unparse(decorator)
                and ast.unparse(decorator) not in {"cached_property", "never_cache"}
            )
        changed = _changed(inner)
        if changed in constants:
            yield changed


def _assigned(node: ast.stmt) -> tuple[str | None, ast.expr | None]:
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id, node.value
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id, node.value
    return None, None


def _is_mutable(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call):
        called = ast.unparse(value.func).rpartition(".")[2]
        return called in MUTABLE_CALLS or (called.startswith("_") and called[1:2].isupper())
    return isinstance(
        value, ast.Dict | ast.List | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp
    )


def _changed(node: ast.AST) -> str:
    """The name that a statement changes in place, or nothing."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)):
            return name if method in CHANGING else ""
        case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
            return name
    return ""


FORBIDDEN = ["redis", "typer", "rich", "pydantic", "django.db.models", "asyncio"]


def test_declaring_a_task_imports_nothing_dear(tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text(
        "from dlq import task\n\n@task(queue='emails')\ndef send(order_id: int) -> None: ...\n"
    )
    code = (
        "import sys, dlq, tasks\n"
        "assert tasks.send.queue == 'emails'\n"
        f"print([name for name in {FORBIDDEN} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "[]\n"


def test_a_web_process_imports_nothing_dear_before_it_enqueues() -> None:
    """Also with the addresses of the admin pages and of the debug view, which Django loads in most
    processes. For an annotation, `Settings` is imported under TYPE_CHECKING."""
    code = (
        "import sys, django\n"
        "django.setup()\n"
        "import tests.project.urls\n"
        "from dlq import app_settings, task\n"
        "dear = ['redis', 'typer', 'rich', 'pydantic', 'dlq.config.settings', 'cronsim']\n"
        "print([name for name in dear if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "tests.project.settings"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "[]\n"
