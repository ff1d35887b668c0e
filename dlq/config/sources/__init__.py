"""The sources of settings, each read into one layer: Django, environment, override files."""
