"""Rules 4xx: starting and running processes."""

from __future__ import annotations

from dlq.diagnostics.finding import Rule

E401 = Rule(
    "E401",
    "metrics are enabled and prometheus-client is not installed",
    """\
LIGHTWEIGHT_QUEUE_ENABLE_PROMETHEUS is true, and the package that measures and serves is missing: it
is an extra of dlq.

    pip install 'dlq[metrics]'
""",
)

E402 = Rule(
    "E402",
    "PRELOAD = False, and the settings cannot be handed to a new interpreter",
    """\
With PRELOAD = False each worker is a fresh Python interpreter, which is sent the settings in force.
A LOGGER_FACTORY that is a lambda or a local function cannot be sent.

Set LIGHTWEIGHT_QUEUE_LOGGER_FACTORY to the dotted path of a function.
""",
)

W403 = Rule(
    "W403",
    "a queue has jobs and no worker",
    """\
Jobs lie on a queue of this server that no worker of the configuration takes from, and no other
runner seems to. The queue may have been removed from LIGHTWEIGHT_QUEUE_WORKERS while jobs waited,
or jobs were enqueued under a name that nobody serves. It is looked for when a runner starts.

Run the queue until it is empty, with an exact configuration for instance, or clear it:
`dlq clear QUEUE`.
""",
)

W404 = Rule(
    "W404",
    "a port that metrics need is in use",
    """\
With ENABLE_PROMETHEUS a machine serves /worker_config on PROMETHEUS_START_PORT, and each of its
workers its metrics on a port after it. Another process listens on one of these ports now: another
runner of this host, or another service. The workers run, and the metrics of that port are missing.

Stop the other process, or choose another range with LIGHTWEIGHT_QUEUE_PROMETHEUS_START_PORT. Two
runners on one host need ranges that don't overlap.
""",
)

W406 = Rule(
    "W406",
    "threads run in the supervisor when it forks its workers",
    """\
With PRELOAD the supervisor imports the project once and forks each worker from itself. A fork
copies memory, and no thread but the one that forks: a thread that was started while the project was
imported (by a client of a metrics or tracing service, by `AppConfig.ready`) runs in the supervisor
and in no worker. A lock that such a thread holds at that moment stays locked in the worker for
ever; a worker that hangs at its start is killed and replaced after 30 s.

Start threads when they are first used, or in `os.register_at_fork(after_in_child=...)`; or set
LIGHTWEIGHT_QUEUE_PRELOAD = False, so that each worker is an interpreter of its own.
""",
)

W407 = Rule(
    "W407",
    "workers end as soon as they are started",
    """\
A runner starts these workers again and again, in pauses that grow to 30 s, and each of them ends
before it has run a job. The text says how the last one ended: what a middleware or a backend raises
when it is made, for instance. Workers of one cause are reported together.

Fix the cause. Where the code is loaded once (PRELOAD, the default), the runner must be reloaded to
see the new code: send HUP to it.
""",
)

W408 = Rule(
    "W408",
    "a runner has lost its supervisor",
    """\
The supervisor was killed (by the kernel for want of memory, or with SIGKILL). Its workers notice
that, finish the job that they run, and end; its heartbeat process keeps their numbers until then,
and ends jobs that are over their timeout.

Start the runner again. Its workers wait for the numbers that are still in use, and take them over
one by one. Look into the log of the kernel and of the service manager for what killed it.
""",
)

W409 = Rule(
    "W409",
    "several workers write to one SQLite file, and transactions begin without its lock",
    """\
SQLite has one writer at a time. A transaction that begins with a read and writes later (the mode
DEFERRED, Django's default) asks for the lock when it writes; if another process has written
meanwhile, SQLite refuses at once with "database is locked", whatever `timeout` says. With several
workers that happens to jobs again and again.

A transaction that takes the lock when it begins waits for it, up to `timeout` seconds:

    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": BASE_DIR / "db.sqlite3",
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
        }
    }

Or use a database server, which has more than one writer.
""",
)
