"""The old name of dlq.management: a package of its own, with the same commands in it."""
