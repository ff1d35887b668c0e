"""Real settings modules on disk, imported as Django imports them, and forgotten afterwards."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

from django.conf import LazySettings, Settings

from dlq.config import PREFIX
from dlq.config.resolution import Resolution
from dlq.config.resolve import resolve
from dlq.config.settings import Settings as DlqSettings
from dlq.config.settings import setting_names
from dlq.provenance.observed_settings import observe_settings


def write(directory: Path, files: Mapping[str, str]) -> None:
    """Files by their path below `directory`; packages get their `__init__.py`."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        for package in path.relative_to(directory).parents:
            if path.suffix == ".py" and package != Path("."):
                (directory / package / "__init__.py").touch()
        path.write_text(dedent(text), encoding="utf-8")


@contextmanager
def django_settings(directory: Path, module: str) -> Iterator[LazySettings]:
    """Django's settings object for a module below `directory`."""
    loaded = set(sys.modules)
    sys.path.insert(0, str(directory))
    importlib.invalidate_caches()
    try:
        settings = LazySettings()
        settings._wrapped = observe_settings(
            module, lambda: Settings(module), [PREFIX + name for name in setting_names(DlqSettings)]
        )
        yield settings
    finally:
        sys.path.remove(str(directory))
        for name in set(sys.modules) - loaded:
            if str(getattr(sys.modules[name], "__file__", "")).startswith(str(directory)):
                del sys.modules[name]


def resolved(
    directory: Path,
    files: Mapping[str, str],
    *override_files: str,
    module: str = "shop.settings",
    environ: Mapping[str, str] | None = None,
    exact: bool = False,
) -> Resolution:
    """What comes of a project with these files. The working directory must be `directory`."""
    write(directory, files)
    with django_settings(directory, module) as settings:
        resolution = resolve(
            settings,
            settings_module=module,
            override_files=override_files,
            environ=environ or {},
            exact=exact,
        )
        for value in resolution.values.values():
            # Looked up while the modules are still there.
            assert value.source.kind == value.kind
    return resolution
