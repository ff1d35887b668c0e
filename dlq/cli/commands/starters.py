"""`dlq demo` and `dlq init`, for the first five minutes; `dlq emit`, for production."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from dlq.cli.framework.command import verb
from dlq.cli.framework.invocation import Invocation
from dlq.cli.framework.options import OfOption
from dlq.cli.output.screen import Column
from dlq.errors import ExitCode, UsageError

verbs = typer.Typer(rich_markup_mode=None)


@verb(verbs, example="dlq demo", interrupted="the private server and its workers were stopped")
def demo(ctx: typer.Context) -> ExitCode:
    """Run everything once on a private server.

    A plan, workers, 20 jobs (one is delayed, one fails on purpose), a clean stop; needs
    dlq[embedded].
    """
    from dlq.cli.output.plan_lines import workers_line
    from dlq.cli.output.screen import Screen
    from dlq.operations.development import demo as operations
    from dlq.operations.development.embedded_server import embedded_server

    call: Invocation = ctx.obj
    if call.settings or call.config:
        raise UsageError("the demo has its own settings: leave out --settings and --config")
    # The document is the result; what a person watches goes beside it.
    screen = call.screen if call.format == "text" else Screen(sys.stderr)
    operations.leave_variables_out()
    with embedded_server() as server:
        screen.print(server.description)
        project, plan = operations.prepare()
        screen.print(f"Plan: {workers_line(plan)}")
        screen.out.flush()
        with operations.running_workers() as workers:
            result = operations.enqueue_and_wait(project, workers)
        lost = result.jobs - result.done - len(result.failures)
        screen.print(
            f"enqueued {result.jobs} jobs   {result.done} done, {len(result.failures)} failed on"
            f" purpose   {result.seconds:.1f} s"
        )
        screen.print()
        screen.table(
            [Column("QUEUE"), *(Column(head, right=True) for head in ("JOBS", "DONE", "FAILED"))],
            [[q.queue, str(q.jobs), str(q.done), str(q.failed)] for q in result.queues],
        )
        screen.print("delayed: dlq.demo.shop.tasks.mail: half a second later than the others")
        for task, reason in result.failures:
            screen.print(f"failed: {task}: {reason}")
    screen.print()
    screen.print(" next:  dlq init --toml      start your own")
    screen.print("        dlq plan             what would run")
    if lost or len(result.failures) != operations.FAILING:
        screen.note(f"{lost} jobs are lost: this is a bug, please report it")
        return ExitCode.FINDINGS
    screen.print("Stopped cleanly.")
    if call.format == "json":
        call.print_document(**result.as_document())
    return ExitCode.DONE


@verb(
    verbs,
    example="dlq init --toml --directory shop",
    interrupted="files that were written before stay",
)
def init(
    ctx: typer.Context,
    toml: Annotated[
        bool, typer.Option("--toml", help="The override file in TOML instead of Python.")
    ] = False,
    directory: Annotated[
        str, typer.Option("--directory", metavar="DIR", help="Where to write.")
    ] = ".",
) -> ExitCode:
    """Write starter files, overwriting none.

    An override file, a cron.py, a systemd unit, a CI snippet.
    """
    from dlq.operations.development.starters import write_starters
    from dlq.project.locate import find_settings_module

    call: Invocation = ctx.obj
    module = find_settings_module(call.settings)
    written = write_starters(directory, toml=toml, settings_module=module)
    if call.format == "json":
        call.print_document(settings_module=module, files=[file._asdict() for file in written])
        return ExitCode.DONE
    width = max(len(file.path) for file in written)
    for file in written:
        word = "wrote" if file.is_new else "left "
        call.screen.print(f"{word}  {file.path:<{width}}  {file.purpose}")
    if module is None:
        call.screen.note("no Django project found: the files name shop.settings as an example")
    config = written[0].path
    call.screen.print()
    call.screen.print(f"next:  dlq check --config {config}")
    call.screen.print(f"       dlq plan --machine 1 --of 2 --config {config}")
    call.screen.print(f"       dlq emit systemd --of 2 --config {config}")
    return ExitCode.DONE


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
    """Write the plan for systemd, Compose, Kubernetes, Procfile.

    One unit, service, Deployment or line for each machine, with --expect-pool, so that a machine
    with another configuration refuses to start. Stop times come from STOP_TIMEOUT and the timeouts
    of the jobs.
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
