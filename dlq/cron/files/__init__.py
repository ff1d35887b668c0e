"""How a cron.py is read: by importing it, or from its text alone."""
