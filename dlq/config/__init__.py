"""From settings, override files and the environment to one validated, frozen value."""
