"""All sources read into one resolution: what is in force, where it came from, what is wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dlq.config.layers import Layers
from dlq.config.resolution import Resolution
from dlq.config.settings import Settings
from dlq.config.sources.django import DjangoSource
from dlq.config.sources.environment import EnvironmentSource
from dlq.config.sources.settings_source import URL_PARTS, SettingsSource
from dlq.config.validation.between_settings import check_between_settings
from dlq.diagnostics.finding import Finding, errors, in_reading_order
from dlq.diagnostics.rules import project as rules
from dlq.provenance.observed_settings import module_of

SERVER_SETTINGS = {"BACKEND", "BACKEND_OVERRIDES", "REDIS_URL", "REDIS_PREFIX", *URL_PARTS}
"""What says on which server, and where there, jobs are. No default takes the place of a mistake in
one of these: the command would look at, or change, what somebody else has there."""


def resolve(
    django_settings: Any,
    *,
    settings_module: str = "",
    override_files: Sequence[str | Path] = (),
    environ: Mapping[str, str],
    exact: bool = False,
    settings_class: type[Settings] = Settings,
) -> Resolution:
    """Default < Django settings < override files in their order < environment.

    Nothing is written to: not the user's dicts, not the modules, not `environ`. `exact`: the
    override files are the whole truth, so names in them that have no effect are errors.
    """
    paths = [os.fspath(path) for path in override_files]
    lowest_first = (
        DjangoSource(settings_class, django_settings),
        *(_override_file(settings_class, path, exact) for path in paths),
        EnvironmentSource(settings_class, environ),
    )
    findings = [finding for source in lowest_first for finding in source.findings]
    layers = Layers(settings_class, lowest_first[::-1])
    valid, failed, broken = _validate(layers)
    between = list(check_between_settings(valid, layers, failed))
    is_usable = not (errors([*findings, *between]) or failed & SERVER_SETTINGS)
    findings += [*broken, *between]
    return Resolution(
        None if errors(findings) else valid,
        layers,
        tuple(in_reading_order(findings)),
        settings_module,
        tuple(paths),
        valid if is_usable else None,
    )


def resolve_from_django() -> Resolution:
    """Resolve Django's settings and the environment, without override files: for processes that
    dlq's own commands didn't start. Where Django has no settings, a finding says so."""
    return resolve_command((), exact=False)


def resolve_command(override_files: Sequence[str | Path], *, exact: bool = False) -> Resolution:
    """Resolve as `resolve_from_django` does, with the override files of a command."""
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
    return Resolution(None, Layers(Settings, ()), (finding,))


def _override_file(settings_class: type[Settings], given: str, exact: bool) -> SettingsSource:
    """Read one override file; from one that cannot be used come findings and no values."""
    # Imported here: a web process has no override files and needs no parsers.
    from dlq.config.sources.override_files import OverrideFileSource, open_override_file

    file, is_readable = open_override_file(given, exact=exact)
    if not is_readable:
        return OverrideFileSource(settings_class, file)
    if file.kind == ".py":
        from dlq.config.sources.python_file import PythonFileSource

        return PythonFileSource(settings_class, file)
    from dlq.config.sources.toml_json_file import TomlJsonFileSource

    return TomlJsonFileSource(settings_class, file)


def _validate(layers: Layers) -> tuple[Settings, frozenset[str], list[Finding]]:
    """Return the settings that are valid, with defaults in place of the others, the names of the
    others, and what is wrong with them. Values are validated together: one that fails hides no
    other."""
    unreadable = frozenset(
        name for source in layers.sources for name in source.in_force & source.unreadable
    )
    try:
        return layers.settings_class.read(layers.sources), unreadable, []
    except ValidationError as error:
        details = error.errors(include_url=False)
    # Only a mistake needs the words about mistakes.
    from dlq.config.validation.violations import finding_of, violations

    found = violations(details, layers)
    failed = unreadable | {str(violation.path[0]) for violation in found}
    passed: dict[str, Any] = {
        name.lower(): value
        for name, value in layers.values_in_force().items()
        if name not in failed
    }
    findings = [finding_of(violation, layers) for violation in found]
    return layers.settings_class(**passed), failed, findings
