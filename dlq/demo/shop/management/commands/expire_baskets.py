"""What the demo's cron row names."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Does nothing: the demo is over before it is due."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("no baskets")
