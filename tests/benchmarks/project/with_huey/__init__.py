"""The jobs as tasks of Huey, by its own Django extension."""
