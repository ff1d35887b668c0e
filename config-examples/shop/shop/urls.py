"""One page that places an order, and the debug view while the project is being developed."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path
from orders import views

urlpatterns: list[URLPattern | URLResolver] = [path("order", views.order)]

if settings.DEBUG:
    urlpatterns += [path("", include("dlq.urls", namespace="django-lightweight-queue"))]
