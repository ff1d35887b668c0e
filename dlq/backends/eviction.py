"""What is wrong with a server that drops keys when its memory is full."""

from __future__ import annotations

from collections.abc import Iterator

from dlq.backends.state import ServerState
from dlq.diagnostics.finding import Finding
from dlq.diagnostics.rules.backends import W532
from dlq.primitives.text import printable


def eviction_findings(server: ServerState) -> Iterator[Finding]:
    """Yield a finding where the server's eviction policy may drop jobs, or what keeps them safe."""
    policy = server.eviction
    if policy in ("", "noeviction"):
        return
    lost = (
        "whole queues and the jobs in hand"
        if policy.startswith("allkeys")
        else "heartbeats, pauses and the keys by which cron enqueues once"
    )
    yield W532.finding(
        f"the server at {server.address} has maxmemory-policy {printable(policy)}: when its memory"
        f" is full it drops {lost}",
        None,
        "set maxmemory-policy noeviction: a full server then rejects new jobs and keeps the rest",
    )
