"""What the Django admin finds by itself: the pages about queues, workers and cron.

There is nothing to configure: where `django.contrib.admin` and dlq are installed, the pages are
there. `LIGHTWEIGHT_QUEUE_ADMIN_PAGES` makes them read-only, or switches them off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern

from dlq.web.gate import VIEW, admin_pages, may
from dlq.web.placeholder import Queue
from dlq.web.routes import urls

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Queue]
else:
    Base = admin.ModelAdmin  # has no type parameter when it runs


@admin.register(Queue)
class QueueAdmin(Base):
    """The entry in the admin's index. Its pages are those of `dlq.web`."""

    def get_urls(self) -> list[URLPattern]:
        return urls(self.admin_site)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Queue | None = None) -> bool:
        return may(request, VIEW) and admin_pages() != "off"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Queue | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Queue | None = None) -> bool:
        return False
