"""Django settings, override files and the environment, read into one validated, frozen value."""

PREFIX = "LIGHTWEIGHT_QUEUE_"
"""The start of every setting's name, in the Django settings and in the environment."""
