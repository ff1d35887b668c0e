"""Whether Django has the command of a row, and whether that command takes the row's arguments.

The command's parser is asked; the command is not run.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
from argparse import ArgumentError
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING

from dlq.cron.rows.constraints import Violation
from dlq.cron.rows.row import CronRow

if TYPE_CHECKING:
    from django.core.management.base import BaseCommand


class CommandCheck:
    """Each command is loaded once and its parser built once, and equal arguments are parsed once:
    building a parser takes milliseconds, and a project may have thousands of rows.

    Needs a configured Django. Imports the modules of the commands.
    """

    def __init__(self) -> None:
        self._commands: dict[str, BaseCommand | Violation] = {}
        self._violations: dict[str, tuple[Violation, ...]] = {}

    def violations(self, row: CronRow) -> tuple[Violation, ...]:
        """What Django or the command itself has against the row."""
        call = json.dumps([row.command, row.command_args, row.command_kwargs])
        found = self._violations.get(call)
        if found is None:
            command = self._commands.get(row.command)
            if command is None:
                command = self._commands[row.command] = _load(row.command)
            if isinstance(command, Violation):
                found = (command,)
            else:
                found = tuple(_argument_violations(row, command))
            self._violations[call] = found
        return found


def _load(name: str) -> BaseCommand | Violation:
    """The command, which parses arguments and never runs; or why there is none."""
    from django.core.management import get_commands, load_command_class
    from django.core.management.base import BaseCommand

    commands = get_commands()
    app = commands.get(name)
    if app is None:
        close = get_close_matches(name, commands, 1, 0.6)
        return Violation(
            "E208",
            "command",
            f"there is no management command {name!r}",
            f"did you mean {close[0]!r}?" if close else "manage.py help lists them",
        )
    try:
        command = app if isinstance(app, BaseCommand) else load_command_class(app, name)
    except (Exception, SystemExit) as error:
        return Violation(
            "E208",
            "command",
            f"the management command {name!r} cannot be loaded: {type(error).__name__}: {error}",
            f"manage.py help {name} shows the traceback",
        )
    # call_command does all of its parsing before it calls `execute` of the command object: with
    # that replaced, on this one object, it is the very check that the run will have to pass.
    vars(command).update(
        execute=lambda *args, **options: None, create_parser=cache(command.create_parser)
    )
    return command


def _argument_violations(row: CronRow, command: BaseCommand) -> Iterator[Violation]:
    from django.core.management import CommandError, call_command

    key = "command_args" if row.command_args or not row.command_kwargs else "command_kwargs"
    remedy = f"manage.py help {row.command} lists what it takes"
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            call_command(command, *row.command_args, **row.command_kwargs)
    except TypeError as error:
        yield _refused_option(row, str(error), remedy)
    except (CommandError, ArgumentError) as error:
        text = str(error).removeprefix("Error: ")
        yield Violation("E210", key, f"{row.command} refuses its arguments: {text}", remedy)
    except SystemExit:
        yield Violation(
            "E210",
            key,
            f"{row.command} would end at its arguments without running, as with --help",
            remedy,
        )
    except Exception as error:
        yield Violation(
            "I217",
            "command",
            f"the arguments of {row.command} were not checked: its parser raised"
            f" {type(error).__name__}: {error}",
        )


def _refused_option(row: CronRow, text: str, remedy: str) -> Violation:
    """call_command lists a page of valid options; one of them is usually meant."""
    parts = re.search(r"Unknown option\(s\) .*?: (.*?)\. Valid options are: (.*?)\.?$", text, re.S)
    key = "command_kwargs" if row.command_kwargs else "command_args"
    if parts is None:
        return Violation("E210", key, f"{row.command} refuses its arguments: {text}", remedy)
    unknown, valid = parts[1].split(", "), parts[2].split(", ")
    close = get_close_matches(unknown[0], valid, 1, 0.6)
    names = ", ".join(map(repr, unknown))
    return Violation(
        "E210",
        key,
        f"{row.command} has no option {names}",
        f"did you mean {close[0]!r}?" if close else remedy,
    )
