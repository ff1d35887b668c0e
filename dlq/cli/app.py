"""The Typer app: every verb by name. No module of verbs is imported before one of them is called,
and no operation before that, so that `--help` and completion stay quick."""

from __future__ import annotations

from typing import Annotated

import typer

from dlq.cli.framework.lazy_group import LazyGroup, Listed, make_group

VERBS = (
    Listed("plan", "plan", "Show what each machine would run."),
    Listed("check", "plan", "Find every mistake in settings and cron.py files."),
    Listed("run", "run", "Run this machine's workers until they are stopped."),
    Listed("worker", "run", "Run one worker in the foreground."),
    Listed("status", "status", "Show runners, queues and workers."),
    Listed("failed", "failed", "Failed jobs: list, show, retry, discard.", is_group=True),
    Listed("delayed", "delayed", "Delayed jobs: list, run now, discard.", is_group=True),
    Listed("enqueue", "enqueue", "Enqueue a job of a task."),
    Listed("pause", "queues", "Let no job of these queues start for a while."),
    Listed("kill", "queues", "End a running job now, as a failed one."),
    Listed("resume", "queues", "End a pause now."),
    Listed("clear", "queues", "Drop all waiting jobs of these queues."),
    Listed("deduplicate", "queues", "Drop waiting jobs that would do the same again."),
    Listed("cron", "cron", "Cron rows: next runs, a simulation, a run now.", is_group=True),
    Listed("config", "config", "Settings: values, and where they come from.", is_group=True),
    Listed("explain", "plan", "Explain a finding, setting, task, queue or cron row."),
    Listed("manual", "manual", "Print a chapter of the manual."),
    Listed("health", "run", "Check whether the runner is alive."),
    Listed("demo", "starters", "Run everything once on a private server."),
    Listed("emit", "starters", "Write the plan for systemd, Compose, Kubernetes, Procfile."),
    Listed("init", "starters", "Write starter files, overwriting none."),
)


class App(LazyGroup):
    table = VERBS


app = make_group("A lightweight task queue and cron system for Django on Redis or Valkey.", App)


def print_version(wanted: bool) -> None:
    if wanted:
        from dlq import __version__

        typer.echo(f"dlq {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=print_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Take the options that only the command itself has; the verbs do the work."""
