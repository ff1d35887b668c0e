"""What this app does by the clock. dlq reads this file where it lies beside the app's models.py.

A row names a management command. `minutes` and `hours` are required, or `schedule`, which is cron's
own text; `days` are 1 (Monday) to 7. Optional: `queue` ("cron"), `command_args`, `command_kwargs`,
`timeout` (seconds), `sigkill_on_stop`, `timezone` ("UTC"), `atomic`.

    dlq check        are the rows right?
    dlq cron next    when do they fire?
"""

CONFIG = [
    # Every Monday at 04:30 UTC.
    {"command": "check", "minutes": 30, "hours": 4, "days": 1},
    # Every 20 minutes of the working day in Berlin:
    # {"command": "clearsessions", "schedule": "*/20 9-17 * * 1-5", "timezone": "Europe/Berlin"},
]
