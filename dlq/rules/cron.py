"""Rules 2xx: cron.py files and their rows."""

from __future__ import annotations
