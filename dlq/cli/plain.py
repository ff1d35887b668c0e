"""The words of `dlq run` as a unit file has them, understood without Typer.

A start of production waits for this command on every machine, and to import Typer and have it build
the options takes a twelfth of a start. Whatever is not plain here, be it a mistake, a wish for help
or an odd spelling, is Typer's to read: it has the last word, and all the words about mistakes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dlq.cli.call import Call, RunWords

COMPLETION = "_DLQ_COMPLETE"
"""Set by a shell that asks for completion."""

NUMBERS = {"--machine": "machine", "--of": "of"}
TEXTS = {
    "--only-queue": "only_queue",
    "--expect-pool": "expect_pool",
    "--pidfile": "pidfile",
    "--touchfile": "touchfile",
    "--health-file": "health_file",
    "--settings": "settings",
}
FLAGS = {
    "--exact-configuration": "exact_configuration",
    "--embedded": "embedded",
    "--no-color": "no_color",
    "--verbose": "verbose",
    "-v": "verbose",
}
FILES = ("--config", "--extra-settings")
"""May be repeated."""

DIGITS = 9
"""Of a number, at most."""


def plain_run(words: Sequence[str], environ: Mapping[str, str]) -> tuple[Call, RunWords] | None:
    """What Typer would make of these words, where they are plain; None where it has to be asked."""
    if words[:1] != ["run"] or COMPLETION in environ:
        return None
    files: list[str] = []
    given: dict[str, Any] = {}
    rest = iter(words[1:])
    for word in rest:
        name, equals, value = word.partition("=")
        if name in FLAGS and not equals:
            given[FLAGS[name]] = True
            continue
        if name not in FILES and name not in TEXTS and name not in NUMBERS:
            return None
        if not equals:
            value = next(rest, "")
        if not value.isprintable() or value[:1] in ("", "-"):
            return None
        if name in FILES:
            files.append(value)
            continue
        key = TEXTS.get(name) or NUMBERS[name]
        is_number = value.isascii() and value.isdigit() and len(value) <= DIGITS
        if key in given or (name in NUMBERS and not is_number):
            return None
        given[key] = int(value) if name in NUMBERS else value
    shared = {key: given.pop(key) for key in ("settings", "no_color", "verbose") if key in given}
    return Call(config=tuple(files), format="text", **shared), RunWords(**given)
