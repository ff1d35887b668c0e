"""`manage.py dlq …`: the same program as `dlq …`, in the project that manage.py has set up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Run a command of dlq: `manage.py dlq status` is `dlq status`."

    def run_from_argv(self, argv: list[str]) -> None:
        """Pass every word on, so that dlq's own options and help are read by dlq."""
        from dlq.cli import main

        main(argv[2:])

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.add_argument("words", nargs="*", help="as for the program dlq")
        return parser

    def handle(self, *args: Any, words: Sequence[str] = (), **options: Any) -> None:
        """Run a command line of dlq, for `call_command("dlq", "status")`."""
        from dlq.cli import main

        try:
            main([*args, *words])
        except SystemExit as end:
            if end.code:
                raise CommandError(f"dlq ended with {end.code}", returncode=int(end.code)) from None
