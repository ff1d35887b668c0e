"""From all sources to one resolution: what is in force, where it came from, and what is wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dlq.config.layers import Layer, Merged, merge
from dlq.config.resolution import Resolution
from dlq.config.sources.django_and_environment import django_layer, environment_layer
from dlq.config.validation.between_settings import cross_check
from dlq.config.validation.validate import Verdict, validate
from dlq.diagnostics.finding import Finding, errors, in_reading_order
from dlq.diagnostics.rules import project as rules
from dlq.provenance.django_places import module_of
from dlq.provenance.setting_location import SettingLocation


def resolve(
    django_settings: Any,
    *,
    settings_module: str = "",
    override_files: Sequence[str | Path] = (),
    environ: Mapping[str, str],
    exact: bool = False,
) -> Resolution:
    """Default < Django settings < override files in their order < environment.

    Nothing is written to: not the user's dicts, not the modules, not `environ`. `exact`: the
    override files are the whole truth, so names in them that have no effect are errors.
    """
    layers: list[Layer] = []
    findings: list[Finding] = []
    for layer, found in _layers(django_settings, override_files, environ, exact):
        layers.append(layer)
        findings += found
    merged = merge(layers)
    raw = merged.raw()
    unreadable = {
        name
        for name in raw
        if (owner := merged.owner(name)) is not None and name in owner.unreadable
    }
    verdict = validate(
        {name: value for name, value in raw.items() if name not in unreadable}, merged.source_of
    )
    findings += _mistakes(verdict, merged)
    findings += cross_check(verdict.valid, merged, verdict.failed | unreadable)
    return Resolution(
        None if errors(findings) else verdict.valid,
        merged,
        tuple(in_reading_order(findings)),
        settings_module,
        tuple(os.fspath(path) for path in override_files),
    )


def resolve_from_django() -> Resolution:
    """Django's settings and the environment, without override files: for processes that dlq's own
    commands didn't start. Where Django has no settings, a finding says so."""
    return resolve_command((), exact=False)


def resolve_command(override_files: Sequence[str | Path], *, exact: bool = False) -> Resolution:
    """As `resolve_from_django`, with the override files of a command."""
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    try:
        settings.INSTALLED_APPS  # noqa: B018 (the first access imports the settings module)
    except ImproperlyConfigured:
        return _without_django()
    return resolve(
        settings,
        settings_module=module_of(settings),
        override_files=override_files,
        environ=os.environ,
        exact=exact,
    )


def _without_django() -> Resolution:
    finding = rules.E001.finding(
        "Django has no settings in this process",
        None,
        "set DJANGO_SETTINGS_MODULE, as in export DJANGO_SETTINGS_MODULE=shop.settings",
    )
    return Resolution(None, merge(()), (finding,))


def _layers(
    django_settings: Any,
    override_files: Sequence[str | Path],
    environ: Mapping[str, str],
    exact: bool,
) -> Iterator[tuple[Layer, list[Finding]]]:
    """The lowest first."""
    yield django_layer(django_settings)
    for path in override_files:
        yield _file_layer(os.fspath(path), exact)
    yield environment_layer(environ)


def _file_layer(given: str, exact: bool) -> tuple[Layer, list[Finding]]:
    """Read one override file; one that cannot be used gives an empty layer and a finding."""
    # Imported here: a web process has no override files and needs no parsers.
    from dlq.config.sources.override_files import open_override_file
    from dlq.config.sources.python_file import read_python_file
    from dlq.config.sources.toml_json_file import read_toml_json_file

    file, is_readable = open_override_file(given, exact=exact)
    layer = None
    if is_readable:
        layer = read_python_file(file) if file.kind == ".py" else read_toml_json_file(file)
    return layer or Layer("file", {}, lambda name: SettingLocation(file.source)), file.findings


def _mistakes(verdict: Verdict, merged: Merged) -> Iterator[Finding]:
    for mistake in verdict.mistakes:
        place = merged.place(mistake.name)
        source = place.source
        if mistake.key is not None:
            places = place.keys if mistake.in_key else place.items
            source = places.get(mistake.key, source)
        yield mistake.rule.finding(mistake.message, source, mistake.help)
