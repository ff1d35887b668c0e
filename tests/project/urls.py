"""URLs of the test project: the debug view, as a project would include it, and the admin."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpResponse
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("dlq.urls", namespace="django-lightweight-queue")),
    path("admin/", admin.site.urls),
    path("favicon.ico", lambda request: HttpResponse(status=204)),  # what browsers ask for
]
