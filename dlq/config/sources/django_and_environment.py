"""Each source of settings, read into a layer: Django's settings and the environment.

The values are taken as they are. What they ought to be is for the validation; override files have a
module of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlq.config.layers import Layer, default
from dlq.config.redaction import in_message
from dlq.config.settings import PREFIX, SECRETS, SETTING_NAMES
from dlq.config.sources.text_values import Unreadable, read_text
from dlq.config.sources.unknown_names import FAMILY, unknown_setting
from dlq.config.validation.constraints import is_site_url
from dlq.diagnostics.finding import Finding
from dlq.diagnostics.rules import project as rules
from dlq.diagnostics.rules import settings as settings_rules
from dlq.primitives.frozen import copied
from dlq.provenance.django_places import DjangoPlaces
from dlq.provenance.setting_location import SettingLocation
from dlq.types import Source

_MISSING = object()


def django_layer(settings: Any) -> tuple[Layer, list[Finding]]:
    """`settings` is Django's object, or anything that has the settings as attributes."""
    values: dict[str, object] = {}
    for name in SETTING_NAMES:
        value = getattr(settings, PREFIX + name, _MISSING)
        if value is not _MISSING:
            values[name] = copied(value)
    written = {name: PREFIX + name for name in values}
    places = DjangoPlaces(settings)
    findings: list[Finding] = []
    site_url = getattr(settings, "SITE_URL", None)
    if "SITE_URL" not in values and site_url is not None:
        if is_site_url(site_url):
            values["SITE_URL"] = site_url
            written["SITE_URL"] = "SITE_URL"
        else:
            findings.append(_foreign_site_url(site_url, places("SITE_URL", site_url).source))

    def place(name: str) -> SettingLocation:
        return places(written[name], values[name])

    findings += [
        unknown_setting(name, places(name, copied(getattr(settings, name, None))).of_name)
        for name in dir(settings)
        if name.startswith(FAMILY) and name.removeprefix(PREFIX) not in SETTING_NAMES
    ]
    return Layer("django", values, place), findings


def _foreign_site_url(value: object, source: Source) -> Finding:
    return settings_rules.W122.finding(
        f"SITE_URL is {in_message('SITE_URL', value)}: not an http or https URL, so"
        f" {default('SITE_URL')} is used for the links of the debug backend",
        source,
        f"set {PREFIX}SITE_URL",
    )


def environment_layer(environ: Mapping[str, str]) -> tuple[Layer, list[Finding]]:
    values: dict[str, object] = {}
    unreadable: set[str] = set()
    findings: list[Finding] = []
    for variable in sorted(name for name in environ if name.upper().startswith(FAMILY)):
        source = Source("environment", name=variable)
        name = variable.removeprefix(PREFIX)
        if name == variable or name not in SETTING_NAMES:
            findings.append(unknown_setting(variable, source))
            continue
        text = environ[variable]
        values[name] = text
        problem = _undecodable(variable, text, source)
        if problem is None:
            try:
                values[name] = read_text(name, text)
                continue
            except Unreadable as error:
                problem = _unreadable(name, text, source, error)
        unreadable.add(name)
        findings.append(problem)

    def place(name: str) -> SettingLocation:
        return SettingLocation(Source("environment", name=PREFIX + name))

    return Layer("environment", values, place, frozenset(unreadable)), findings


def _undecodable(variable: str, text: str, source: Source) -> Finding | None:
    """Python keeps the bytes of a variable that are no UTF-8 as lone surrogates."""
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


def _unreadable(name: str, text: str, source: Source, error: Unreadable) -> Finding:
    got = "" if name in SECRETS else f" is {text!r}" if len(text) <= 80 else f" is {text[:79]!r}…"
    return rules.E006.finding(
        f"environment {PREFIX}{name}{got}: {error}",
        source,
        error.help,
    )
