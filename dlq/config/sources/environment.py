"""The environment as a source of settings: text, read by the type of each setting."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic_core import PydanticCustomError

from dlq.config import PREFIX
from dlq.config.settings import SECRETS, Settings
from dlq.config.sources.settings_source import SettingsSource
from dlq.config.sources.text_values import read_text
from dlq.config.sources.unknown_names import FAMILY, unknown_setting
from dlq.diagnostics.finding import Finding
from dlq.diagnostics.rules import project as rules
from dlq.provenance.setting_location import SettingLocation
from dlq.types import Source


class EnvironmentSource(SettingsSource):
    """The variables whose names start as settings do. An empty variable counts as unset, which is
    how compose files and unit files say that there is none."""

    kind = "environment"

    def __init__(self, settings_class: type[Settings], environ: Mapping[str, str]) -> None:
        super().__init__(settings_class)
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
                field = self.settings_cls.model_fields[name.lower()]
                self.values[name] = read_text(field, text)
                return []
            except PydanticCustomError as error:
                finding = _invalid_text(name, text, source, error)
        self.unreadable.add(name)
        return [finding]

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


def _invalid_text(name: str, text: str, source: Source, error: PydanticCustomError) -> Finding:
    got = "" if name in SECRETS else f" is {text!r}" if len(text) <= 80 else f" is {text[:79]!r}…"
    context = error.context or {}
    return rules.E006.finding(
        f"environment {PREFIX}{name}{got}: {error.message()}", source, context["help"] or None
    )
