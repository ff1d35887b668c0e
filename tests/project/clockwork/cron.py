"""A row for each minute."""

from __future__ import annotations

CONFIG = ({"command": "strike", "minutes": "*", "hours": "*", "command_args": ["each minute"]},)
