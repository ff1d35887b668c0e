"""Writing cron.py files of throw-away apps, and naming what is found in them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management import get_commands
from django.test import override_settings

from dlq.cron.files.configuration import CronConfiguration
from dlq.cron.files.load import load_rows
from dlq.cron.files.read_module import check_files


def check(folder: Path, text: str, *, django: bool = True) -> CronConfiguration:
    """What a single file of this text comes to."""
    file = folder / "cron.py"
    file.write_text(text, encoding="utf-8")
    return check_files([str(file)], django=django)


def ids(configuration: CronConfiguration) -> list[str]:
    return [finding.id.removeprefix("dlq.") for finding in configuration.findings]


def marked(configuration: CronConfiguration, text: str, index: int = 0) -> str:
    """The piece of the file that a finding points at."""
    source = configuration.findings[index].source
    assert source is not None
    assert source.line is not None
    assert source.column is not None
    line = text.splitlines()[source.line - 1]
    return line[source.column - 1 : None if source.end_column is None else source.end_column - 1]


@contextmanager
def installed(folder: Path, **cron_files: str) -> Iterator[None]:
    """Apps of these names, with these cron.py files, in INSTALLED_APPS."""
    for app, text in cron_files.items():
        (folder / app).mkdir()
        (folder / app / "__init__.py").write_text("")
        (folder / app / "cron.py").write_text(text, encoding="utf-8")
    sys.path.insert(0, str(folder))
    try:
        with override_settings(
            INSTALLED_APPS=[
                "dlq",
                "django.contrib.auth",
                "django.contrib.contenttypes",
                *cron_files,
            ]
        ):
            yield
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] in cron_files]:
            del sys.modules[name]


def load(folder: Path, **cron_files: str) -> CronConfiguration:
    with installed(folder, **cron_files):
        return load_rows()


@contextmanager
def command(folder: Path, name: str, text: str) -> Iterator[None]:
    """A management command in an app's folder, which Django has not looked into before."""
    commands = folder / "management" / "commands"
    commands.mkdir(parents=True)
    (commands / f"{name}.py").write_text(text)
    cached: Any = get_commands
    cached.cache_clear()
    try:
        yield
    finally:
        cached.cache_clear()
