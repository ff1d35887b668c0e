"""The jobs as tasks of dlq, and of django-lightweight-queue 4.11: the code is the same."""
