"""URLs of the debug view. A project includes them while it is being developed:

if settings.DEBUG:
    urlpatterns += [path("", include("dlq.urls", namespace="django-lightweight-queue"))]
"""

from __future__ import annotations

from django.urls import path

from dlq import views

app_name = "django_lightweight_queue"

urlpatterns = [
    path("debug/django-lightweight-queue/debug-run", views.debug_run, name="debug-run"),
]
