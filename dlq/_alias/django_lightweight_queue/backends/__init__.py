"""The old name of dlq.backends."""
