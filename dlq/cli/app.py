"""The Typer app: groups of verbs, each in a module of its own. No module imports an operation
before a verb of it is called, so that `--help` and completion stay quick."""

from __future__ import annotations

import typer

from dlq.cli import plan, run
from dlq.cli.verbs import shared_options

HELP = "A lightweight task queue and cron system for Django on Redis or Valkey."


def _group(help: str) -> typer.Typer:
    """Plain help: rich panels are cut at 80 columns when piped."""
    return typer.Typer(
        help=help,
        callback=shared_options,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )


app = _group(HELP)
app.add_typer(plan.verbs)
app.add_typer(run.verbs)
