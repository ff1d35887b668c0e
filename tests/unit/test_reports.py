"""The formats for machines, read back as their readers read them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dlq.diagnostics import formats as reports
from dlq.diagnostics.finding import Finding
from dlq.diagnostics.rules import RULES, cron, plan
from dlq.types import Source
from tests.unit.sarif_rules import LOG

HERE, ROOT = Path("/repo/backend"), Path("/repo")
AT = Source("cron", "orders/cron.py", 2, 46, 52)

FINDINGS = (
    cron.E205.finding("minutes '0,60': '60' is not a minute (0 to 59)", AT, "use 0 to 59"),
    cron.W209.finding("CONFIG of a has no rows", Source("cron", "a b/ü%.py", 3)),
    plan.W301.finding("machine 1 of 9 has no queue workers"),
    cron.I217.finding("not checked", Source("environment", name="LIGHTWEIGHT_QUEUE_WORKERS")),
    cron.E201.finding("line\r\nend: 100%, \x1b[31m::error::red", Source("cron", "/elsewhere/c.py")),
)


def test_concise_is_one_line_for_each_finding() -> None:
    lines = reports.concise(FINDINGS).splitlines()
    assert len(lines) == len(FINDINGS)
    assert lines[0] == (
        "orders/cron.py:2:46: error dlq.E205 minutes '0,60': '60' is not a minute (0 to 59)"
        " (use 0 to 59)"
    )
    assert lines[1] == "a b/ü%.py:3: warning dlq.W209 CONFIG of a has no rows"
    assert lines[2] == "warning dlq.W301 machine 1 of 9 has no queue workers"
    assert lines[3].startswith("$LIGHTWEIGHT_QUEUE_WORKERS: info dlq.I217")
    assert "\x1b" not in lines[4]


def test_json_has_the_fields_of_the_plan_s_findings() -> None:
    content = json.loads(reports.as_json(FINDINGS))
    assert content["format_version"] == "1"
    assert content["findings"][0] == {
        "id": "dlq.E205",
        "level": "error",
        "message": "minutes '0,60': '60' is not a minute (0 to 59)",
        "file": "orders/cron.py",
        "line": 2,
        "column": 46,
        "end_column": 52,
        "help": "use 0 to 59",
    }
    assert [finding["line"] for finding in content["findings"]] == [2, 3, None, None, None]
    assert content["findings"][3]["variable"] == "LIGHTWEIGHT_QUEUE_WORKERS"


def test_github_annotations_come_back_as_they_were_meant() -> None:
    parsed = [as_github_reads_it(line) for line in reports.github(FINDINGS).splitlines()]
    assert [level for level, _, _ in parsed] == ["error", "warning", "warning", "notice", "error"]
    assert parsed[0][1] == {
        "file": "orders/cron.py",
        "line": "2",
        "endLine": "2",
        "col": "46",
        "endColumn": "52",
        "title": "dlq.E205",
    }
    assert parsed[0][2] == f"{FINDINGS[0].message}\nhelp: use 0 to 59"
    assert parsed[1][1] == {"file": "a b/ü%.py", "line": "3", "endLine": "3", "title": "dlq.W209"}
    assert parsed[2][1] == {"title": "dlq.W301"}
    assert parsed[3][2] == "$LIGHTWEIGHT_QUEUE_WORKERS: not checked"
    assert parsed[4][2] == FINDINGS[4].message


def test_github_properties_with_colons_and_commas_are_escaped() -> None:
    odd = cron.E205.finding("x", Source("cron", "a,b:c%3A.py", 1))
    assert reports.github([odd]).startswith("::error file=a%2Cb%3Ac%253A.py,line=1,")
    assert as_github_reads_it(reports.github([odd]).strip())[1]["file"] == "a,b:c%3A.py"


def test_sarif_keeps_the_rules_of_the_schema() -> None:
    log = json.loads(reports.sarif(FINDINGS, here=HERE, root=ROOT))
    validate(log)
    driver = log["runs"][0]["tool"]["driver"]
    assert [rule["id"] for rule in driver["rules"]] == [rule.id for rule in RULES.values()]
    for result, finding in zip(log["runs"][0]["results"], FINDINGS, strict=True):
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == finding.id
    region = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 2, "startColumn": 46, "endColumn": 52}


@pytest.mark.parametrize(
    "broken",
    [
        lambda log: log.pop("version"),
        lambda log: log["runs"][0]["results"][0].pop("message"),
        lambda log: log["runs"][0]["results"][0].update(level="info"),
        lambda log: region_of(log).update(startLine=0),
        lambda log: region_of(log).update(column=1),
        lambda log: log["runs"][0]["tool"]["driver"]["rules"].append(
            log["runs"][0]["tool"]["driver"]["rules"][0]
        ),
    ],
)
def test_the_rules_of_the_schema_refuse_what_is_wrong(broken: Any) -> None:
    log = json.loads(reports.sarif(FINDINGS))
    broken(log)
    with pytest.raises(jsonschema.ValidationError):
        validate(log)


def test_an_empty_run_is_a_valid_log_and_no_annotation() -> None:
    validate(json.loads(reports.sarif([])))
    assert reports.github([]) == reports.concise([]) == ""


def test_paths_are_relative_to_the_repository() -> None:
    log = json.loads(reports.sarif(FINDINGS, here=HERE, root=ROOT))
    assert [uri_of(result) for result in log["runs"][0]["results"]] == [
        ("backend/orders/cron.py", "%SRCROOT%"),
        ("backend/a%20b/%C3%BC%25.py", "%SRCROOT%"),
        None,
        ("LIGHTWEIGHT_QUEUE_WORKERS", "variable"),
        ("file:///elsewhere/c.py", None),
    ]
    inside = Finding("dlq.E205", "error", "x", Source("cron", "/repo/shop/cron.py", 1))
    assert reports.github([inside], here=HERE, root=ROOT).startswith("::error file=shop/cron.py,")
    above = Finding("dlq.E205", "error", "x", Source("cron", "../shop/cron.py", 1))
    assert reports.github([above], here=HERE, root=ROOT).startswith("::error file=shop/cron.py,")


def test_a_fingerprint_outlives_lines_that_are_added_above() -> None:
    moved = cron.E205.finding(FINDINGS[0].message, AT.at(20, 46, 52), "use 0 to 59")
    twice = json.loads(reports.sarif([FINDINGS[0], moved]))["runs"][0]["results"]
    alone = json.loads(reports.sarif([moved]))["runs"][0]["results"]
    first, second = (result["partialFingerprints"]["dlqFinding/v1"] for result in twice)
    assert alone[0]["partialFingerprints"]["dlqFinding/v1"] == first
    assert first != second


def as_github_reads_it(line: str) -> tuple[str, dict[str, str], str]:
    """The reading side of GitHub's toolkit: split first, then unescape."""
    parts = re.fullmatch(r"::(error|warning|notice) (.*?)::(.*)", line)
    assert parts is not None, line
    properties = dict(part.split("=", 1) for part in parts[2].split(","))
    return (
        parts[1],
        {name: unescape(value) for name, value in properties.items()},
        unescape(parts[3]),
    )


def unescape(text: str) -> str:
    codes = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}
    return re.sub("|".join(codes), lambda match: codes[match[0]], text)


def validate(log: Any) -> None:
    jsonschema.validate(log, LOG, format_checker=jsonschema.FormatChecker())


def region_of(log: Any) -> Any:
    return log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]


def uri_of(result: Any) -> tuple[str, str | None] | None:
    if "locations" not in result:
        return None
    (location,) = result["locations"]
    if "physicalLocation" not in location:
        (logical,) = location["logicalLocations"]
        return logical["name"], logical["kind"]
    artifact = location["physicalLocation"]["artifactLocation"]
    return artifact["uri"], artifact.get("uriBaseId")
