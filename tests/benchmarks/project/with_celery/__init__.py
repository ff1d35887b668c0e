"""The jobs as tasks of Celery; the application is in `app`, as its guide for Django says."""
