"""A command for cron jobs."""

from django.core.management.base import BaseCommand

from orders import ledger


class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("what")

    def handle(self, what, **options):
        ledger.write("command", what)
