"""Places an order, as a web process would."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from orders.models import Order
from orders.tasks import confirm


class Command(BaseCommand):
    help = "Place an order and have it confirmed by mail."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address")

    @transaction.atomic
    def handle(self, *args: Any, address: str, **options: Any) -> None:
        order = Order.objects.create(address=address)
        confirm.on_commit(order.pk)
        self.stdout.write(f"order {order.pk}")
