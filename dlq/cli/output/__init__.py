"""What verbs print, and how it looks on a terminal and in a pipe."""
