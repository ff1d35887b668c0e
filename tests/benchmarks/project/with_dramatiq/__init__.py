"""The jobs as actors of Dramatiq, by django_dramatiq."""
