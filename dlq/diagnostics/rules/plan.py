"""Rules 3xx: how workers are dealt out to machines."""

from __future__ import annotations

from dlq.diagnostics.finding import Rule

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
A task names a queue in its decorator, and no machine of the pool has a worker that takes from it.
Jobs that are enqueued there wait until some other configuration runs the queue. Exact
configurations and --only-queue are meant to run a part of the queues, so they are not asked.

Add the queue to LIGHTWEIGHT_QUEUE_WORKERS, or give it more than 0 workers there.
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

W306 = Rule(
    "W306",
    "workers are planned for a backend that never has work",
    """\
SynchronousBackend runs a job where it is enqueued, and DebugWebBackend shows it there: neither ever
has one for a worker. The workers of these queues would wait for ever. It is the default backend, so
that a project works without a server while it is developed.

Set LIGHTWEIGHT_QUEUE_BACKEND to 'dlq.backends.reliable_redis.ReliableRedisBackend' (at least once)
or 'dlq.backends.redis.RedisBackend' (at most once) where workers run.
""",
)

E307 = Rule(
    "E307",
    "a task wants retries of a queue that cannot give them",
    """\
`@task(retries=…)` runs a job again, some time after it has raised. The job has to be kept until
then, also while no worker runs, and only a backend that keeps jobs until they have ended can do
that. A queue that runs a job once at most would make it a failed job after the first attempt, and
backends that were written for django-lightweight-queue 4.11 know no retries.

Give the queue 'dlq.backends.reliable_redis.ReliableRedisBackend' in BACKEND or BACKEND_OVERRIDES,
or the task another queue, or take `retries` from its decorator.
""",
)

W308 = Rule(
    "W308",
    "the plan has no worker at all",
    """\
Every queue of the configuration has 0 workers, or none is named: no machine would run any job. Jobs
that are enqueued wait.

Name a queue and its number of workers in LIGHTWEIGHT_QUEUE_WORKERS.
""",
)

I309 = Rule(
    "I309",
    "an exact configuration has no WORKERS of its own",
    """\
--exact-configuration runs on this machine what WORKERS says. None of the override files has it, so
it is that of the Django settings, together with one worker for each queue that only tasks name, as
in django-lightweight-queue 4.11. Cron queues are not among them.

Put LIGHTWEIGHT_QUEUE_WORKERS into the override file to choose the workers of this machine.
""",
)

W310 = Rule(
    "W310",
    "the name of a queue is probably misspelt",
    """\
LIGHTWEIGHT_QUEUE_WORKERS gives workers to a queue that no task and no cron row names, and a queue
that one of them names differs from it by one letter. The workers of the first would wait for ever,
and the second has not the workers that were meant for it. Or a task or a cron row names a queue
that WORKERS does not have, and a queue that it has differs by one letter: the jobs go to a queue
with a single worker.

Correct the name, or add it to LIGHTWEIGHT_QUEUE_WORKERS. Where calls name the queue
(`django_lightweight_queue_queue="..."`) and both are meant, silence the finding:
SILENCED_SYSTEM_CHECKS = ["dlq.W310"].
""",
)
