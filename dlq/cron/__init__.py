"""Cron: rows as values, their arithmetic, how they are read, and the process that fires them."""
