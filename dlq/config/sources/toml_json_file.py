"""TOML and JSON override files: settings by their names in lower case, and nothing else."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping

from dlq.config.settings import Settings
from dlq.config.sources.override_files import OverrideFile, OverrideFileSource
from dlq.config.sources.text_values import without_doubles
from dlq.config.sources.unknown_names import close_setting
from dlq.diagnostics.rules import project as rules
from dlq.primitives.frozen import copied
from dlq.provenance.document_locations import document_locations
from dlq.provenance.setting_location import SettingLocation


class TomlJsonFileSource(OverrideFileSource):
    """The keys of the file."""

    def __init__(self, settings_class: type[Settings], file: OverrideFile) -> None:
        super().__init__(settings_class, file)
        content = _content(file)
        self._places = document_locations(file.source, file.text, content, file.kind)
        for key, value in content.items():
            name = key.upper()
            if key == key.lower() and name in self.names:
                self.values[name] = copied(value)
                continue
            meant = close_setting(key, self.names)
            file.report(
                rules.E010,
                f"unknown setting {key} in override file {file.given}",
                self._places(key).of_name,
                f"did you mean {meant.lower()}?" if meant else "dlq config schema lists the keys",
            )

    def location_of(self, name: str) -> SettingLocation:
        return self._places(name.lower())


def _content(file: OverrideFile) -> Mapping[str, object]:
    """Parse the text; a finding says why nothing comes of it."""
    try:
        if file.kind == ".toml":
            return tomllib.loads(file.text)
        content = json.loads(file.text, object_pairs_hook=without_doubles)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\s*\(at line (\d+), column (\d+)\)", str(error))
        message = str(error).replace(found[0], "") if found else str(error)
        source = file.source.at(int(found[1]), int(found[2])) if found else None
        file.report(rules.E004, f"override file {file.given}: {message}", source)
    except json.JSONDecodeError as error:
        source = file.source.at(error.lineno, error.colno)
        file.report(rules.E004, f"override file {file.given}: {error.msg}", source)
    except RecursionError:
        file.report(rules.E004, f"override file {file.given} is nested too deep")
    except ValueError as error:  # a key twice, a number of more digits than Python reads
        file.report(rules.E004, f"override file {file.given}: {error}")
    else:
        if isinstance(content, dict):
            return content
        file.report(
            rules.E004,
            f"override file {file.given}: the content must be a JSON object",
            None,
            'as in {"workers": {"emails": 3}}',
        )
    return {}
