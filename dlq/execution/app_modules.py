"""The `tasks` and `cron` modules of the installed apps.

Needs a configured Django; knows no server.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from importlib import import_module

from dlq.errors import DlqError


class TasksNotImportable(DlqError):
    """Modules with tasks raised while they were imported. `causes` has each one's exception."""

    def __init__(self, causes: dict[str, BaseException]) -> None:
        super().__init__(
            "; ".join(
                f"cannot import {module}: {type(error).__name__}: {error}"
                for module, error in causes.items()
            )
        )
        self.causes = causes


def import_tasks(ignored: Collection[str]) -> None:
    """Import the `tasks` module of every installed app that has one and isn't ignored. All are
    tried. Raises TasksNotImportable, from the first cause.

    A module that calls `sys.exit` while it is imported is one that cannot be imported: it must not
    end a command with an exit code that means success."""
    causes: dict[str, BaseException] = {}
    for module in app_modules("tasks", ignored):
        try:
            import_module(module)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            causes[module] = error
    if causes:
        raise TasksNotImportable(causes) from next(iter(causes.values()))


def app_modules(name: str, ignored: Collection[str] = ()) -> Iterator[str]:
    """The dotted names of the submodules `name` that the installed apps have, not imported."""
    from django.apps import apps
    from django.utils.module_loading import module_has_submodule

    for app in apps.get_app_configs():
        package = app.module
        if package is None or app.name in ignored or not hasattr(package, "__path__"):
            continue
        if module_has_submodule(package, name):
            yield f"{package.__name__}.{name}"


def ignored_apps(value: object) -> tuple[str, ...]:
    """The apps that a value of IGNORE_APPS names, also where the value has mistakes: what is wrong
    with it is for the settings to report."""
    if not isinstance(value, list | tuple | set | frozenset):
        return ()
    return tuple(app for app in value if isinstance(app, str))
