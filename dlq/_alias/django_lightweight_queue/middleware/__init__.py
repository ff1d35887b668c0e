"""The old name of dlq.middleware."""
