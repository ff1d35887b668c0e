"""Finding the Django project: which settings module, and which directory goes on the import path.

Reads pyproject.toml and manage.py, runs neither, and imports nothing of the project.
"""

from __future__ import annotations

import ast
import os
import stat
import sys
import tokenize
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from dlq.errors import UsageError

VARIABLE = "DJANGO_SETTINGS_MODULE"
CONFIGURATION = "DJANGO_CONFIGURATION"
"""The class of django-configurations whose attributes are the settings."""
REMEDY = (
    "say which one: dlq --settings shop.settings, or set DJANGO_SETTINGS_MODULE, or put"
    ' [tool.dlq] settings = "shop.settings" into pyproject.toml'
)


class Located(NamedTuple):
    """`how` says for people who named the module: `--settings`, `$DJANGO_SETTINGS_MODULE`, or the
    file. `directory` is the project's, which the module is imported from."""

    module: str
    directory: Path
    how: str
    configuration: str | None = None
    """The class of django-configurations that manage.py names."""


def prepare(option: str | None) -> str:
    """Find the project, and make its settings module importable in this process, under the name
    that Django looks up. Gives the module's name. Raises UsageError."""
    located = locate(option, os.environ, Path.cwd())
    enter(located)
    return located.module


def find_settings_module(option: str | None) -> str | None:
    """The name of the settings module, where there is a project; an option that cannot be a name is
    refused all the same. Raises UsageError."""
    try:
        return locate(option, os.environ, Path.cwd()).module
    except UsageError:
        if option is not None:
            raise
        return None


def enter(located: Located) -> None:
    """What manage.py does by lying where it lies: the project's directory comes first on the import
    path, and Django learns the name of the settings module."""
    directory = str(located.directory)
    if directory not in sys.path:
        sys.path.insert(0, directory)
    os.environ[VARIABLE] = located.module
    if located.configuration is not None:
        os.environ.setdefault(CONFIGURATION, located.configuration)


def install_configuration() -> None:
    """Let django-configurations make the settings, where DJANGO_CONFIGURATION names a class: what
    its own manage.py does. Raises ImportError."""
    if os.environ.get(CONFIGURATION):
        import_module("configurations.importer").install()


def locate(option: str | None, environ: Mapping[str, str], directory: Path) -> Located:
    """--settings > $DJANGO_SETTINGS_MODULE > pyproject.toml > manage.py; the files are the nearest
    ones, from `directory` upwards. Raises UsageError."""
    found = _locate(option, environ, directory)
    manage = found.directory / "manage.py"
    if not manage.is_file():
        return found
    try:
        classes = list(dict.fromkeys(_assigned(_tree(manage), CONFIGURATION)))
    except UsageError:  # another source has named the module, so this file need not be readable
        return found
    return found._replace(configuration=classes[0] if len(classes) == 1 else None)


def _locate(option: str | None, environ: Mapping[str, str], directory: Path) -> Located:
    pyproject = _nearest("pyproject.toml", directory)
    manage = _nearest("manage.py", directory)
    home = manage.parent if manage else pyproject.parent if pyproject else directory
    if option is not None:
        return Located(_module(option, "--settings"), home, "--settings")
    if environ.get(VARIABLE):
        return Located(_module(environ[VARIABLE], f"${VARIABLE}"), home, f"${VARIABLE}")
    if pyproject is not None:
        named = _from_pyproject(pyproject)
        if named is not None:
            return Located(_module(named, str(pyproject)), pyproject.parent, str(pyproject))
    if manage is not None:
        named = _from_manage(manage)
        if named is not None:
            return Located(_module(named, str(manage)), manage.parent, str(manage))
        raise UsageError(
            f"{manage} doesn't say in plain text what the settings module is: {REMEDY}"
        )
    raise UsageError(
        f"no Django project found: no manage.py in {directory} or above it, and no settings module"
        f" is named; {REMEDY}"
    )


def _module(name: str, how: str) -> str:
    if name.endswith(".py") or "/" in name:
        dotted = name.removesuffix(".py").strip("./").replace("/", ".")
        raise UsageError(
            f"{how} is {name!r}: must be the dotted name of a module, not a path; use {dotted!r}"
        )
    if not all(part.isidentifier() for part in name.split(".")):
        raise UsageError(
            f"{how} is {name!r}: must be the dotted name of a module, as in shop.settings"
        )
    return name


def _nearest(name: str, directory: Path) -> Path | None:
    for folder in _upwards(directory):
        path = folder / name
        if path.is_file():
            return path
    return None


def _upwards(directory: Path) -> Iterator[Path]:
    """Up to the root, or to a directory that everybody can write, such as /tmp: a file that lies in
    one may be anybody's, and what it names would be imported."""
    yield directory
    for folder in directory.parents:
        try:
            if os.stat(folder).st_mode & stat.S_IWOTH:
                return
        except OSError:
            return
        yield folder


def _from_pyproject(path: Path) -> str | None:
    import tomllib

    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {path}: {error}") from None
    tool = content.get("tool")
    table = tool.get("dlq") if isinstance(tool, dict) else None
    if table is None:
        return None
    named = table.get("settings") if isinstance(table, dict) else None
    if named is not None and not isinstance(named, str):
        raise UsageError(
            f'{path}: settings in [tool.dlq] must be text, as in settings = "shop.settings"'
        )
    return named


def _from_manage(path: Path) -> str | None:
    """The string that manage.py gives to os.environ.setdefault, or assigns there. Raises UsageError
    where it names several: which of them counts is for the code to say, and that isn't run."""
    named = list(dict.fromkeys(_assigned(_tree(path), VARIABLE)))
    if len(named) > 1:
        raise UsageError(f"{path} names {' and '.join(named)} as the settings module: {REMEDY}")
    return named[0] if named else None


def _tree(path: Path) -> ast.Module:
    try:
        with tokenize.open(path) as file:
            return ast.parse(file.read())
    except (OSError, SyntaxError, ValueError) as error:
        raise UsageError(f"cannot read {path}: {error}") from None


def _assigned(tree: ast.Module, variable: str) -> Iterator[str]:
    """The strings that the code gives an environment variable."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="setdefault"),
                args=[ast.Constant(value=str(name)), ast.Constant(value=str(named))],
            ) if name == variable:
                yield named
            case ast.Assign(
                targets=[ast.Subscript(slice=ast.Constant(value=str(name)))],
                value=ast.Constant(value=str(named)),
            ) if name == variable:
                yield named
