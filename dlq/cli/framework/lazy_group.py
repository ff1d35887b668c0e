"""The group of all verbs, whose modules are imported when one of their verbs is called.

Help and completion need no more than names and one line for each, so that is all that a table
holds. Building the options of all verbs costs more than Typer itself.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.main import get_group

from dlq.cli.framework.command import VerbGroup


class Listed(NamedTuple):
    """A verb, or a group of verbs: its module in `dlq.cli.commands` has it in `verbs`.
    `summary` is the first line of the verb's docstring; for a group, its help."""

    name: str
    module: str
    summary: str
    is_group: bool = False


class LazyGroup(VerbGroup):
    """Subclasses have a `table`."""

    table: tuple[Listed, ...] = ()

    def list_commands(self, ctx: Any) -> list[str]:
        return [listed.name for listed in self.table]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        listed = next((each for each in self.table if each.name == cmd_name), None)
        if listed is None:
            return None
        verbs: typer.Typer = import_module(f"dlq.cli.commands.{listed.module}").verbs
        if not listed.is_group:
            return get_group(verbs).commands[cmd_name]
        group = make_group(listed.summary, VerbGroup)
        group.add_typer(verbs)
        return get_group(group)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(listed.name, listed.summary) for listed in self.table])


def make_group(help: str, group_class: type[VerbGroup]) -> typer.Typer:
    """Make an app with plain help: rich panels are cut at 80 columns when piped."""
    return typer.Typer(
        cls=group_class,
        help=help,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
