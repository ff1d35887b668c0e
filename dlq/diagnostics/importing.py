"""Import what a setting names, and say in words why where that fails."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType

from dlq.diagnostics.user_exceptions import last_line, source_of_error
from dlq.primitives.legacy_names import modern_path


class NotImportable(Exception):
    """`reason` goes on after "cannot import PATH"; it is empty where `help` says it all."""

    def __init__(self, reason: str, help: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.help = help


def import_by_path(path: str) -> object:
    """The object at a dotted path, old paths included. Raises NotImportable."""
    given, _, name = path.rpartition(".")
    module = _module(modern_path(path).rpartition(".")[0], given)
    try:
        found: object = getattr(module, name)
    except AttributeError:
        raise NotImportable("", _names_help(module, given, name)) from None
    return found


def _module(path: str, given: str) -> ModuleType:
    try:
        return import_module(path)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if path != missing and not path.startswith(f"{missing}."):
            raise NotImportable(inner_error(error)) from error
        raise NotImportable(
            f": there is no module {_in_their_spelling(missing, path, given)!r}",
            _modules_help(missing, path, given),
        ) from None
    except (Exception, SystemExit) as error:
        raise NotImportable(inner_error(error)) from error


def inner_error(error: BaseException) -> str:
    """What a module raised, and the line that did."""
    source = source_of_error(error)
    where = f" ({source.label})" if source is not None else ""
    return f": its module raises {last_line(error)}{where}"


def _names_help(module: ModuleType, given: str, name: str) -> str:
    close = get_close_matches(name, [n for n in vars(module) if not n.startswith("_")], 1, 0.5)
    if close:
        return f"module {given} has {close[0]}"
    own = [
        known
        for known, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__
    ]
    if own:
        return f"module {given} has {', '.join(sorted(own)[:5])}"
    return f"module {given} has no {name!r}"


def _modules_help(missing: str, path: str, given: str) -> str | None:
    parent = missing.rpartition(".")[0]
    if parent:
        package = import_module(parent)
        beside: Iterable[str] = (m.name for m in pkgutil.iter_modules(package.__path__))
    else:
        beside = (module.name for module in pkgutil.iter_modules())
    close = get_close_matches(missing.rpartition(".")[2], list(beside), 1)
    if not close:
        return None
    right = f"{parent}.{close[0]}" if parent else close[0]
    return f"did you mean {_in_their_spelling(right, path, given)}?"


def _in_their_spelling(module: str, path: str, given: str) -> str:
    """The module's name as the user spells it, who may use the old package's name."""
    package, rest = path.partition(".")[0], given.partition(".")[0]
    return rest + module.removeprefix(package) if path != given else module
