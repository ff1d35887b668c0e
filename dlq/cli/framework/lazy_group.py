"""Groups of verbs whose modules are imported when one of their verbs is called.

Help and completion of the app need no more than names and one line for each, so that is all that a
table here holds. Building the options of all verbs costs more than Typer itself.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_group

from dlq.cli.framework.command import shared_options


class Listed(NamedTuple):
    """A verb, or a group of verbs: its module in `dlq.cli.commands` has it in `verbs`.
    `summary` is the first line of the verb's docstring; for a group, its help."""

    name: str
    module: str
    summary: str
    is_group: bool = False


class LazyGroup(TyperGroup):
    """Subclasses have a `table`."""

    table: tuple[Listed, ...] = ()

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = _Commands(self.table)

    def list_commands(self, ctx: Any) -> list[str]:
        return [listed.name for listed in self.table]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(listed.name, listed.summary) for listed in self.table])


class _Commands(MutableMapping[str, Any]):
    """The commands by name. Names are known at once; a command is made when it is asked for."""

    def __init__(self, table: tuple[Listed, ...]) -> None:
        self._table = {listed.name: listed for listed in table}
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            listed = self._table[name]
            verbs: typer.Typer = import_module(f"dlq.cli.commands.{listed.module}").verbs
            if listed.is_group:
                group = make_group(listed.summary)
                group.add_typer(verbs)
                self._made[name] = get_group(group)
                self._made[name].name = name
            else:
                self._made.update(get_group(verbs).commands)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)

    def __setitem__(self, name: str, command: Any) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made[name]


def make_group(help: str, group_class: type[TyperGroup] = TyperGroup) -> typer.Typer:
    """Plain help: rich panels are cut at 80 columns when piped."""
    return typer.Typer(
        cls=group_class,
        help=help,
        callback=shared_options,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
