"""The plan in one line: what `run` prints at its start, and titles."""

from __future__ import annotations

from dlq.planning.plan import Plan
from dlq.primitives.text import counted


def title(plan: Plan) -> str:
    """`Plan for machine 1 of 3   pool 4db02050   settings shop.settings`."""
    pool, resolution = plan.pool, plan.resolution
    if pool.exact:
        what = "exactly this machine"
    elif pool.machine is None:
        what = "all machines of 1" if pool.of == 1 else f"all {pool.of} machines"
    else:
        what = f"machine {pool.machine} of {pool.of}"
    parts = [f"Plan for {what}"]
    if plan.split is not None and not pool.exact:
        parts.append(f"pool {plan.split.pool_id}")
        if plan.split.placement != "dealt":
            parts.append(f"placement {plan.split.placement}")
    if resolution is not None:
        settings = " + ".join([resolution.settings_module or "none", *resolution.override_files])
        parts.append(f"settings {settings}")
    if pool.only_queue is not None:
        parts.append(f"only queue {pool.only_queue}")
    return "   ".join(parts)


def one_line(plan: Plan) -> str:
    """The line that `run` prints: `Plan for machine 1 of 3   pool 4db02050: emails/1 emails/2`."""
    dealt = plan.split
    if dealt is None:
        return title(plan)
    if plan.pool.exact:
        head = "Plan for exactly this machine"
    else:
        head = f"Plan for machine {plan.pool.machine} of {plan.pool.of}   pool {dealt.pool_id}"
    return f"{head}: {workers_line(plan)}"


def workers_line(plan: Plan) -> str:
    dealt = plan.split
    names = " ".join(worker.name for worker in dealt.workers) if dealt is not None else ""
    parts = [names or "no workers"]
    if plan.runs_cron:
        parts.append(f"cron scheduler ({entries(len(plan.rows))})")
    return ", ".join(parts)


def entries(count: int) -> str:
    return counted(count, "entry", "entries")
