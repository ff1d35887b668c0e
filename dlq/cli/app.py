"""The Typer app: every verb by name. No module of verbs is imported before one of them is called,
and no operation before that, so that `--help` and completion stay quick."""

from __future__ import annotations

from dlq.cli.framework.lazy_group import LazyGroup, Listed, make_group

VERBS = (
    Listed("plan", "plan", "Show what each machine would run."),
    Listed("check", "plan", "Find every mistake in settings and cron.py files."),
    Listed("run", "run", "Run this machine's workers until told to stop."),
    Listed("worker", "run", "Run one worker in the foreground."),
    Listed("status", "status", "Show runners, queues and workers."),
    Listed("failed", "failed", "Failed jobs: list, show, retry, discard.", is_group=True),
    Listed("pause", "queues", "Let no job of these queues start for a while."),
    Listed("resume", "queues", "End a pause now."),
    Listed("clear", "queues", "Drop all waiting jobs of these queues."),
    Listed("deduplicate", "queues", "Drop waiting jobs that would do the same again."),
    Listed("cron", "cron", "Cron rows: next runs, schedules in words, a run now.", is_group=True),
    Listed("config", "config", "Settings: values, and where they come from.", is_group=True),
    Listed("explain", "plan", "Print the long text of a finding."),
    Listed("health", "run", "Tell whether the runner is alive."),
    Listed("demo", "starters", "Run everything once on a private server."),
    Listed("init", "starters", "Write starter files, overwriting none."),
)


class App(LazyGroup):
    table = VERBS


app = make_group("A lightweight task queue and cron system for Django on Redis or Valkey.", App)
