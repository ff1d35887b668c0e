"""Rules 0xx: finding the settings, the override files and the variables that hold them."""

from __future__ import annotations
