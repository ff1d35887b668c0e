"""A finding: one thing that dlq has to say about a configuration. A value, and no more.

The rules that findings break live in `dlq.diagnostics.rules`, a module for each hundred of ids.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeAlias

from dlq.types import Source

Level: TypeAlias = Literal["error", "warning", "info"]
LEVELS: dict[str, Level] = {"E": "error", "W": "warning", "I": "info"}
"""By the letter of an id."""


class Finding(NamedTuple):
    """`id` as in `dlq.E101`; `message` starts in lower case and has no full stop; `help` is
    something to do, best something to type."""

    id: str
    level: Level
    message: str
    source: Source | None = None
    help: str | None = None


class Rule(NamedTuple):
    """What a finding's id stands for. `code` as in `E101`; `text` is what `dlq explain` prints:
    what was found, why it matters, what to do, with an example."""

    code: str
    title: str
    text: str

    @property
    def id(self) -> str:
        return f"dlq.{self.code}"

    @property
    def level(self) -> Level:
        return LEVELS[self.code[0]]

    def finding(
        self, message: str, source: Source | None = None, help: str | None = None
    ) -> Finding:
        """One case of this rule."""
        return Finding(self.id, self.level, message, source, help)


def as_fields(finding: Finding) -> dict[str, str | int | None]:
    """The finding as every JSON of dlq has it; a part of the plan's contract. `variable` is there
    where the finding is about a variable of the environment, which has no file."""
    source = finding.source
    variable = source.name if source and source.kind == "environment" else None
    return {
        "id": finding.id,
        "level": finding.level,
        "message": finding.message,
        "file": source.file if source else None,
        "line": source.line if source else None,
        "column": source.column if source else None,
        "end_column": source.end_column if source else None,
        "help": finding.help,
        **({} if variable is None else {"variable": variable}),
    }


def errors(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.level == "error"]


def in_reading_order(findings: Iterable[Finding]) -> list[Finding]:
    """The findings by file and line, as one fixes them; those without a file come last. Doubles are
    dropped."""

    def order(finding: Finding) -> tuple[bool, str, int, int, str]:
        source = finding.source
        if source is None or source.file is None:
            return (True, source.label if source else "", 0, 0, finding.id)
        return (False, source.file, source.line or 0, source.column or 0, finding.id)

    return sorted(dict.fromkeys(findings), key=order)
