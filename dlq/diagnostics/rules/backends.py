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
