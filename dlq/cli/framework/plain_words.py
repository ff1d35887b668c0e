"""The words of `dlq run` and `dlq plan` as unit files and people write them, understood without
Typer.

A start of production waits for `run` on every machine, and to import Typer (and pydantic with it)
and have it build the options takes a fifth of a start. Whatever is not plain here, be it a mistake,
a wish for help or an odd spelling, is Typer's to read: it has the last word, and all the words
about mistakes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dlq.cli.framework.invocation import Call, PlanWords, RunWords

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


VERBS: Mapping[str, type[RunWords] | type[PlanWords]] = {"run": RunWords, "plan": PlanWords}
SHARED = ("settings", "no_color", "verbose")


def plain_words(
    words: Sequence[str], environ: Mapping[str, str]
) -> tuple[Call, RunWords | PlanWords] | None:
    """What Typer would make of these words, where they are plain; None where it has to be asked."""
    if not words or words[0] not in VERBS or COMPLETION in environ:
        return None
    verb = VERBS[words[0]]
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
    shared = {key: given.pop(key) for key in SHARED if key in given}
    if not given.keys() <= set(verb._fields):
        return None
    return Call(config=tuple(files), format="text", **shared), verb(**given)
