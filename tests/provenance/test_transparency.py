"""Observation changes nothing: what is imported, in which order, with which effects; what raises;
who traces."""

from __future__ import annotations

import builtins
import importlib
import json
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from dlq.provenance import observer
from dlq.provenance.lookup import Lookup
from dlq.provenance.observer import observe
from dlq.provenance.recorder import Recorder
from dlq.types import Source
from tests.kit.environments import ROOT

P = "LIGHTWEIGHT_QUEUE_REDIS_PORT"


@pytest.fixture(autouse=True)
def _importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def imported(tmp_path: Path, text: str) -> tuple[Any, Recorder | None]:
    (tmp_path / "conf.py").write_text(text)
    return observe(lambda: importlib.import_module("conf"), [P])


def line(module: Any, recorder: Recorder | None) -> int | None:
    assert recorder is not None
    found = Lookup(recorder, Source("django")).in_module(vars(module), P, getattr(module, P))
    return found.source.line if found is not None else None


def state() -> tuple[object, ...]:
    monitoring: Any = getattr(sys, "monitoring", None)
    tools = [monitoring.get_tool(tool) for tool in range(6)] if monitoring else []
    return (sys.gettrace(), sys.getprofile(), builtins.__import__, list(sys.meta_path), tools)


def test_the_state_of_the_process_is_the_same_afterwards(tmp_path: Path) -> None:
    before = state()
    imported(tmp_path, f"{P} = 1\n")
    assert state() == before
    sys.modules.pop("conf")
    with pytest.raises(ZeroDivisionError):
        imported(tmp_path, "import json\n1 / 0\n")
    assert state() == before


def test_the_same_modules_in_the_same_order_with_the_same_output(tmp_path: Path) -> None:
    code = """\
import json, sys
sys.path[:0] = sys.argv[2:]
sys.dont_write_bytecode = True
import contextlib, importlib, io, dlq.provenance.observer, dlq.provenance.recorder
before = set(sys.modules)
output = io.StringIO()
action = lambda: importlib.import_module("conf.settings")
with contextlib.redirect_stdout(output):
    if sys.argv[1] == "observed":
        dlq.provenance.observer.observe(action, ["LIGHTWEIGHT_QUEUE_WORKERS"])
    else:
        action()
names = [name for name in sys.modules if name not in before]
print(json.dumps([names, output.getvalue(), sys.getrefcount(sys.modules["conf.settings"]) < 10]))
"""
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "base.py").write_text(
        "import wsgiref.simple_server, xml.dom.minidom\nprint('base', __name__, locals().keys())\n"
        "class A:\n    print(locals())\ndef f():\n    x = 1\n    print(locals())\nf()\n"
    )
    (tmp_path / "conf" / "settings.py").write_text(
        "from .base import *\nimport sqlite3, inspect\nprint([f.function for f in inspect.stack()"
        " if 'conf' in f.filename])\nLIGHTWEIGHT_QUEUE_WORKERS = {}\n"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", code, how, str(ROOT), str(tmp_path)],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout
        for how in ("observed", "plain")
    ]
    assert json.loads(said[0]) == json.loads(said[1])


def test_a_module_that_raises_shows_the_same_traceback_lines(tmp_path: Path) -> None:
    with pytest.raises(KeyError) as caught:
        imported(tmp_path, f"{P} = 1\ndef f():\n    return {{}}['x']\nf()\n")
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert [each.lineno for each in frames if each.filename.endswith("conf.py")] == [4, 3]


def test_a_tracer_is_left_alone_and_nothing_is_observed(tmp_path: Path) -> None:
    seen = []

    def tracer(frame: FrameType, event: str, argument: object) -> Any:
        if frame.f_code.co_filename.endswith("conf.py"):
            seen.append((event, frame.f_lineno))
        return tracer

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        _, recorder = imported(tmp_path, f"{P} = 1\nX = 2\n")
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)
    assert recorder is None
    assert [line for event, line in seen if event == "line"] == [1, 2]


def test_a_debugger_that_the_settings_start_keeps_running(tmp_path: Path) -> None:
    """What follows is observed only where that doesn't disturb it."""
    before = sys.gettrace()
    text = "import sys\nsys.settrace(lambda *_: None)\n" + f"{P} = 1\nD = sys.gettrace()\n"
    try:
        module, recorder = imported(tmp_path, text)
        assert sys.gettrace() is module.D
    finally:
        sys.settrace(before)
    assert line(module, recorder) in (3, None)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring came with Python 3.12")
def test_other_tools_of_sys_monitoring_see_what_they_saw(tmp_path: Path) -> None:
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined, unused-ignore] # since 3.12
    seen: list[int] = []
    monitoring.use_tool_id(monitoring.COVERAGE_ID, "coverage")
    try:
        events = monitoring.events.LINE
        monitoring.register_callback(
            monitoring.COVERAGE_ID,
            events,
            lambda code, line: seen.append(line) if code.co_filename.endswith("conf.py") else None,
        )
        monitoring.set_events(monitoring.COVERAGE_ID, events)
        module, recorder = imported(tmp_path, f"X = 1\n{P} = 1\n")
        assert monitoring.get_events(monitoring.COVERAGE_ID) == events
    finally:
        monitoring.set_events(monitoring.COVERAGE_ID, 0)
        monitoring.free_tool_id(monitoring.COVERAGE_ID)
    assert seen == [1, 2]
    assert line(module, recorder) == 2


def test_a_long_computation_ends_the_observation_and_not_the_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observer, "MOST_EVENTS", 500)
    text = f"{P} = 1\nn = 0\nwhile n < 1000:\n    n += 1\nLIGHTWEIGHT_QUEUE_WORKERS = {{}}\n"
    module, recorder = imported(tmp_path, text)
    assert module.n == 1000
    assert line(module, recorder) == 1
    assert recorder is not None
    lookup = Lookup(recorder, Source("django"))
    assert lookup.in_module(vars(module), "LIGHTWEIGHT_QUEUE_WORKERS", {}) is None


def test_an_error_of_the_observer_is_not_one_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(Recorder, "before_line", broken)
    module, recorder = imported(tmp_path, f"{P} = 1\n")
    assert getattr(module, P) == 1
    assert line(module, recorder) is None


def test_another_thread_makes_no_wrong_line(tmp_path: Path) -> None:
    text = f"""\
import threading
ready, go = threading.Event(), threading.Event()
def write():
    globals()[{P!r}] = 2
    ready.set()
    go.wait(10)
thread = threading.Thread(target=write)
thread.start()
ready.wait(10)
X = 1
go.set()
thread.join()
"""
    module, recorder = imported(tmp_path, text)
    assert threading.active_count() >= 1
    assert line(module, recorder) in (4, None)
