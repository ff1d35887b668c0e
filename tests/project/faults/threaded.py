"""Settings whose import starts a thread, as clients of metrics services do."""

from __future__ import annotations

import threading

from tests.project.faults.settings import *  # noqa: F403 (as Django projects layer their settings)

threading.Thread(target=threading.Event().wait, name="exporter", daemon=True).start()
