"""`dlq explain NOUN`: one question for everything that has a name.

A noun is the id of a finding, a setting, a task (its path, or its name where that is clear), a
queue, or the command of a cron row. `kind:name` says which, where a name is more than one of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from itertools import islice
from typing import Any, NamedTuple

from dlq.config import PREFIX
from dlq.config.settings import SETTING_NAMES
from dlq.cron.rows.row import CronRow
from dlq.cron.rows.schedule import in_words, runs
from dlq.diagnostics.formats import iso_utc
from dlq.diagnostics.rules import RULES
from dlq.errors import UsageError
from dlq.operations.inspection.explain_task import explain_task
from dlq.operations.inspection.explanation import Explanation, Fact, backend_facts, worker_facts
from dlq.planning.document import count_from
from dlq.planning.implied_queues import is_ours
from dlq.planning.plan import Plan
from dlq.project.load import Project

NEXT_RUNS = 3

LIKE_AN_ID = re.compile(r"[EWI][0-9OIL]{2,4}")
"""Letters that are easily taken for digits included."""

KINDS = ("finding", "setting", "task", "queue", "cron")


class Noun(NamedTuple):
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


def explain_finding(text: str) -> Explanation | None:
    """Explain the id of a finding; None where `text` is none. Needs no project. Raises UsageError
    for what can only be meant as an id."""
    code = text.strip().upper().removeprefix("FINDING:").removeprefix("DLQ.")
    # The letter of an id follows its level, and an id may have been met with another one.
    rule = RULES.get(code) or next((r for c, r in RULES.items() if c[1:] == code[1:]), None)
    if rule is None:
        if not LIKE_AN_ID.fullmatch(code):
            return None
        close = get_close_matches(code, RULES, 3)
        hint = f"did you mean {', '.join(close)}?" if close else "ids look like E204"
        raise UsageError(f"no finding has the id {text!r}: {hint}")
    content = {"id": rule.id, "level": rule.level, "title": rule.title, "text": rule.text}
    return Explanation("finding", f"{rule.level}[{rule.id}]: {rule.title}", (), content, rule.text)


def explain(
    project: Project, plan: Plan, text: str, arguments: Sequence[str] = ()
) -> list[Explanation]:
    """Explain a noun of the project; several cron rows of one command give an explanation each.
    `arguments` are those of a call of a task. Raises UsageError."""
    noun = find_noun(project, plan, text)
    if arguments and noun.kind != "task":
        raise UsageError(f"{text!r} is a {noun.kind}: only a task has arguments")
    if noun.kind == "setting":
        return [_explain_setting(project, noun.name)]
    if noun.kind == "queue":
        return [_explain_queue(project, plan, noun.name)]
    if noun.kind == "cron":
        rows = [row for row in plan.rows if row.command == noun.name]
        return [_explain_row(row, plan) for row in rows]
    return [explain_task(noun.name, plan, arguments, project)]


def find_noun(project: Project, plan: Plan, text: str) -> Noun:
    """Return what a text names. Raises UsageError, with what it may have meant."""
    nouns = _nouns(project, plan)
    kind, colon, name = text.partition(":")
    if colon and kind in KINDS:
        found = [noun for noun in nouns if noun.kind == kind and _is_called(noun, name)]
    else:
        found = [noun for noun in nouns if _is_called(noun, text)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{text!r} is more than one thing: say {' or '.join(map(str, found))}")
    raise UsageError(_not_found(text, nouns))


def _nouns(project: Project, plan: Plan) -> list[Noun]:
    tasks = dict.fromkeys(
        d.task for d in project.declarations if d.task is not None and not is_ours(d)
    )
    queues = () if plan.split is None else plan.split.queues
    return [
        *(Noun("setting", name) for name in SETTING_NAMES),
        *(Noun("task", task) for task in tasks),
        *(Noun("queue", queue.name) for queue in queues),
        *(Noun("cron", command) for command in dict.fromkeys(row.command for row in plan.rows)),
    ]


def _is_called(noun: Noun, text: str) -> bool:
    if noun.kind == "setting":
        return text.upper().removeprefix(PREFIX) == noun.name
    if noun.kind == "task":
        return text in (noun.name, noun.name.rpartition(".")[2])
    return text == noun.name


def _not_found(text: str, nouns: Sequence[Noun]) -> str:
    names = {noun.name: noun for noun in nouns}
    names.update({noun.name.rpartition(".")[2]: noun for noun in nouns if noun.kind == "task"})
    wanted = text.rpartition(":")[2]
    lower = {name.lower(): name for name in [*names, *RULES]}
    close = [lower[name] for name in get_close_matches(wanted.lower(), lower, 3, 0.7)]
    # A beginning says more than a few equal letters.
    close = [name for name in names if wanted and name.startswith(wanted)][:3] + close
    hint = f"did you mean {', '.join(dict.fromkeys(close))}?" if close else "dlq plan lists queues"
    return f"nothing is called {text!r} (a finding, setting, task, queue or cron command): {hint}"


def _explain_setting(project: Project, name: str) -> Explanation:
    from dlq.config import explain as configuration

    assert project.resolution is not None, "a noun was found"
    found = configuration.explain(project.resolution, name)
    cells = [(step.source, step.value or "", step.what or "") for step in found.steps]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    facts = [
        Fact(step.role, "  ".join(map(str.ljust, row, widths)).rstrip())
        for step, row in zip(found.steps, cells, strict=True)
    ]
    title = f"{found.name} = {found.value}"
    return Explanation(
        "setting", title, tuple(facts), configuration.as_fields(found), found.description
    )


def _explain_queue(project: Project, plan: Plan, name: str) -> Explanation:
    assert plan.split is not None
    queue = next(queue for queue in plan.split.queues if queue.name == name)
    tasks = sorted({d.task for d in project.declarations if d.queue == name and d.task})
    commands = list(dict.fromkeys(row.command for row in plan.rows if row.queue == name))
    source = count_from(queue, plan)
    facts = [
        Fact("workers", f"{queue.workers} over the pool ({source})"),
        *worker_facts(plan, queue.name),
        *backend_facts(queue.backend),
        Fact("tasks", ", ".join(tasks) or "none"),
        Fact("cron rows", ", ".join(commands) or "none"),
    ]
    content = {
        "name": queue.name,
        "workers": queue.workers,
        "source": source,
        "origin": queue.origin,
        "backend": queue.backend,
        "machines": _machines(plan, queue.name),
        "tasks": tasks,
        "cron": commands,
    }
    return Explanation("queue", f"queue {queue.name}", tuple(facts), content)


def _explain_row(row: CronRow, plan: Plan) -> Explanation:
    assert plan.resolution is not None
    assert plan.resolution.settings is not None
    settings = plan.resolution.settings
    timezone = row.timezone or settings.cron_timezone
    next_runs = list(islice(runs(row, datetime.now(UTC), timezone), NEXT_RUNS))
    atomic = settings.atomic_jobs if row.atomic is None else row.atomic
    words = in_words(row.expression)
    machines = ", ".join(map(str, plan.schedulers)) or "none"
    arguments = [*map(repr, row.command_args)]
    arguments += [f"{name}={value!r}" for name, value in row.command_kwargs.items()]
    facts = [
        Fact("declared", row.source.label),
        Fact("schedule", f"{row.expression}  {words} ({timezone})"),
        Fact("next", ", ".join(iso_utc(run) for run in next_runs) or "never"),
        Fact("arguments", ", ".join(arguments) or "none"),
        Fact("scheduled by", f"machine {machines} of {plan.pool.of}"),
        Fact("queue", row.queue),
        *worker_facts(plan, row.queue),
        Fact("timeout", "none" if row.timeout is None else f"{row.timeout:g} s"),
        Fact("on a stop", "killed at once" if row.sigkill_on_stop else "waited for"),
        Fact("atomic", _yes_no(atomic)),
        Fact("when late", _late(settings.cron_catch_up)),
    ]
    content = {
        "command": row.command,
        "arguments": {"args": list(row.command_args), "kwargs": dict(row.command_kwargs)},
        "schedule": row.expression,
        "words": words,
        "timezone": timezone,
        "next": [iso_utc(run) for run in next_runs],
        "queue": row.queue,
        "machines": _machines(plan, row.queue),
        "schedulers": list(plan.schedulers),
        "timeout": row.timeout,
        "sigkill_on_stop": row.sigkill_on_stop,
        "atomic": atomic,
        "catch_up": settings.cron_catch_up,
        "source": row.source.location,
    }
    return Explanation("cron", f"cron row {row.command}", tuple(facts), content)


def _late(seconds: float) -> str:
    if seconds == 0:
        return "a missed run is not caught up (CRON_CATCH_UP is 0)"
    return f"a missed run is enqueued up to {seconds:g} s later, once (CRON_CATCH_UP)"


def _machines(plan: Plan, queue: str) -> list[dict[str, Any]]:
    assert plan.split is not None
    return [
        {"machine": worker.machine, "number": worker.number}
        for worker in plan.split.workers
        if worker.queue == queue
    ]


def _yes_no(fact: bool) -> str:
    return "yes" if fact else "no"
