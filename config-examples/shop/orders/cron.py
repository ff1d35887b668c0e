"""What the shop does by the clock. Times are UTC unless a row has a timezone."""

CONFIG = [
    {"command": "expire_orders", "minutes": "0,30", "hours": "*"},
    {"command": "report_orders", "minutes": 15, "hours": 3, "days": "1-5", "queue": "reports"},
    {
        "command": "clearsessions",
        "schedule": "*/20 2-4 * * *",
        "timezone": "Europe/Berlin",
        "timeout": 600,
    },
]
