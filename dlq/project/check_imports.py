"""Check that what settings name is there: classes, functions and apps.

Imports the users' modules, so it runs in commands and checks, not when a setting is read.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from functools import partial
from importlib.util import find_spec

from dlq.config import PREFIX
from dlq.config.resolution import Resolution
from dlq.diagnostics.finding import Finding
from dlq.diagnostics.importing import NotImportable, import_by_path, inner_error
from dlq.diagnostics.rules import settings as rules
from dlq.diagnostics.rules.backends import W533
from dlq.primitives.import_path import is_import_path
from dlq.primitives.legacy_names import OLD_TRANSACTION_MIDDLEWARE, modern_path
from dlq.primitives.text import listed
from dlq.types import Source

HOOKS = ("process_job", "process_result", "process_exception")


def check_imports(resolution: Resolution) -> list[Finding]:
    """Look at every setting that has a usable value, also where others have errors. IGNORE_APPS
    is looked at where Django's apps are loaded."""
    return [
        *_backends(resolution),
        *_middleware(resolution),
        *_logger_factory(resolution),
        *_ignored_apps(resolution),
        *_metrics(resolution),
        *_task_modules(resolution),
    ]


def _backends(resolution: Resolution) -> Iterator[Finding]:
    backend = resolution.values["BACKEND"]
    yield from _backend(f"{PREFIX}BACKEND", backend.value, lambda: backend.source)
    overrides = resolution.values["BACKEND_OVERRIDES"].value
    if isinstance(overrides, Mapping):
        for queue, path in overrides.items():
            source = partial(resolution.source_of, "BACKEND_OVERRIDES", queue)
            yield from _backend(f"{PREFIX}BACKEND_OVERRIDES[{queue!r}]", path, source)


def _backend(setting: str, path: object, source: Callable[[], Source]) -> Iterator[Finding]:
    if not isinstance(path, str) or not is_import_path(path):
        return  # a finding of the validation
    from dlq.backends.base import BaseBackend

    try:
        found = import_by_path(path)
    except NotImportable as error:
        yield rules.E111.finding(
            f"cannot import backend {path!r}{error.reason}", source(), error.help
        )
        return
    is_backend = isinstance(found, type) and issubclass(found, BaseBackend)
    if not (is_backend or inspect.isfunction(found)):
        yield rules.E112.finding(
            f"{setting} is {path!r}: must be a subclass of BaseBackend, or a function that makes"
            " a backend",
            source(),
            "derive it from dlq.backends.base.BaseBackend, or name one of dlq's:"
            " dlq.backends.reliable_redis.ReliableRedisBackend",
        )
    elif isinstance(found, type) and inspect.isabstract(found):
        missing = sorted(getattr(found, "__abstractmethods__", ()))
        yield rules.E112.finding(
            f"backend {path!r} is not complete: {listed(missing)}"
            f" {'is' if len(missing) == 1 else 'are'} missing",
            source(),
            f"define {listed(missing)} in {found.__name__}",
        )
    elif callable(found) and (needed := _needed_arguments(found)):
        yield rules.E112.finding(
            f"backend {path!r} cannot be made: its constructor needs {listed(needed)}",
            source(),
            "give them defaults; only an argument called `settings` is passed",
        )
    for name in _ignored_methods(found):
        yield W533.finding(
            f"backend {path!r} overrides {name}(), which is not called: its keys are those of dlq",
            source(),
            f"set {PREFIX}REDIS_PREFIX for a prefix of your own, and remove the method",
        )


def _ignored_methods(backend: object) -> list[str]:
    """Return the private methods of 4.11's Redis backends that a subclass defines."""
    classes = backend.__mro__ if isinstance(backend, type) else ()
    if not any(base.__module__.startswith("dlq.backends.redis_storage") for base in classes):
        return []
    theirs = [base for base in classes if not base.__module__.startswith("dlq.")]
    names = ("_key", "_processing_key")
    return [name for name in names if any(name in vars(base) for base in theirs)]


def _needed_arguments(backend: Callable[..., object]) -> list[str]:
    try:
        parameters = inspect.signature(backend).parameters.values()
    except (TypeError, ValueError):
        return []
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [
        parameter.name
        for parameter in parameters
        if parameter.default is parameter.empty
        and parameter.kind not in kinds
        and parameter.name != "settings"
    ]


def _middleware(resolution: Resolution) -> Iterator[Finding]:
    value = resolution.values["MIDDLEWARE"]
    if not isinstance(value.value, list | tuple):
        return
    for index, path in enumerate(value.value):
        if not isinstance(path, str) or not is_import_path(path):
            continue
        if modern_path(path) == modern_path(OLD_TRANSACTION_MIDDLEWARE):
            yield rules.I115.finding(
                f"middleware {path!r} does nothing: jobs run in a transaction by ATOMIC_JOBS",
                resolution.source_of("MIDDLEWARE", str(index)),
                f"remove it from {PREFIX}MIDDLEWARE",
            )
            continue
        try:
            found = import_by_path(path)
        except NotImportable as error:
            yield rules.E113.finding(
                f"cannot import middleware {path!r}{error.reason}",
                resolution.source_of("MIDDLEWARE", str(index)),
                error.help,
            )
            continue
        if not callable(found):
            yield rules.E113.finding(
                f"middleware {path!r} is a {type(found).__name__}: must be a class",
                resolution.source_of("MIDDLEWARE", str(index)),
            )
        elif isinstance(found, type) and not any(hasattr(found, hook) for hook in HOOKS):
            yield rules.W114.finding(
                f"middleware {path!r} has none of {', '.join(HOOKS)}, so it is never called",
                resolution.source_of("MIDDLEWARE", str(index)),
                _hook_help(found),
            )


def _hook_help(middleware: type) -> str:
    for name in vars(middleware):
        close = get_close_matches(name, HOOKS, 1, 0.75)
        if close:
            return f"did you mean {close[0]} by {name}?"
    return "define the hook that you want, or remove it from the list"


def _logger_factory(resolution: Resolution) -> Iterator[Finding]:
    value = resolution.values["LOGGER_FACTORY"]
    factory = value.value
    if isinstance(factory, str):
        if not is_import_path(factory):
            return
        try:
            factory = import_by_path(factory)
        except NotImportable as error:
            yield rules.E116.finding(
                f"cannot import logger factory {value.value!r}{error.reason}",
                value.source,
                error.help,
            )
            return
    if not callable(factory):
        if isinstance(value.value, str):
            yield rules.E116.finding(
                f"{PREFIX}LOGGER_FACTORY is {value.value!r}: must be a function that is given a"
                " name and returns a logger",
                value.source,
            )
        return
    try:
        logger = factory("dlq")
    except Exception as error:
        raised = inner_error(error).removeprefix(": its module ")
        yield rules.E116.finding(f"{PREFIX}LOGGER_FACTORY {raised}", value.source)
        return
    if not callable(getattr(logger, "log", None)):
        yield rules.E116.finding(
            f"{PREFIX}LOGGER_FACTORY must return a logger, and returns {logger!r}"[:300],
            value.source,
            "as logging.getLogger does",
        )


def _ignored_apps(resolution: Resolution) -> Iterator[Finding]:
    from django.apps import apps

    value = resolution.values["IGNORE_APPS"]
    if not apps.ready or not isinstance(value.value, list | tuple | frozenset):
        return
    installed = [app.name for app in apps.get_app_configs()]
    for index, app in enumerate(value.value):
        if not isinstance(app, str) or app in installed:
            continue
        close = get_close_matches(app, installed, 1)
        ending = [name for name in installed if name.rpartition(".")[2] == app]
        begins = [name for name in installed if app.startswith(f"{name}.")]
        meant = next(iter(ending + begins + close), None)
        yield rules.W119.finding(
            f"{PREFIX}IGNORE_APPS names {app!r}, which is not an installed app",
            resolution.source_of("IGNORE_APPS", str(index)),
            f"did you mean {meant!r}?" if meant else "use the name that INSTALLED_APPS has",
        )


def _task_modules(resolution: Resolution) -> Iterator[Finding]:
    modules = resolution.values["TASK_MODULES"].value
    for index, name in enumerate(modules if isinstance(modules, list | tuple) else ()):
        if not isinstance(name, str) or not name:
            continue
        try:
            found = find_spec(name)
        except (ImportError, ValueError, AttributeError):
            found = None
        if found is None:
            yield rules.W123.finding(
                f"{PREFIX}TASK_MODULES names {name!r}, and there is no such module",
                resolution.source_of("TASK_MODULES", str(index)),
                "use the dotted name of a module, as in 'shop.background'",
            )


def _metrics(resolution: Resolution) -> Iterator[Finding]:
    value = resolution.values["ENABLE_PROMETHEUS"]
    if value.value is True and find_spec("prometheus_client") is None:
        yield rules.W120.finding(
            f"{PREFIX}ENABLE_PROMETHEUS is True and prometheus-client is not installed here",
            value.source,
            "pip install 'dlq[metrics]'",
        )
