"""The worker's side of the Redis backends: how jobs are taken, kept in hand and acknowledged."""
