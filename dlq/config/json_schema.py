"""The JSON Schema of TOML and JSON override files, made from the model."""

from __future__ import annotations

from typing import Any

from dlq.config.layers import default
from dlq.config.model import SettingsModel
from dlq.jobs.queue_names import SCHEMA_PATTERN

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """Draft 2020-12: keys in lower case and no others, with descriptions and defaults."""
    made = SettingsModel.model_json_schema()
    properties: dict[str, Any] = made["properties"]
    for name, content in properties.items():
        content.pop("title", None)
        content["default"] = _plain(default(name.upper()))
        if content.get("type") == "object":
            content["propertyNames"] = {"pattern": SCHEMA_PATTERN}
    return {
        "$schema": DIALECT,
        "title": "dlq override file",
        "description": "Settings of dlq that replace those of the Django settings.",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


def _plain(value: object) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return value if value is None or isinstance(value, bool | int | float | str) else {}
