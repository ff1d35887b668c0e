"""Says how many orders there are."""

from typing import Any

from django.core.management.base import BaseCommand

from orders.models import Order


class Command(BaseCommand):
    help = "Print how many orders there are."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{Order.objects.count()} orders")
