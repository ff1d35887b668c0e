"""For development and the first minutes: the demo, a private server, starter files."""
