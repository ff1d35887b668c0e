"""Drops orders that nobody has confirmed for a week."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from orders.models import Order


class Command(BaseCommand):
    help = "Delete orders that have waited a week for their confirmation."

    def handle(self, *args: Any, **options: Any) -> None:
        old = timezone.now() - timedelta(days=7)
        deleted, _ = Order.objects.filter(confirmed_at=None, placed_at__lt=old).delete()
        self.stdout.write(f"expired {deleted} orders")
