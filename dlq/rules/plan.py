"""Rules 3xx: how workers are dealt out to machines."""

from __future__ import annotations

from dlq.findings import Rule

W301 = Rule(
    "W301",
    "a machine of the pool has no queue workers",
    """\
Workers are dealt out one by one, starting with machine 2 and coming to machine 1 last. When a pool
has more machines than workers, some machines get none; machine 1 is the first to go without. An
idle machine is not wrong (machine 1 may still schedule cron), but it is often not what was meant.

Use fewer machines, or give a queue more workers in LIGHTWEIGHT_QUEUE_WORKERS.
""",
)

W302 = Rule(
    "W302",
    "a task's queue has no worker anywhere",
    """\
A task names a queue in its decorator, and no worker of this configuration takes from it. Jobs that
are enqueued there wait until some other configuration runs the queue. With an exact configuration,
or with --only-queue, that other configuration is usually the pool.

Add the queue to LIGHTWEIGHT_QUEUE_WORKERS if its jobs should run here.
""",
)

W303 = Rule(
    "W303",
    "an override file drops a queue",
    """\
WORKERS from an override file or from the environment is the whole truth: it replaces the WORKERS of
the Django settings and is not merged with it, and the queues that tasks imply are dropped where it
doesn't name them (queues that cron rows name are always added). The finding names each queue
that had a worker without the override and has none with it.

Name the queue in the override, with the number of workers that it should have.
""",
)

I304 = Rule(
    "I304",
    "--only-queue leaves the cron scheduler out",
    """\
Machine 1 of a pool schedules cron, unless --only-queue narrows the run to a queue other than
cron_scheduler, which is the scheduler's own name. The rows are then scheduled by no machine that
runs with this option.
""",
)

E305 = Rule(
    "E305",
    "--only-queue names a queue that does not exist",
    """\
The plan would be empty: no worker of this configuration belongs to a queue of that name. Queue
names are compared letter by letter.
""",
)
