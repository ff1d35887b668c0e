"""The locations of settings that were imported before dlq could observe them, as manage.py and web
processes do: a child process imports them again, under observation.

It has the same arguments, environment, directory and import path. What it answers counts only if it
got the same values.
"""

from __future__ import annotations

import json
import marshal
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from dlq.provenance.observer import FAMILY, OTHERS
from dlq.provenance.setting_location import SettingLocation
from dlq.types import Source

SECONDS = 10
CODE = "from dlq.project.reimport import main; main()"


def reimported_locations(settings_module: str) -> Mapping[str, SettingLocation]:
    """Return where the settings of the module are written, as far as the child could tell."""
    variables = vars(sys.modules[settings_module])
    values = {
        name: value
        for name, value in variables.items()
        if name.startswith(FAMILY) or name in OTHERS
    }
    if not os.path.basename(sys.executable or "").startswith("python"):
        return {}  # the program of an application server, for instance
    request = {"argv": sys.argv, "path": sys.path, "module": settings_module, "names": list(values)}
    child = subprocess.Popen(
        [sys.executable, "-c", CODE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        output, _ = child.communicate(json.dumps(request).encode(), SECONDS)
        answer = json.loads(output)
    except (subprocess.TimeoutExpired, ValueError, OSError):
        return {}
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
    if any(answer[name][0] != text_of(value) for name, value in values.items()):
        return {}
    return {name: _decoded(location) for name, (text, location) in answer.items() if text}


def text_of(value: object) -> str | None:
    """Return text that is the same for equal values of Python's own types; None for others."""
    try:
        return marshal.dumps(value, 0).hex()  # type: ignore[arg-type] # refused, if not
    except ValueError:
        return None


def _decoded(location: Any) -> SettingLocation:
    source, items, keys, at_name, history = location
    return SettingLocation(
        Source(*source),
        {key: Source(*item) for key, item in items.items()},
        {key: Source(*item) for key, item in keys.items()},
        at_name and Source(*at_name),
        tuple(Source(*each) for each in history),
    )
