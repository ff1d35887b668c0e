"""dlq as a backend of Django's tasks framework: `django.tasks`, or its backport `django_tasks`.

    TASKS = {"default": {"BACKEND": "dlq.django_tasks.DlqBackend", "QUEUES": [], "OPTIONS": {}}}

Imported by Django where TASKS names it, and by workers that run such a task.
"""

from __future__ import annotations

from dlq.django_tasks.backend import DlqBackend
from dlq.django_tasks.declared import DlqTask

__all__ = ["DlqBackend", "DlqTask"]
