"""Rules 5xx: backends, and what the runners of one server say together."""

from __future__ import annotations
