"""What comes of one cron.py while it is read, and what is the same for every way of reading it."""

from __future__ import annotations

import tokenize
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dlq.cron.files.configuration import CronFile
from dlq.cron.files.row_locations import ConfigLocation, RowLocation
from dlq.cron.rows.constraints import Violation
from dlq.cron.rows.row import CronRow, InvalidRow, parse_row, unknown_keys
from dlq.diagnostics.finding import Finding, Rule
from dlq.diagnostics.rules import cron as rules
from dlq.diagnostics.user_exceptions import (
    at_syntax_error,
    last_line,
    line_in,
    raising_source,
)
from dlq.errors import UsageError
from dlq.primitives.display_path import display_path
from dlq.primitives.text import short_repr
from dlq.types import Source

EXAMPLE = 'CONFIG = ({"command": "…", "minutes": "0", "hours": "*"},)'


@dataclass(slots=True)
class Outcome:
    """What came of one file, while it is read."""

    file: CronFile
    rows: list[CronRow] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def text_of(path: Path) -> str:
    try:
        with tokenize.open(path) as file:
            return file.read()
    except SyntaxError as error:
        raise UsageError(f"cannot read {path}: {error.msg}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"cannot read {path}: not UTF-8 at byte {error.start}") from None
    except OSError as error:
        raise UsageError(f"cannot read {path} ({path.absolute()}): {error.strerror}") from None


def not_importable(name: str, path: Path, source: Source, error: BaseException) -> Finding:
    """The finding about a cron.py that raises while it is imported."""
    if isinstance(error, SyntaxError) and error.filename is not None:
        at = at_syntax_error(Source("cron", file=display_path(error.filename)), error)
        return rules.E201.finding(f"cannot import {name}: {error.msg}", at)
    line = line_in(path, error)
    raised = raising_source(error)
    help = None
    if line is not None:
        source = source.at(line)
        if raised is not None and (raised.file, raised.line) != (source.file, source.line):
            help = f"raised at {raised.label}"
    return rules.E201.finding(f"cannot import {name}: {last_line(error)}", source, help)


def shape_finding(
    name: str, exists: bool, config: object, source: Source, locations: tuple[ConfigLocation, ...]
) -> Finding | None:
    at = locations[0].config if locations and locations[0].config else source
    if not exists:
        return rules.W218.finding(
            f"{name} has no CONFIG, so nothing is scheduled from it",
            source,
            f"write {EXAMPLE}; if the module has another purpose, there is nothing to do",
        )
    if isinstance(config, Mapping):
        return rules.E202.finding(
            f"CONFIG of {name} is a dict, and must be a sequence of rows",
            at,
            "did you forget the comma after the closing brace? CONFIG = ({…},)",
        )
    if isinstance(config, str | bytes) or not isinstance(config, Sequence):
        return rules.E202.finding(
            f"CONFIG of {name} is of type {type(config).__name__}, and must be a sequence of rows",
            at,
            f"write a list or a tuple: {EXAMPLE}",
        )
    return None


def row_of(
    raw: object,
    module: str,
    index: int,
    location: RowLocation,
    findings: list[Finding],
    unknown: Collection[str] | None = (),
) -> CronRow | None:
    """The row, or None with its violations among `findings`. `unknown`: keys that are there with a
    value nobody knows; None where any key may be."""
    if not isinstance(raw, Mapping):
        findings.append(
            rules.E206.finding(
                f"cron row {index + 1} is {short_repr(raw)} ({type(raw).__name__}),"
                " and must be a dict",
                location.source,
            )
        )
        return None
    label = f"{module} CONFIG[{index}]"
    findings += [finding_of(unknown, location, label) for unknown in unknown_keys(raw, index)]
    try:
        return parse_row(raw, app=app_of(module), index=index, source=location.source)
    except InvalidRow as invalid:
        for violation in invalid.violations:
            if violation.code == "E203" and (unknown is None or _hides(violation.key, unknown)):
                continue
            findings.append(finding_of(violation, location, label))
        return None


def _hides(missing: str | None, unknown: Collection[str]) -> bool:
    return missing in unknown or ("schedule" in unknown and missing != "command")


def finding_of(violation: Violation, location: RowLocation, label: str) -> Finding:
    rule: Rule = getattr(rules, violation.code)
    source = location.of(violation.key, at_key=violation.at_key)
    nowhere = source.line is None or violation.code == "E203"
    return rule.finding(
        f"{label}: {violation.message}" if nowhere else violation.message, source, violation.help
    )


def app_of(module: str) -> str:
    return module.rpartition(".")[0] or module
