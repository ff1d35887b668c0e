"""Layouts of settings, with the line that wrote each value.

`P` is short for a scalar setting, `W` for WORKERS, `M` for MIDDLEWARE; the settings are the package
`conf`, and `conf.settings` is what Django imports. Needs nothing but Python and dlq, so that
`python -m tests.provenance.layouts` checks them on any interpreter.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from dlq.provenance.lookup import Lookup
from dlq.provenance.observer import observe
from dlq.types import Source

NAMES = {
    "P": "LIGHTWEIGHT_QUEUE_REDIS_PREFIX",
    "W": "LIGHTWEIGHT_QUEUE_WORKERS",
    "M": "LIGHTWEIGHT_QUEUE_MIDDLEWARE",
}


class Layout(NamedTuple):
    """`files`: the texts by name. `lines`: where `P`, `W['a']` and so on are written: a line of
    settings.py, or `file:line`, or a file alone where nobody can know the line; after a blank, what
    the line says from the column on."""

    title: str
    files: dict[str, str]
    lines: dict[str, str]


def layouts() -> Iterator[Layout]:
    """Read the layouts next to this module, in which `====` separates them, `## name` begins a file
    other than settings.py, and `>>` the answers."""
    text = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8")
    for block in text.split("\n====\n"):
        body, _, wanted = block.partition(">> ")
        first, *others = re.split(r"^## (.*)\n", body, flags=re.MULTILINE)
        files = dict(zip(others[::2], others[1::2], strict=True)) or {"settings.py": first}
        pairs = (each.split(": ", 1) for each in wanted.strip().split(" | "))
        yield Layout(" ".join(body.split("\n")).strip(), files, dict(pairs))


def answers(directory: Path, layout: Layout) -> dict[str, tuple[str, str]]:
    """What is said about each value of the layout, after an import under observation: file and
    line, and what the line says from the column on."""
    package = directory / "conf"
    package.mkdir(exist_ok=True)
    for name, text in {"__init__.py": "", **layout.files}.items():
        (package / name).write_text(_long(text), encoding="utf-8")
    sys.path.insert(0, str(directory))
    importlib.invalidate_caches()
    try:
        module, recorder = observe(lambda: importlib.import_module("conf.settings"), NAMES.values())
        if recorder is None:
            return dict.fromkeys(layout.lines, ("not observed", ""))
        lookup = Lookup(recorder, Source("django"))
        return {
            expression: _answer(lookup.in_module, module, expression) for expression in layout.lines
        }
    finally:
        sys.path.remove(str(directory))
        for name in [name for name in sys.modules if name.partition(".")[0] == "conf"]:
            del sys.modules[name]


def _answer(locate: Any, module: ModuleType, expression: str) -> tuple[str, str]:
    short, _, key = expression.replace("]", "").replace("'", "").partition("[")
    location = locate(vars(module), NAMES[short], getattr(module, NAMES[short]))
    if location is None:
        return "nothing", ""
    source = location.item(key) if key else location.source
    file = Path(source.file)
    text = ""
    if source.line is not None and source.column is not None:
        text = file.read_text().split("\n")[source.line - 1][source.column - 1 :]
    return f"{file.name}:{source.line}" if source.line else file.name, text


def mistakes(directory: Path, layout: Layout) -> dict[str, str]:
    """The wrong answers, by expression."""
    wrong = {}
    for expression, (place, text) in answers(directory, layout).items():
        wanted, _, wanted_text = layout.lines[expression].partition(" ")
        if ".py" not in wanted:
            wanted = f"settings.py:{wanted}"
        if place != wanted or not text.startswith(_long(wanted_text)):
            wrong[expression] = f"{place} {text}, not {layout.lines[expression]}"
    return wrong


def _long(text: str) -> str:
    return re.sub(r"\b[PWM]\b", lambda found: NAMES[found[0]], text)


def main() -> None:
    wrong = {}
    for layout in layouts():
        with tempfile.TemporaryDirectory() as directory:
            found = mistakes(Path(directory).resolve(), layout)
        if found:
            wrong[layout.title] = found
    print(json.dumps(wrong, indent=1))


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
