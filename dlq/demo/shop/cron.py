"""The demo's cron: one row, which is due long after the demo."""

CONFIG = ({"command": "expire_baskets", "minutes": "0", "hours": "4", "queue": "default"},)
