"""A cron row as a value: its fields, its schedule, its checks."""
