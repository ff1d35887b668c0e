"""The supervisor: keeps the children of a plan running."""
