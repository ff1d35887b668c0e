"""`dlq manual`: the chapters of the manual, in the terminal."""

from __future__ import annotations

from typing import Annotated

import typer

from dlq.cli.framework.command import verb
from dlq.cli.framework.invocation import Invocation
from dlq.errors import ExitCode

verbs = typer.Typer(rich_markup_mode=None)


@verb(verbs, example="dlq manual delivery")
def manual(
    ctx: typer.Context,
    topic: Annotated[
        str | None,
        typer.Argument(metavar="[TOPIC]", help="A chapter; without one, all are listed."),
    ] = None,
) -> ExitCode:
    """Print a chapter of the manual.

    Without a topic it lists them. Needs no project.
    """
    call: Invocation = ctx.obj
    from dlq.cli.output.tables import Column
    from dlq.manual.chapters import chapter, chapters

    if topic is None:
        found = chapters()
        if call.format == "json":
            call.print_document(
                topics=[{"topic": c.topic, "title": c.title, "summary": c.summary} for c in found]
            )
        else:
            columns = [Column("TOPIC"), Column("ABOUT", gives=1)]
            call.screen.table(columns, [[each.topic, each.summary] for each in found])
            call.screen.print("\nRead one: dlq manual TOPIC")
        return ExitCode.DONE
    one = chapter(topic)
    if call.format == "json":
        call.print_document(**one._asdict())
        return ExitCode.DONE
    for line in one.text.rstrip("\n").split("\n"):
        call.screen.segments([[(line, "bold" if line.startswith("#") else "")]])
    return ExitCode.DONE
