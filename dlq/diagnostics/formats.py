"""Findings as machines read them: one line each, JSON, GitHub annotations, SARIF.

Pure: findings in, text out. Relative paths of findings are relative to the working directory;
where a format wants them relative to the repository, the caller says where both are.
"""

from __future__ import annotations

import hashlib
import json
import os.path
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

from dlq import __version__
from dlq.diagnostics.finding import Finding, Level, as_fields
from dlq.diagnostics.rules import RULES
from dlq.primitives.text import printable
from dlq.types import Source

SARIF_VERSION = "2.1.0"
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
SOURCE_ROOT = "%SRCROOT%"
"""What SARIF's readers call the root of the repository."""

ANNOTATIONS: dict[Level, str] = {"error": "error", "warning": "warning", "info": "notice"}
SARIF_LEVELS: dict[Level, str] = {"error": "error", "warning": "warning", "info": "note"}

LONGEST = 2000
"""Characters of a message; a value that is quoted in it may be of any length."""


LINE_END = "\n"


def document(**content: Any) -> dict[str, Any]:
    """Put a verb's JSON into the envelope that all verbs share. Within a format version, keys are
    only added."""
    return {"format_version": "1", "dlq": __version__, **content}


def json_text(content: object) -> str:
    """JSON for people and machines: indented, in the order of the keys, ASCII where a terminal
    could be misled."""
    return json.dumps(content, indent=2, ensure_ascii=True)


def iso_utc(moment: datetime | float) -> str:
    """ISO 8601 in UTC, as every JSON document has its times: `2026-01-31T08:00:00Z`. Takes an aware
    datetime, or Unix time in seconds. Fractions of a second are kept where there are any."""
    if not isinstance(moment, datetime):
        moment = datetime.fromtimestamp(moment, UTC)
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def concise(findings: Iterable[Finding]) -> str:
    """`orders/cron.py:2:46: error dlq.E205 minutes '0,60': …`, one line each, whatever the message
    contains."""
    return "".join(
        f"{printable(_location(finding.source))}{finding.level} {finding.id}"
        f" {printable(_with_help(finding, ' '), LONGEST)}\n"
        for finding in findings
    )


def as_json(findings: Iterable[Finding]) -> str:
    """The findings as in the plan's JSON, in a list."""
    return json_text(document(findings=[as_fields(finding) for finding in findings])) + "\n"


def github(
    findings: Iterable[Finding], *, here: Path | None = None, root: Path | None = None
) -> str:
    """Workflow commands, which GitHub shows at the line. `here` is the working directory, `root`
    that of the repository."""
    return "".join(
        f"::{ANNOTATIONS[finding.level]} {_annotation_properties(finding, here, root)}"
        f"::{_escape_data(_outside_files(finding.source) + _with_help(finding, LINE_END))}\n"
        for finding in findings
    )


def sarif(
    findings: Iterable[Finding], *, here: Path | None = None, root: Path | None = None
) -> str:
    """A SARIF 2.1.0 log of one run, with every rule of dlq."""
    codes = list(RULES)
    driver = {
        "name": "dlq",
        "version": __version__,
        "semanticVersion": _semantic_version(),
        "rules": [_sarif_rule(code) for code in codes],
    }
    seen: Counter[str] = Counter()
    results = []
    for finding in findings:
        result = _sarif_result(finding, codes, here, root)
        # Two equal mistakes in one file differ in nothing but their line, which moves.
        print_ = _fingerprint(finding, here, root)
        result["partialFingerprints"] = {"dlqFinding/v1": f"{print_}:{seen[print_]}"}
        seen[print_] += 1
        results.append(result)
    log = {
        "$schema": SARIF_SCHEMA,
        "version": SARIF_VERSION,
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": results,
            }
        ],
    }
    return json.dumps(log, indent=2) + "\n"


def path_in_repository(file: str, here: Path | None, root: Path | None) -> str:
    """Relative to `root` and with slashes, where the file lies below it; else as it is."""
    path = PurePath(file)
    if here is None or root is None:
        return path.as_posix()
    whole = PurePath(os.path.normpath(here / path))
    return (whole.relative_to(root) if whole.is_relative_to(root) else path).as_posix()


def _location(source: Source | None) -> str:
    return "" if source is None else f"{source.location}: "


def _outside_files(source: Source | None) -> str:
    """The variable or option that a finding is about, for a format whose places are files."""
    return (
        "" if source is None or source.file is not None or not source.name else f"{source.label}: "
    )


def _with_help(finding: Finding, between: str) -> str:
    if finding.help is None:
        return finding.message
    return (
        f"{finding.message}{between}({finding.help})"
        if between == " "
        else (f"{finding.message}{between}help: {finding.help}")
    )


def _annotation_properties(finding: Finding, here: Path | None, root: Path | None) -> str:
    source = finding.source
    properties: dict[str, object] = {}
    if source is not None and source.file is not None:
        properties["file"] = path_in_repository(source.file, here, root)
        properties["line"] = source.line
        properties["endLine"] = source.line
        properties["col"] = source.column
        properties["endColumn"] = source.end_column
    properties["title"] = finding.id
    return ",".join(
        f"{name}={_escape_property(str(value))}"
        for name, value in properties.items()
        if value is not None
    )


def _escape_data(text: str) -> str:
    """Escape text as GitHub's own toolkit does: a line end in a message would end the command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape_data(text).replace(":", "%3A").replace(",", "%2C")


def _sarif_rule(code: str) -> dict[str, Any]:
    rule = RULES[code]
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.text.strip()},
        "help": {"text": f"{rule.text.strip()}\n\ndlq explain {rule.code}"},
        "defaultConfiguration": {"level": SARIF_LEVELS[rule.level]},
    }


def _sarif_result(
    finding: Finding, codes: list[str], here: Path | None, root: Path | None
) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.id,
        "level": SARIF_LEVELS[finding.level],
        "message": {"text": _with_help(finding, "\n")},
    }
    code = finding.id.removeprefix("dlq.")
    if code in codes:
        result["ruleIndex"] = codes.index(code)
    location = _sarif_location(finding.source, here, root)
    if location is not None:
        result["locations"] = [location]
    return result


def _sarif_location(
    source: Source | None, here: Path | None, root: Path | None
) -> dict[str, Any] | None:
    """A file, or the variable or option of what is in no file; None where there is no such name."""
    if source is None or (source.file is None and source.name is None):
        return None
    if source.file is None:
        kind = "variable" if source.kind == "environment" else "parameter"
        return {"logicalLocations": [{"name": source.name, "kind": kind}]}
    path = path_in_repository(source.file, here, root)
    artifact: dict[str, Any] = {"uri": quote(path)}
    if PurePath(path).is_absolute():
        artifact["uri"] = PurePath(path).as_uri()
    else:
        artifact["uriBaseId"] = SOURCE_ROOT
    physical: dict[str, Any] = {"artifactLocation": artifact}
    if source.line is not None:
        region = {"startLine": source.line}
        if source.column is not None:
            region["startColumn"] = source.column
            if source.end_column is not None:
                region["endColumn"] = source.end_column
        physical["region"] = region
    return {"physicalLocation": physical}


def _fingerprint(finding: Finding, here: Path | None, root: Path | None) -> str:
    """Equal after lines were added above, so that a known finding doesn't count as a new one."""
    source = finding.source
    place = (source and source.name) or ""
    if source is not None and source.file is not None:
        place = path_in_repository(source.file, here, root)
    content = json.dumps([finding.id, place, finding.message])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _semantic_version() -> str:
    """`5.0.0.dev0` is a version to Python; SARIF wants that of semver.org: `5.0.0-dev0`."""
    parts = __version__.split(".")
    return ".".join(parts[:3]) + "".join(f"-{part}" for part in parts[3:])
