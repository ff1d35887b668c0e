"""The house rules of names and English: the field's words, and docstrings that stand alone."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.imports import ALIAS, PACKAGE, source_files

MAX_MODULES = 12
"""In one folder: what a newcomer can take in at a glance."""

BANNED = {
    "told": "report, log",
    "tell": "report, log",
    "telling": "report, log",
    "voice": "Reporter",
    "announce": "print_line",
    "heed": "handle",
    "hurry": "force_stop",
    "leaving": "exiting",
    "death": "exit_status",
    "deaths": "exit_status",
    "killing": "termination",
    "board": "scoreboard",
    "keeper": "heartbeat",
    "master": "supervisor",
    "surroundings": "isolation",
    "settlement": "unfinished_job",
    "settle": "unfinished_job",
    "outages": "server_retry",
    "fresh": "spawn",
    "wakeup": "signals",
    "stoppable": "interruptible",
    "hold": "lease",
    "held": "prefetch_buffer",
    "ahead": "prefetched",
    "pace": "prefetch_size",
    "doubt": "mark_uncertain",
    "claims": "ownership",
    "claiming": "ownership",
    "own": "this_process",
    "spare": "overflow",
    "marks": "idempotency_keys",
    "taken": "Delivery",
    "resumed": "redelivered",
    "predecessor": "previous_process",
    "place": "SourceLocation",
    "places": "SourceLocation",
    "spot": "Span",
    "whereabouts": "ValueProvenance",
    "position": "SourceLocation",
    "plain": "what it does: constraints, text_values",
    "shown": "display",
    "written": "what was written",
    "dotted": "importing",
    "kinds": "text_values",
    "unfit": "Violation",
    "unreadable": "Violation",
    "verdict": "Violation",
    "mistake": "Violation",
    "mistakes": "violations",
    "problem": "Violation",
    "problems": "violations",
    "orders": "SpawnMessage",
    "feed": "BackendSchedule",
    "deed": "BulkAction",
    "skin": "base",
}
"""Words that may not stand as whole words in the name of a module, class or function, and what the
field says instead. The glossary in CONTRIBUTING.md explains the words we use."""

BANNED_PHRASES = {"let_go", "put_back", "hand_out", "hands_out_again", "take_leave", "good_bye"}

EXCEPTIONS: dict[str, str] = {}
"""Names that may have a banned word, with the reason."""

WEAK_STARTS = re.compile(r"(Of|To|By|In|For|With|As|From|And|Or)\b")
"""A docstring that begins so needs the signature to be understood."""

NAMES_PER_NOUN = {"rules", "commands", "output", "demo", "management"}
"""Folders where a file per noun is the point, so that names recur."""

PENDING: set[str] = set()
"""Rooms whose names and docstrings are still in the old language. Only ever gets shorter."""


def _own_files() -> dict[str, Path]:
    return {
        name: path
        for name, path in source_files().items()
        if not path.is_relative_to(ALIAS) and name != "dlq"
    }


TREES = {name: ast.parse(path.read_text()) for name, path in _own_files().items()}


def _is_pending(name: str) -> bool:
    return name.split(".")[1] in PENDING


DONE = [name for name in TREES if not _is_pending(name)]


def _names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


def _words(name: str) -> list[str]:
    """The words of a name, in lower case, of snake case and camel case alike."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_").split("_")


def _is_banned(name: str) -> bool:
    words = _words(name)
    joined = "_".join(words)
    return not BANNED.keys().isdisjoint(words) or any(phrase in joined for phrase in BANNED_PHRASES)


@pytest.mark.parametrize("module", DONE)
def test_names_use_the_words_of_the_field(module: str) -> None:
    names = {module.rpartition(".")[2], *_names(TREES[module])}
    assert {name for name in names if _is_banned(name) and name not in EXCEPTIONS} == set()


@pytest.mark.parametrize("module", DONE)
def test_docstrings_stand_alone(module: str) -> None:
    weak = []
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node) or ""
            if WEAK_STARTS.match(text):
                weak.append(text.splitlines()[0])
    assert weak == []


def test_each_exception_is_needed() -> None:
    used = {name for tree in TREES.values() for name in _names(tree)} | {
        part for name in TREES for part in name.split(".")
    }
    assert set(EXCEPTIONS) <= used


def test_a_folder_can_be_taken_in_at_a_glance() -> None:
    """Not counted: `__init__` and `__main__`; at the top what users import or Django looks up."""
    folders = {path.parent for path in _own_files().values()} - {PACKAGE}
    sizes = {
        str(folder.relative_to(PACKAGE)): len(
            [path for path in folder.glob("*.py") if not path.stem.startswith("__")]
        )
        for folder in folders
    }
    assert {name: size for name, size in sizes.items() if size > MAX_MODULES} == {}


def test_a_module_name_says_which() -> None:
    """A name that more than two modules have says nothing in a traceback or an editor's tab."""
    names = Counter(
        path.stem
        for path in _own_files().values()
        if not path.stem.startswith("__")
        and NAMES_PER_NOUN.isdisjoint(path.relative_to(PACKAGE).parts)
    )
    assert {name: count for name, count in names.items() if count > 2} == {}
