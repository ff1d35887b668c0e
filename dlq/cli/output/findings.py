"""Findings as people read them: message, place, the source line with carets, help.

Pure: what a line of a file says is asked of a function that comes in. A line that may hold a
secret is never shown.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from dlq.cli.output.screen import Segment
from dlq.diagnostics.finding import Finding, Level, in_reading_order
from dlq.primitives.text import counted, printable

ReadLine: TypeAlias = Callable[[str, int], str | None]
Line: TypeAlias = list[Segment]

MESSAGE_LIMIT = 1000
WINDOW = 160
"""Characters of a source line that are shown; of a longer one, those around the place."""

SECRET = re.compile(r"password|passwd|secret|token|redis_url|://[^/\s'\"]*@", re.IGNORECASE)


def read_line(file: str, number: int) -> str | None:
    """Return a line of a file, or None where it cannot be read."""
    try:
        lines = Path(file).read_text(encoding="utf-8", errors="replace").splitlines()
    except (OSError, ValueError):
        return None
    return lines[number - 1] if 0 < number <= len(lines) else None


def findings_text(findings: Iterable[Finding], read: ReadLine = read_line) -> str:
    """All of them in reading order, as plain text."""
    return "\n".join("".join(piece for piece, _ in line) for line in findings_lines(findings, read))


def findings_lines(findings: Iterable[Finding], read: ReadLine = read_line) -> Iterator[Line]:
    """All of them in reading order, an empty line after each."""
    for finding in in_reading_order(findings):
        yield from finding_lines(finding, read)
        yield []


def finding_lines(finding: Finding, read: ReadLine = read_line) -> Iterator[Line]:
    yield [
        (f"{finding.level}[{finding.id}]", finding.level),
        (f": {printable(finding.message, MESSAGE_LIMIT)}", "bold"),
    ]
    source = finding.source
    gutter = 1
    if source is not None and source.label:
        text = None
        if source.file is not None and source.line is not None:
            text = read(source.file, source.line)
            gutter = len(str(source.line))
        yield [(" " * gutter + "--> ", "info"), (printable(source.location, MESSAGE_LIMIT), "")]
        if text is not None and source.line is not None and not _may_be_secret(finding, text):
            shown, start, length = _window(text, source.column, source.end_column)
            yield [(" " * gutter + " |", "info")]
            yield [(f"{source.line} | ", "info"), (shown, "")]
            if source.column is not None:
                carets = " " * start + "^" * length
                yield [(" " * gutter + " | ", "info"), (carets, finding.level)]
            else:
                yield [(" " * gutter + " |", "info")]
    if finding.help:
        yield [
            (" " * gutter + " = ", "info"),
            (f"help: {printable(finding.help, MESSAGE_LIMIT)}", ""),
        ]


def count_text(findings: Iterable[Finding]) -> str:
    """Count findings by level: "4 errors, 1 warning"; "no findings" for none."""
    counts = Counter(finding.level for finding in findings)
    levels: tuple[tuple[Level, str], ...] = (
        ("error", "error"),
        ("warning", "warning"),
        ("info", "note"),
    )
    parts = [counted(counts[level], word) for level, word in levels if counts[level]]
    return ", ".join(parts) or "no findings"


def _may_be_secret(finding: Finding, text: str) -> bool:
    """Better to hide a harmless line than to print a password into the log of a CI run."""
    words = f"{finding.message} {finding.help}"
    return bool(SECRET.search(text) or re.search("REDIS_(PASSWORD|URL)", words, re.IGNORECASE))


def _window(text: str, column: int | None, end_column: int | None) -> tuple[str, int, int]:
    """The part of a line to show, and where in it the carets start and how many they are."""
    first = (column or 1) - 1
    last = max(first + 1, min((end_column or first + 2) - 1, max(len(text), first + 1)))
    begin = 0
    if len(text) > WINDOW:
        begin = max(0, min(first - 40, len(text) - WINDOW))
    cut = text[begin : begin + WINDOW]
    lead = "…" if begin else ""
    tail = "…" if begin + WINDOW < len(text) else ""
    before = _escape(cut[: first - begin])
    marked = _escape(cut[first - begin : last - begin])
    after = _escape(cut[last - begin :])
    return lead + before + marked + after + tail, len(lead + before), max(1, len(marked))


def _escape(text: str) -> str:
    return printable(text.replace("\t", "    "), 4 * WINDOW)
