"""What 4.11 has in its `utils`: the live objects of the runtime in force, and small functions."""

from __future__ import annotations

import errno
import os
import warnings
from collections.abc import Callable, Collection, Mapping
from functools import wraps
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any, Generic, ParamSpec, TypeVar

from dlq import app_settings, runtime
from dlq.backends.base import BaseBackend
from dlq.config import PREFIX, active
from dlq.decorator import contribute_implied_queue_name
from dlq.execution.app_modules import import_tasks
from dlq.primitives.blocking import block_for_time
from dlq.primitives.import_path import import_path
from dlq.process.posix.title import set_title
from dlq.types import Logger, QueueName, WorkerNumber

__all__ = (
    "block_for_time",
    "contribute_implied_queue_name",
    "get_backend",
    "get_logger",
    "get_middleware",
    "get_path",
    "get_queue_counts",
    "get_worker_numbers",
    "load_all_tasks",
    "load_extra_settings",
    "set_process_title",
)

P = ParamSpec("P")
R = TypeVar("R")


class Cached(Generic[P, R]):
    """A function with the `cache_clear` that it has in 4.11: what it asks is made again then."""

    def __init__(self, function: Callable[P, R]) -> None:
        wraps(function)(self)
        self._function = function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._function(*args, **kwargs)

    def cache_clear(self) -> None:
        """Drop the live objects; the next call makes new ones from the settings in force."""
        active.forget()


@Cached
def get_path(path: str) -> Any:
    """The object at a dotted path."""
    return import_path(path)


@Cached
def get_backend(queue: QueueName) -> BaseBackend:
    """The backend that holds the jobs of `queue`."""
    return runtime.current().backend(queue)


@Cached
def get_logger(name: str) -> Logger:
    """A logger from LOGGER_FACTORY."""
    return runtime.current().logger(name)


@Cached
def get_middleware() -> list[Any]:
    """The middleware instances, in the order of the setting."""
    return list(runtime.current().middleware())


def get_queue_counts() -> Mapping[QueueName, int]:
    """The number of workers of each queue, those included that tasks imply."""
    counts: Mapping[QueueName, int] = app_settings.WORKERS
    return counts


def get_worker_numbers(queue: QueueName) -> Collection[WorkerNumber]:
    """The numbers of a queue's workers, from 1."""
    return [WorkerNumber(number) for number in range(1, get_queue_counts()[queue] + 1)]


def load_all_tasks() -> None:
    """Import the `tasks` modules of the installed apps that IGNORE_APPS doesn't name."""
    import_tasks(app_settings.IGNORE_APPS)


def load_extra_settings(file_path: str) -> None:
    """Run a Python file and assign its settings in this process, as 4.11 does. Names that are no
    settings are reported as a warning. (`--config` of a command does more: it validates, and keeps
    the lines that wrote the values.)"""
    if not os.path.isfile(file_path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), file_path)
    spec = spec_from_file_location("extra_settings", file_path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file_path} is no Python file: its name must end in .py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    known = {f"{PREFIX}{name}" for name in dir(app_settings.app_settings) if name.isupper()}
    names = {name for name in vars(module) if name.isupper()}
    if names - known:
        listed = ", ".join(map(repr, sorted(names - known)))
        warnings.warn(f"Ignoring unexpected setting(s) {listed}", stacklevel=2)
    for name in names & known:
        setattr(app_settings, name.removeprefix(PREFIX), getattr(module, name))


def set_process_title(*titles: str) -> None:
    """Show words in brackets behind the command line, where setproctitle is installed."""
    set_title("] [".join(titles))
