"""Observation of modules while they are imported: which statement wrote which setting.

Lines of the project's own files are reported to a recorder, by sys.monitoring where it exists (3.12
and later), else by sys.settrace. Nothing else changes: the same modules run in the same order.
Where a tracer is set already, a debugger's for instance, nothing is observed and nothing is known.
"""

from __future__ import annotations

import builtins
import os
import sys
from collections.abc import Callable, Iterable
from importlib.machinery import PathFinder
from threading import get_ident
from types import CodeType, FrameType
from typing import Any, TypeVar

from dlq.provenance.recorder import Recorder

T = TypeVar("T")

FAMILY = "LIGHTWEIGHT"
"""All names that start like this are observed: a misspelt one is a finding too."""

OTHERS = ("SITE_URL", "INSTALLED_APPS")

MOST_EVENTS = 50_000
"""Lines that are observed at most, which takes about half a second. What a settings module writes
after a long computation has no line."""

TOOL = "dlq.provenance"


def observe(
    action: Callable[[], T],
    names: Iterable[str],
    file: str | None = None,
    earlier: Recorder | None = None,
) -> tuple[T, Recorder | None]:
    """Call `action`, and record what the files of the project, or `file`, write meanwhile to the
    settings' names, which include `names`; as a part of an earlier record, if there is one. None
    instead of the record where that cannot be done."""
    known: dict[str, bool] = {}

    def is_observed(filename: str) -> bool:
        if filename not in known:
            try:
                known[filename] = filename == file or is_project_file(filename)
            except OSError:  # a relative name, where the working directory is gone
                known[filename] = False
        return known[filename]

    observer = _Observer(earlier or Recorder(FAMILY), is_observed)
    if sys.gettrace() is not None:
        return action(), None
    observer.recorder.resume({*OTHERS, *names}, is_observed, sys._getframe())
    if not observer.start():
        return action(), None
    try:
        return action(), observer.recorder
    finally:
        is_complete = observer.stop() and not observer.is_broken
        observer.recorder.finish(is_complete=is_complete)


def is_project_file(filename: str) -> bool:
    """Whether it is no part of Python, of an installed package, or of dlq."""
    path = os.path.abspath(filename)
    directories = (os.path.dirname(os.__file__), os.path.dirname(os.path.dirname(__file__)))
    return not (
        filename.startswith("<")
        or {"site-packages", "dist-packages"}.intersection(path.split(os.sep))
        or any(path.startswith(directory + os.sep) for directory in directories)
    )


class _Observer:
    """What both ways to observe have in common. `is_broken`: not all was seen."""

    def __init__(self, recorder: Recorder, is_project_file: Callable[[str], bool]) -> None:
        self.recorder, self.is_project_file = recorder, is_project_file
        self.is_broken = False
        self.thread = get_ident()
        with_monitoring = sys.version_info >= (3, 12)
        self.start = self.start_monitoring if with_monitoring else self.start_tracing
        self.stop: Callable[[], bool] = lambda: False

    def report(self, method: Callable[..., object], *arguments: object) -> None:
        """Whatever happens here, the project's import goes on as it would have."""
        if self.is_broken or get_ident() != self.thread:
            return
        try:
            method(*arguments)
        except Exception:
            self.is_broken = True
        if self.recorder.events > MOST_EVENTS:
            self.is_broken = True
        if self.is_broken:
            self.stop()

    def before_instruction(self, frame: FrameType) -> bool:
        """Say whether the instruction is of interest."""
        stores = self.recorder.stores_of(frame.f_code)
        if stores is None or not stores.includes(frame.f_lasti):
            return False
        self.report(self.recorder.before_instruction, frame, frame.f_lasti, stores)
        return True

    def start_monitoring(self) -> bool:
        monitoring: Any = sys.monitoring  # type: ignore[attr-defined, unused-ignore] # since 3.12
        events, recorder = monitoring.events, self.recorder
        tool = next((number for number in (4, 3) if monitoring.get_tool(number) is None), None)
        if tool is None:
            return False
        codes: dict[int, CodeType] = {}

        def on_start(code: CodeType, *_: object) -> object:
            if not self.is_project_file(code.co_filename):
                return monitoring.DISABLE
            self.report(recorder.start, sys._getframe(1))
            if id(code) not in codes and not self.is_broken:
                codes[id(code)] = code
                local = events.LINE | events.PY_RETURN | events.PY_YIELD | events.PY_RESUME
                if recorder.stores_of(code) is not None:
                    local |= events.INSTRUCTION
                monitoring.set_local_events(tool, code, local)
            return None

        def on_line(code: CodeType, line: int) -> None:
            self.report(recorder.before_line, sys._getframe(1), line)

        def on_instruction(code: CodeType, offset: int) -> object:
            return None if self.before_instruction(sys._getframe(1)) else monitoring.DISABLE

        def on_end(code: CodeType, offset: int, value: object) -> None:
            if id(code) in codes:
                self.report(recorder.end, sys._getframe(1), value)

        def stop() -> bool:
            if monitoring.get_tool(tool) == TOOL:
                for code in codes.values():
                    monitoring.set_local_events(tool, code, 0)
                monitoring.set_events(tool, 0)
                for event in callbacks:
                    monitoring.register_callback(tool, event, None)
                monitoring.free_tool_id(tool)
            return True

        starts = dict.fromkeys((events.PY_START, events.PY_RESUME), on_start)
        ends = dict.fromkeys((events.PY_RETURN, events.PY_YIELD, events.PY_UNWIND), on_end)
        callbacks = {**starts, **ends, events.LINE: on_line, events.INSTRUCTION: on_instruction}
        monitoring.use_tool_id(tool, TOOL)
        for event, callback in callbacks.items():
            monitoring.register_callback(tool, event, callback)
        monitoring.set_events(tool, events.PY_START | events.PY_UNWIND)
        self.stop = stop
        return True

    def start_tracing(self) -> bool:
        """A trace function is called for every Python function, so it is taken away while others'
        modules are imported."""
        original, recorder = builtins.__import__, self.recorder
        packages: dict[str, bool] = {}

        def is_project_package(name: str) -> bool:
            if name not in packages:
                spec = getattr(sys.modules.get(name), "__spec__", None) or PathFinder.find_spec(
                    name
                )
                paths = list(spec.submodule_search_locations or ()) if spec else []
                paths += [spec.origin] if spec and spec.has_location and spec.origin else []
                packages[name] = any(self.is_project_file(os.path.join(path, "")) for path in paths)
            return packages[name]

        def import_(
            name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
        ) -> Any:
            package = str((globals or {}).get("__package__")) if level else name
            is_project_file = is_project_package(package.partition(".")[0])
            if is_project_file or sys.gettrace() is not on_call:
                return original(name, globals, locals, fromlist, level)
            sys.settrace(None)
            try:
                return original(name, globals, locals, fromlist, level)
            finally:
                if sys.gettrace() is None and builtins.__import__ is import_:
                    sys.settrace(on_call)

        def on_call(frame: FrameType, event: str, argument: object) -> Any:
            if not self.is_project_file(frame.f_code.co_filename) or self.is_broken:
                return None
            self.report(recorder.start, frame)
            return on_event

        def on_line(frame: FrameType) -> None:
            recorder.before_line(frame, frame.f_lineno)
            stores = recorder.stores_of(frame.f_code)
            frame.f_trace_opcodes = stores is not None and frame.f_lineno in stores.lines

        def on_event(frame: FrameType, event: str, argument: object) -> Any:
            if self.is_broken:
                return None
            if event == "opcode":
                self.before_instruction(frame)
            elif event == "line":
                self.report(on_line, frame)
            elif event == "return":
                self.report(recorder.end, frame, argument)
            return on_event

        def stop() -> bool:
            is_set = sys.gettrace() is on_call
            if is_set:
                sys.settrace(None)
            if builtins.__import__ is import_:
                builtins.__import__ = original
            return is_set

        builtins.__import__ = import_
        sys.settrace(on_call)
        self.stop = stop
        return True
