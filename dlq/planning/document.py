"""The plan as machines read it, and the smaller documents that it shares with other verbs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dlq import __version__
from dlq.config.resolution import Resolution
from dlq.diagnostics.finding import as_fields
from dlq.diagnostics.formats import iso_utc
from dlq.planning.implied_queues import implied_text, source_of
from dlq.planning.plan import Plan, next_run
from dlq.planning.split import QueuePlan, Split

if TYPE_CHECKING:
    from dlq.cron.rows.row import CronRow


def plan_json(plan: Plan, now: datetime) -> dict[str, Any]:
    """The plan as machines read it. The keys are a contract: within a format version they may
    only grow."""
    from dlq.config.explain import settings_json

    resolution, dealt = plan.resolution, plan.split
    settings = None if resolution is None else resolution.settings
    metrics = settings.prometheus_start_port if settings and settings.enable_prometheus else None
    backends = {queue.name: queue.backend for queue in dealt.queues} if dealt else {}
    return {
        "format_version": "1",
        "dlq": __version__,
        "settings_module": "" if resolution is None else resolution.settings_module,
        "pool": {
            "id": None if dealt is None else dealt.pool_id,
            "machine": None if plan.pool.exact else plan.pool.machine,
            "of": None if plan.pool.exact else plan.pool.of,
            "exact": plan.pool.exact,
            "only_queue": plan.pool.only_queue,
            "placement": "dealt" if dealt is None else dealt.placement,
        },
        "workers": [
            {
                "machine": None if plan.pool.exact else worker.machine,
                "queue": worker.queue,
                "number": worker.number,
                "backend": backends[worker.queue],
                "metrics_port": None if metrics is None else metrics + worker.position,
            }
            for worker in (dealt.workers if dealt else ())
        ],
        "queues": {
            queue.name: {
                "workers": queue.workers,
                "here": sum(1 for worker in dealt.workers if worker.queue == queue.name),
                "backend": queue.backend,
                "source": count_from(queue, plan),
            }
            for queue in (dealt.queues if dealt else ())
            if dealt is not None
        },
        "cron": {
            "runs_here": plan.runs_cron,
            "machines": list(plan.schedulers),
            "entries": [
                {
                    "command": row.command,
                    "args": list(row.command_args),
                    "kwargs": dict(row.command_kwargs),
                    "queue": row.queue,
                    "schedule": row.expression,
                    "timezone": row.timezone or (settings.cron_timezone if settings else None),
                    "next": _iso(next_run(row, settings, now)) if settings else None,
                    "source": row.source.location,
                }
                for row in plan.rows
            ],
        },
        "settings": {} if resolution is None else settings_json(resolution),
        "findings": [as_fields(finding) for finding in plan.findings],
    }


def published_document(split: Split, rows: Sequence[CronRow], resolution: Resolution) -> str:
    """Return the plan document of a runner, for its server."""
    plan = Plan(split.pool, split, tuple(rows), resolution, ())
    return json.dumps(plan_json(plan, datetime.now(UTC)))


def count_from(queue: QueuePlan, plan: Plan) -> str:
    """Who says how many workers a queue has, with the source location."""
    assert plan.resolution is not None, "where there are queues there are settings"
    source = source_of(queue, plan.resolution)
    if queue.origin == "task":
        return implied_text(source)
    return source.label if queue.origin == "setting" else f"implied by cron, {source.label}"


def as_text(content: object) -> str:
    """JSON for people and machines: indented, in the order of the contract, ASCII where a terminal
    could be misled."""
    return json.dumps(content, indent=2, ensure_ascii=True)


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else iso_utc(moment)
