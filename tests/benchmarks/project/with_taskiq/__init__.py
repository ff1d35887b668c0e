"""The jobs as tasks of taskiq, over a Redis stream: jobs are acknowledged."""
