"""Development and the first minutes: the demo, a private server, starter files."""
