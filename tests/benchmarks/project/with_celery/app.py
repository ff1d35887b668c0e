from __future__ import annotations

from celery import Celery

from tests.benchmarks.project.settings import URL

app = Celery("bench", broker=URL)
app.conf.task_ignore_result = True
app.autodiscover_tasks()
