"""`dlq emit`: hand the plan over to the supervisor of the machines."""

from __future__ import annotations

from typing import Annotated

import typer

from dlq.cli.framework.command import verb
from dlq.cli.framework.invocation import Invocation
from dlq.cli.framework.options import OfOption
from dlq.errors import ExitCode

verbs = typer.Typer(rich_markup_mode=None)


@verb(
    verbs,
    example="dlq emit systemd --of 3 --out deploy",
    interrupted="files that were written before stay",
)
def emit(
    ctx: typer.Context,
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="systemd, compose, kubernetes or procfile.")
    ],
    of: OfOption = None,
    out: Annotated[
        str | None,
        typer.Option("--out", metavar="DIR", help="Write files there; none is overwritten."),
    ] = None,
) -> ExitCode:
    """Write the plan as systemd units, Compose services, Kubernetes Deployments or a Procfile.

    One unit, service or line for each machine, with --expect-pool, so that a machine with another
    configuration refuses to start. Stop times come from STOP_TIMEOUT and the timeouts of the jobs.
    """
    call: Invocation = ctx.obj
    from dlq.operations.inspection.emit import emit as make_files
    from dlq.operations.inspection.emit import write_files
    from dlq.planning.plan import make_plan
    from dlq.planning.pool import make_pool
    from dlq.project.load import load_project

    pool = make_pool(None, of or 1, whole=True)
    project = load_project(call.settings, call.config)
    plan = make_plan(project, pool)
    if not plan.is_valid:
        from dlq.cli.output.findings import findings_lines

        call.screen.segments(findings_lines(plan.findings), to_err=True)
        call.screen.note("nothing was written: the plan is not valid")
        return ExitCode.FINDINGS
    files = make_files(target, project, plan, call.config)
    written = dict(write_files(files, out)) if out is not None else {}
    if call.format == "json":
        call.print_document(
            target=target,
            pool=plan.split.pool_id if plan.split else None,
            files=[{"name": file.name, "content": file.content} for file in files],
            written=[str(path) for path, is_new in written.items() if is_new],
        )
    elif out is None:
        for number, (name, content) in enumerate(files):
            if len(files) > 1:
                call.screen.print(f"{'' if number == 0 else chr(10)}# {name}")
            call.screen.print(content.rstrip("\n"))
    else:
        for path, is_new in written.items():
            call.screen.print(f"wrote  {path}" if is_new else f"left   {path}  exists, not touched")
    return ExitCode.DONE
