"""The JSON Schema of TOML and JSON override files, made from the settings."""

from __future__ import annotations

from functools import cache
from typing import Any

from dlq.config.settings import Settings, default
from dlq.jobs.queue_names import SCHEMA_PATTERN

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@cache
def schema(settings_class: type[Settings] = Settings) -> dict[str, Any]:
    """Draft 2020-12: keys in lower case and no others, with descriptions and defaults. Made once:
    it is a constant that costs some milliseconds, and only mistakes and the verb need it."""
    made = settings_class.model_json_schema()
    properties: dict[str, Any] = made["properties"]
    for name, content in properties.items():
        content.pop("title", None)
        content["default"] = _json_value(default(name.upper(), settings_class))
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


def _json_value(value: object) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return value if value is None or isinstance(value, bool | int | float | str) else {}
