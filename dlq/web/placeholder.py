"""The model that the admin needs to list dlq at all. It has no table, no rows and no migration.

`dlq.models` imports it where the admin is installed, so a project without the admin has no model
of dlq.
"""

from __future__ import annotations

from django.db import models


class NoRows(models.Manager["Queue"]):
    """A manager that never asks a database, so that `dumpdata` and the like work."""

    def get_queryset(self) -> models.QuerySet[Queue]:
        return super().get_queryset().none()


class Queue(models.Model):
    """Carries the name in the admin's index and the permissions of the pages."""

    name = models.CharField(primary_key=True, max_length=200)

    objects = NoRows()

    class Meta:
        app_label = "dlq"
        managed = False
        base_manager_name = "objects"
        verbose_name = "queue"
        verbose_name_plural = "queues and workers"
        default_permissions = ("view",)
        permissions = (
            ("view_job_arguments", "Can see the arguments of jobs"),
            ("operate_queue", "Can retry jobs, pause and resume queues, run cron rows"),
            ("discard_queue", "Can discard failed jobs, clear and deduplicate queues"),
        )

    def __str__(self) -> str:
        return self.name
