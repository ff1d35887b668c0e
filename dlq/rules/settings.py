"""Rules 1xx: the values of settings."""

from __future__ import annotations
