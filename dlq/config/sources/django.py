"""Django's settings as a source of settings. The values are taken as they are."""

from __future__ import annotations

from typing import Any

from dlq.config import PREFIX
from dlq.config.redaction import in_message
from dlq.config.settings import Settings, default
from dlq.config.sources.settings_source import SettingsSource
from dlq.config.sources.unknown_names import FAMILY, unknown_setting
from dlq.config.validation.constraints import is_site_url
from dlq.diagnostics.finding import Finding
from dlq.diagnostics.rules import settings as rules
from dlq.primitives.frozen import copied
from dlq.provenance.observed_settings import DjangoSettingLocations
from dlq.provenance.setting_location import SettingLocation
from dlq.types import Source

_MISSING = object()


class DjangoSource(SettingsSource):
    """`settings` is Django's object, or anything that has the settings as attributes. Django's own
    SITE_URL counts where dlq's is not set, if it is a URL."""

    kind = "django"

    def __init__(self, settings_class: type[Settings], settings: Any) -> None:
        super().__init__(settings_class)
        self._locations = DjangoSettingLocations(settings)
        for name in self.names:
            value = getattr(settings, PREFIX + name, _MISSING)
            if value is not _MISSING:
                self.values[name] = copied(value)
        self._written = {name: PREFIX + name for name in self.values}
        findings = []
        site_url = getattr(settings, "SITE_URL", None)
        if "SITE_URL" not in self.values and site_url is not None:
            if is_site_url(site_url):
                self.values["SITE_URL"] = site_url
                self._written["SITE_URL"] = "SITE_URL"
            else:
                source = self._locations("SITE_URL").source
                findings.append(_foreign_site_url(site_url, source))
        for name in dir(settings):
            if name.startswith(FAMILY) and name.removeprefix(PREFIX) not in self.names:
                source = self._locations(name).of_name
                findings.append(unknown_setting(name, source, self.names))
        self.findings = findings

    def location_of(self, name: str) -> SettingLocation:
        return self._locations(self._written[name])


def _foreign_site_url(value: object, source: Source) -> Finding:
    return rules.W122.finding(
        f"SITE_URL is {in_message('SITE_URL', value)}: not an http or https URL, so"
        f" {default('SITE_URL')} is used for the links of the debug backend",
        source,
        f"set {PREFIX}SITE_URL",
    )
