"""A stopwatch for the stages of a loop, put around functions from the outside.

Each stage gets its own time, without that of the stages inside it, and less what the stopwatch
itself costs, which is measured too. Knows nothing of dlq.
"""

from __future__ import annotations

import functools
import math
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

_CALIBRATION = 5_000
_SAMPLES = 10


@dataclass(frozen=True, slots=True)
class Stage:
    """`functions`: as "module:function" or "module:Class.method". The methods of subclasses are
    not included unless they are named."""

    name: str
    functions: tuple[str, ...]


class Stopwatch:
    """One thread's. `calls` counts by stage; see `own_times`."""

    def __init__(self) -> None:
        self.calls: dict[str, int] = defaultdict(int)
        self._own: dict[str, int] = defaultdict(int)
        self._inner_calls: dict[str, int] = defaultdict(int)
        self._stack: list[str] = []
        self._inner: list[int] = [0]

    def watch(self, stage: Stage) -> None:
        """Raises LookupError where a function is not there any more."""
        for function in stage.functions:
            module_name, _, qualified = function.partition(":")
            *classes, name = qualified.split(".")
            try:
                owner: Any = import_module(module_name)
                for class_name in classes:
                    owner = vars(owner)[class_name]
                original = vars(owner)[name]
            except (ImportError, KeyError):
                raise LookupError(
                    f"stage {stage.name!r}: there is no {function} any more; name what took its"
                    " place"
                ) from None
            _replace(owner, name, original, self.wrap(stage.name, original))

    def wrap(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        clock = time.perf_counter_ns
        stack, inner = self._stack, self._inner
        own, calls, inner_calls = self._own, self.calls, self._inner_calls

        @functools.wraps(function)
        def watched(*args: Any, **kwargs: Any) -> Any:
            if stack:
                inner_calls[stack[-1]] += 1
            stack.append(stage)
            inner.append(0)
            began = clock()
            try:
                return function(*args, **kwargs)
            finally:
                spent = clock() - began
                own[stage] += spent - inner.pop()
                stack.pop()
                inner[-1] += spent
                calls[stage] += 1

        return watched

    def own_times(self) -> dict[str, float]:
        """Nanoseconds by stage, over all calls."""
        inside, outside = _cost_of_watching()
        return {
            stage: max(0.0, own - self.calls[stage] * inside - self._inner_calls[stage] * outside)
            for stage, own in self._own.items()
        }

    def cost(self) -> float:
        """Nanoseconds that watching has cost in all."""
        return sum(self.calls.values()) * sum(_cost_of_watching())


def _replace(owner: Any, name: str, original: Any, wrapped: Any) -> None:
    """Also where other modules have imported the function by its name."""
    setattr(owner, name, wrapped)
    for module in list(sys.modules.values()):
        if module is not owner and getattr(module, "__dict__", {}).get(name) is original:
            setattr(module, name, wrapped)


@functools.cache
def _cost_of_watching() -> tuple[float, float]:
    """Nanoseconds per call that fall inside the watched function's time, and outside of it."""

    def nothing() -> None:
        pass

    def per_call(function: Callable[[], Any]) -> float:
        began = time.perf_counter_ns()
        for _ in range(_CALIBRATION):
            function()
        return (time.perf_counter_ns() - began) / _CALIBRATION

    # The least of several: whatever else the machine does makes a sample longer, never shorter.
    plain = min(per_call(nothing) for _ in range(_SAMPLES))
    whole, inside = math.inf, math.inf
    for _ in range(_SAMPLES):
        stopwatch = Stopwatch()
        whole = min(whole, per_call(stopwatch.wrap("watched", nothing)))
        inside = min(inside, stopwatch._own["watched"] / _CALIBRATION)
    return max(0.0, inside - plain), max(0.0, whole - inside)
