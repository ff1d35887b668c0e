"""The Typer app: groups of verbs, each in a module of its own. No module imports an operation
before a verb of it is called, so that `--help` and completion stay quick."""

from __future__ import annotations

import typer

from dlq.cli import beginning, config, cron, failed, plan, queues, run, status
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
for module in (plan, run):
    app.add_typer(module.verbs)


def _add_group(name: str, verbs: typer.Typer, help: str) -> None:
    group = _group(help)
    group.add_typer(verbs)
    app.add_typer(group, name=name)


_add_group("config", config.verbs, "Settings: what is in force, and where it comes from.")
_add_group("cron", cron.verbs, "Cron rows: when they fire, what a schedule means, a run now.")
app.add_typer(queues.verbs)
_add_group("failed", failed.verbs, "Failed jobs: list, show, retry, discard.")
for module in (status, beginning):
    app.add_typer(module.verbs)
