"""The way of a call of a task to a stored job: options, checks, batches, commits."""
