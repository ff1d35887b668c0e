"""Rules 4xx: starting and running processes."""

from __future__ import annotations
