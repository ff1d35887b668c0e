"""What the SARIF 2.1.0 schema of OASIS says about the objects that dlq writes.

The schema itself is 3,000 lines, most of them about objects that we don't write. Like it, this one
knows every property of the objects below that we use, and allows no other.
"""

from __future__ import annotations

from typing import Any


def _object(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": properties,
    }


LEVEL = {"enum": ["none", "note", "warning", "error"]}
TEXT = {"type": "string"}
FROM_ONE = {"type": "integer", "minimum": 1}
FROM_MINUS_ONE = {"type": "integer", "minimum": -1}

MESSAGE = {
    **_object(text=TEXT, markdown=TEXT, id=TEXT, arguments={"type": "array", "items": TEXT}),
    "anyOf": [{"required": ["text"]}, {"required": ["id"]}],
}
MULTIFORMAT_MESSAGE = _object(("text",), text=TEXT, markdown=TEXT)

REGION = {
    **_object(startLine=FROM_ONE, startColumn=FROM_ONE, endLine=FROM_ONE, endColumn=FROM_ONE),
    "anyOf": [{"required": ["startLine"]}],
}
ARTIFACT_LOCATION = _object(
    uri={"type": "string", "format": "uri-reference", "pattern": r"^[^\s\\]+$"},
    uriBaseId=TEXT,
    index=FROM_MINUS_ONE,
)
PHYSICAL_LOCATION = {
    **_object(artifactLocation=ARTIFACT_LOCATION, region=REGION),
    "anyOf": [{"required": ["address"]}, {"required": ["artifactLocation"]}],
}
LOGICAL_LOCATION = _object(name=TEXT, fullyQualifiedName=TEXT, kind=TEXT)
LOCATION = _object(
    id=FROM_MINUS_ONE,
    physicalLocation=PHYSICAL_LOCATION,
    logicalLocations={"type": "array", "uniqueItems": True, "items": LOGICAL_LOCATION},
    message=MESSAGE,
)

REPORTING_DESCRIPTOR = _object(
    ("id",),
    id=TEXT,
    name=TEXT,
    shortDescription=MULTIFORMAT_MESSAGE,
    fullDescription=MULTIFORMAT_MESSAGE,
    help=MULTIFORMAT_MESSAGE,
    helpUri={"type": "string", "format": "uri"},
    defaultConfiguration=_object(enabled={"type": "boolean"}, level=LEVEL),
)
TOOL_COMPONENT = _object(
    ("name",),
    name=TEXT,
    version=TEXT,
    semanticVersion={"type": "string", "pattern": r"^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$"},
    informationUri={"type": "string", "format": "uri"},
    rules={"type": "array", "uniqueItems": True, "items": REPORTING_DESCRIPTOR},
)
RESULT = _object(
    ("message",),
    ruleId=TEXT,
    ruleIndex=FROM_MINUS_ONE,
    kind={"enum": ["notApplicable", "pass", "fail", "review", "open", "informational"]},
    level=LEVEL,
    message=MESSAGE,
    locations={"type": "array", "items": LOCATION},
    partialFingerprints={"type": "object", "additionalProperties": TEXT},
)
RUN = _object(
    ("tool",),
    tool=_object(("driver",), driver=TOOL_COMPONENT),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    results={"type": "array", "items": RESULT},
)
LOG = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    **_object(
        ("version", "runs"),
        **{"$schema": {"type": "string", "format": "uri"}},
        version={"enum": ["2.1.0"]},
        runs={"type": "array", "items": RUN},
    ),
}
