"""The environment as a source of settings: text, read by the type of each setting."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic_core import PydanticCustomError

from dlq.config import PREFIX
from dlq.config.settings import SECRETS, Settings
from dlq.config.sources.settings_source import SettingsSource
from dlq.config.sources.text_values import kind_of, read_text
from dlq.config.sources.unknown_names import FAMILY, unknown_setting
from dlq.diagnostics.finding import Finding
from dlq.diagnostics.rules import project as rules
from dlq.primitives.text import short_repr
from dlq.provenance.setting_location import SettingLocation
from dlq.types import Source


class EnvironmentSource(SettingsSource):
    """The variables whose names start as settings do. An empty variable counts as unset, which is
    how compose files and unit files say that there is none."""

    kind = "environment"

    def __init__(self, settings_class: type[Settings], environ: Mapping[str, str]) -> None:
        super().__init__(settings_class)
        self._settings_class = settings_class
        findings = []
        for variable in sorted(name for name in environ if name.upper().startswith(FAMILY)):
            name, text = variable.removeprefix(PREFIX), environ[variable]
            if name == variable or name not in self.names:
                source = Source("environment", name=variable)
                findings.append(unknown_setting(variable, source, self.names))
            elif text.strip():
                findings += self._read(name, text)
        self.findings = findings

    def _read(self, name: str, text: str) -> list[Finding]:
        source = self.location_of(name).source
        self.values[name] = text
        finding = _undecodable(PREFIX + name, text, source)
        if finding is None:
            try:
                self.values[name] = read_text(self._settings_class.model_fields[name.lower()], text)
                return []
            except PydanticCustomError as error:
                message, help = self._words(name, text, error)
                got = "" if name in SECRETS else f" is {short_repr(text, 80)}"
                finding = rules.E006.finding(
                    f"environment {PREFIX}{name}{got}: {message}", source, help
                )
        self.unreadable.add(name)
        return [finding]

    def _words(self, name: str, text: str, error: PydanticCustomError) -> tuple[str, str | None]:
        """Return what the text should have been, and what to write."""
        if kind_of(self._settings_class.model_fields[name.lower()]) in {"whole", "number"}:
            # Imported here: only a mistake needs the JSON Schema, which has the bounds.
            from dlq.config.validation.expectations import TEXT, Expectation

            expectation = Expectation(self._settings_class, name, TEXT, is_item=False)
            return expectation.words(), expectation.remedy(text)
        return error.message(), (error.context or {}).get("help") or None

    def location_of(self, name: str) -> SettingLocation:
        return SettingLocation(Source("environment", name=PREFIX + name))


def _undecodable(variable: str, text: str, source: Source) -> Finding | None:
    """Report bytes that are no UTF-8, which Python keeps as lone surrogates, and a NUL."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raw = text.encode("utf-8", "surrogateescape")
        offset = len(text[: error.start].encode("utf-8", "surrogateescape"))
        return rules.E007.finding(
            f"environment {variable} is not UTF-8: byte 0x{raw[offset]:02x} at offset {offset}",
            source,
            "set it again, as UTF-8",
        )
    if "\0" in text:
        offset = len(text[: text.index("\0")].encode())
        return rules.E007.finding(
            f"environment {variable} has a NUL byte at offset {offset}", source, "set it again"
        )
    return None
