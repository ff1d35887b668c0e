"""Rules 5xx: backends, and what the runners of one server say together."""

from __future__ import annotations

from dlq.diagnostics.finding import Rule

W501 = Rule(
    "W501",
    "machines disagree about the pool",
    """\
Runners on one server say different pool ids: they were started with different machine counts,
worker counts, backends or key prefixes. Each deals the workers out by its own numbers, so some
workers are planned on two machines (the second waits for the first) and some on none. During a
rollout that is normal for as long as it takes.

Give every machine the same settings and the same --of. `dlq run --expect-pool ID` refuses to start
with another pool than the one that `dlq plan` showed.
""",
)

W502 = Rule(
    "W502",
    "a queue has jobs and no living worker",
    """\
Jobs wait on the queue, or lie in the hands of workers that are gone, and no runner of this server
has a worker for it. They stay where they are until one has.

Start the queue's runner. If no configuration names the queue any more, run it until it is empty
with an exact configuration, or drop its jobs with `dlq clear QUEUE`.
""",
)

W503 = Rule(
    "W503",
    "worker numbers without a living worker",
    """\
The configuration gives the queue more workers than are alive: a machine of the pool isn't running,
or its workers die as they start. Its jobs run, but more slowly. Where no runner is alive at all,
that is said once, for all queues together.

Start the machine that is missing, or look into its log. A queue that is not meant to run now has 0
workers in WORKERS.
""",
)

W504 = Rule(
    "W504",
    "one machine of the pool runs more than once",
    """\
Two runners were started with the same --machine of the same pool. The second one's workers wait for
the numbers that the first one holds, and some other machine may be missing.

Give one of them another --machine, or stop it.
""",
)

E505 = Rule(
    "E505",
    "the server has no database of that number",
    """\
LIGHTWEIGHT_QUEUE_REDIS_DATABASE, or the number in REDIS_URL, is one that the server doesn't have:
numbers start at 0, and by default there are 16. Waiting would not help, so a runner doesn't start.

Choose a number below the server's count of databases, or raise `databases` in the server's own
configuration. Several projects can share one database: give each its own REDIS_PREFIX.
""",
)

E506 = Rule(
    "E506",
    "TASKS names dlq, which is not installed",
    """\
A backend of Django's tasks framework is dlq.django_tasks.DlqBackend, and 'dlq' is not in
INSTALLED_APPS: its settings are not checked and no management command of it exists.

Add 'dlq' to INSTALLED_APPS.
""",
)

E507 = Rule(
    "E507",
    "a backend keeps no results",
    """\
TASKS asks for results to be kept, and the backend of a queue that its tasks use cannot keep any: a
task's result would never be found.

Use dlq.backends.reliable_redis.ReliableRedisBackend for that queue, or remove `results` from the
OPTIONS.
""",
)

W508 = Rule(
    "W508",
    "a task runs at once",
    """\
The queue's backend runs a job in the process that enqueues it. That is right for development and
for tests, and not in production: a request waits for its tasks.

Set LIGHTWEIGHT_QUEUE_BACKEND to dlq.backends.reliable_redis.ReliableRedisBackend in production.
""",
)

W509 = Rule(
    "W509",
    "a queue of TASKS has 0 workers",
    """\
QUEUES of a backend in TASKS names a queue for which WORKERS says 0: its tasks wait until somebody
runs the queue.

Give it 1 worker or more, or remove it from QUEUES.
""",
)

W510 = Rule(
    "W510",
    "results are kept for less long than a task may run",
    """\
The record of a task is kept for `results` seconds after its last change, and its start is one. A
task that runs for longer has no record when it ends.

Keep results for longer than the longest timeout.
""",
)

W511 = Rule(
    "W511",
    "a task may run before the request's transaction is committed",
    """\
With ATOMIC_REQUESTS a request's changes become visible at its end, and a task that it enqueues is
stored at once, as the framework says: a worker may run it before, and it is run although the
transaction is rolled back.

Set "on_commit": True in the OPTIONS of the backend, or enqueue with transaction.on_commit.
""",
)

W530 = Rule(
    "W530",
    "a cron row was not enqueued when it was due",
    """\
The scheduler stores when it last enqueued each row. This row's next run after that one was due more
than two minutes ago, and has not been enqueued: no machine schedules cron, or the one that does
cannot reach the server of the row's queue.

Look at `dlq status`: one machine must show CRON yes (machine 1 of a pool, where CRON_MACHINES is
"first"). Start it, or look into its log. Runs that are no later than CRON_CATCH_UP are caught up.
""",
)

W531 = Rule(
    "W531",
    "the last run of a cron row failed",
    """\
The worker stores how each cron command ended. The last run of this row raised, or the command ended
with an exit status other than 0. It runs again when it is next due; until then what it does is not
done.

`dlq failed list --task COMMAND` shows the traceback, `dlq cron run COMMAND` runs it now.
""",
)

E520 = Rule(
    "E520",
    "stored jobs that the code of today would not run",
    """\
`dlq check --jobs` read all waiting, delayed, running and failed jobs, and these don't fit the
functions of this project as it is now: their task is gone, or its parameters have changed since the
jobs were stored. Each would become a failed job when a worker takes it.

Before a deploy, give the new parameter a default, or keep the old name beside the new one until the
old jobs are done. For a renamed task, keep the old name as a second task that calls the new one.
Failed jobs that are of no use any more go with `dlq failed discard`.
""",
)

W532 = Rule(
    "W532",
    "the server may drop jobs when its memory is full",
    """\
The server's maxmemory-policy is not `noeviction`. When its memory is full, `allkeys-…` drops any
key: a queue with all its jobs, or the list of the jobs in hand, without a word.
`volatile-…` drops keys that expire: then a runner that lives counts as dead and its running jobs
are given to others, a pause ends, and a cron row may be enqueued twice.

Set `maxmemory-policy noeviction` for the server, or use one of its own for dlq: caches and queues
need different policies. With `noeviction` a full server rejects new jobs with an error that names
the cause, and workers drain it.
""",
)

W533 = Rule(
    "W533",
    "a backend overrides a private method that is not called any more",
    """\
A subclass of RedisBackend or ReliableRedisBackend defines `_key` or `_processing_key`, by which
django-lightweight-queue 4.11 made the names of its keys. dlq makes them in one place and doesn't
call it, so its workers and its producers use other keys than before.

Set LIGHTWEIGHT_QUEUE_REDIS_PREFIX for a prefix of your own and remove the method. Jobs that wait
under the old names must be run first, or be moved with RENAME.
""",
)

W534 = Rule(
    "W534",
    "failed jobs have been dropped",
    """\
A queue keeps at most FAILED_KEEP failed jobs, and drops the oldest when another one fails. Those
are gone, and what they should have done was not done.

Find out what fails (`dlq failed list --by-error`), and raise LIGHTWEIGHT_QUEUE_FAILED_KEEP if more
must be kept. The count starts again when no failed job of the queue is left: retry or discard them.
""",
)

W536 = Rule(
    "W536",
    "a queue exceeds a limit of dlq status",
    """\
`dlq status --max-age 5m --max-waiting 1000 --max-failed 0` was asked to report queues beyond these
limits, and some are. Each limit is reported once, with the queues that exceed it most; the command
exits with 1, so that a probe can wake somebody.

What helps depends on the cause: a pause (`dlq resume QUEUE`), a missing machine
(`dlq plan --diff live`), too few workers in WORKERS, or jobs that fail
(`dlq failed list --by-error`).
""",
)

W512 = Rule(
    "W512",
    "workers of 4.11 share a server with tasks of Django's framework",
    """\
TASKS names dlq, and workers of django-lightweight-queue 4.11 are connected to the server. They
don't know the tasks of Django's framework: one that takes such a job cannot run it, and restarts
over it.

Stop the old workers, or give the framework's tasks queues that the old workers don't have.
""",
)
