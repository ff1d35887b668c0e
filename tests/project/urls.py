"""URLs of the test project: the debug view, as a project would include it."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("dlq.urls", namespace="django-lightweight-queue"))
]
