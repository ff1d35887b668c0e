"""One row, due long after the benchmark: with a cron.py there is more to load, and a scheduler to
start. It uses the queue that is there, so that the number of workers stays as it is said."""

from __future__ import annotations

CONFIG = [{"command": "clearsessions", "minutes": "0", "hours": "4", "queue": "default"}]
