"""One row, whose command is so allowed to run; it fires on no day that a test runs for."""

CONFIG = (
    {
        "command": "note",
        "command_args": ["by the clock"],
        "minutes": "0",
        "hours": "4",
        "days": "7",
        "queue": "emails",
    },
)
