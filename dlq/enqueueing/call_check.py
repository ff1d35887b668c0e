"""What is checked at each call of a task, before anything is stored."""

from __future__ import annotations

import sys
from typing import Any

from dlq.enqueueing.options import PREFIXED, CallOptions, take_prefixed
from dlq.errors import UnfindableTask
from dlq.jobs.arguments import check_arguments, check_call, parameters_of
from dlq.jobs.task import Task


class CallCheck:
    """The checks for one task. What can be known in advance is read once."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.path = task.path
        self._parameters = parameters_of(task.fn)
        self._is_found = False

    def check(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], options: CallOptions
    ) -> CallOptions:
        """Return the options of the call: `options`, overridden by those that are taken out of
        `kwargs`. Raises UnusableArgument and UnfindableTask."""
        if not self._is_found:
            self._require_found()
            self._is_found = True
        if kwargs and not PREFIXED.keys().isdisjoint(kwargs):
            options = take_prefixed(self.path, kwargs, options)
        if self._parameters is not None and not self._parameters.accepts(args, kwargs):
            check_call(self.path, self.task.fn, args, kwargs)
        if args or kwargs:
            check_arguments(self.path, args, kwargs)
        return options

    def _require_found(self) -> None:
        """At the first call, when the module has been imported to its end."""
        module, _, name = self.path.rpartition(".")
        if module == "__main__":
            raise UnfindableTask(
                f"{name} is declared in the script that is being run, where no worker can import"
                " it: move it to a module, best the tasks module of an installed app"
            )
        if not isinstance(getattr(sys.modules.get(module), name, None), Task):
            raise UnfindableTask(
                f"{self.path} is not the task that it was declared as, so no worker could find it:"
                f" keep the name {name} in {module} for what @task gave"
            )
