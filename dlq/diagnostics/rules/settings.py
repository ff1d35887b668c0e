"""Rules 1xx: the values of settings."""

from __future__ import annotations

from dlq.diagnostics.finding import Rule

E101 = Rule(
    "E101",
    "a queue has a number of workers that it cannot have",
    """\
LIGHTWEIGHT_QUEUE_WORKERS says for each queue how many workers it has over the whole pool: a whole
number from 0 to 1024. Text is not a number ('3'), and neither are True and None.

    LIGHTWEIGHT_QUEUE_WORKERS = {"emails": 3, "images": 0}

0 keeps the queue and runs no worker for it; an entry that is removed leaves it to the tasks and
cron rows that name the queue, which imply 1 worker.
""",
)

W101 = Rule(
    "W101",
    "a queue has 0 workers",
    """\
Jobs that are enqueued on this queue wait until it is given a worker. That is how a queue is
switched off for a while, and it is easily forgotten: `dlq status` shows how long its oldest job has
waited.
""",
)

E102 = Rule(
    "E102",
    "a queue cannot have this name",
    """\
A queue's name becomes part of keys on the server, and 4.11 finds some of those by pattern and by
suffix. So a name has no blanks, no control characters and none of * ? [ ] ^ \\, doesn't end in
":pause", and doesn't contain ":processing:".

    LIGHTWEIGHT_QUEUE_WORKERS = {"order-emails": 3}
""",
)

W102 = Rule(
    "W102",
    "queues whose names differ only in case",
    """\
Names are compared letter by letter, so 'Emails' and 'emails' are two queues: what is enqueued on
one is not taken by the workers of the other. One of them is usually a slip.
""",
)

E103 = Rule(
    "E103",
    "a setting has a value of the wrong type",
    """\
A value is converted only where there is no doubt about what it stands for: the text '6379' is a
number, as in os.environ.get("REDIS_PORT", 6379), 0 and 1 are False and True, and None is the
default of a single value. 'no' is not False, True is not 1, and a single path is not a list of
paths. In WORKERS, whose counts decide what runs, text is not a number either. The environment,
which has nothing but text, is read by the type of the setting.

`dlq config explain NAME` says what a setting is for, and where its value comes from.
""",
)

E104 = Rule(
    "E104",
    "a setting is out of its range",
    """\
The value has the right type, and is not among those that the setting can have. The finding says
which ones are allowed. Every number has an upper bound: far beyond it a queue would stop with an
overflow, on the server or in a system call.
""",
)

E105 = Rule(
    "E105",
    "a setting's text cannot be what it stands for",
    """\
REDIS_HOST is a host name or an address and no URL (that is REDIS_URL), PROMETHEUS_ADDRESS an IP
address, SITE_URL an http or https URL, CRON_TIMEZONE the IANA name of a time zone such as
Europe/Berlin.
""",
)

E106 = Rule(
    "E106",
    "REDIS_URL is not the URL of a server",
    """\
REDIS_URL names the server in one piece:

    redis://user:password@redis.internal:6379/0     plain TCP
    rediss://redis.internal:6380/0                  TLS; ?ssl_ca_certs=FILE and the like may follow
    unix:///run/valkey/valkey.sock?db=0             a socket of this machine

valkey:// and valkeys:// are other names of the first two. In a user name or password, write / as
%2F, @ as %40 and : as %3A. No finding shows the URL, because a password may be in it.
""",
)

E107 = Rule(
    "E107",
    "REDIS_URL and its parts in one source",
    """\
REDIS_URL says host, port, password and database. Where one source (the Django settings, one
override file, the environment) sets it beside REDIS_HOST, REDIS_PORT, REDIS_PASSWORD or
REDIS_DATABASE, it is not clear which counts. Keep one of the two. The Django settings are one
source also where they are written in several files, such as base.py and production.py: the finding
names both.

In different sources the higher one counts, as always: a REDIS_URL in the environment replaces the
parts in the Django settings, and the other way round.
""",
)

E108 = Rule(
    "E108",
    "the server is given less time than a worker waits for a job",
    """\
An idle worker asks the server for a job and waits up to DEQUEUE_TIMEOUT seconds for the answer. If
REDIS_SOCKET_TIMEOUT is not longer, each wait that finds no job ends as a connection error.
""",
)

W109 = Rule(
    "W109",
    "a part of the server's address replaces REDIS_URL",
    """\
One source sets REDIS_URL, and a higher one sets REDIS_HOST, REDIS_PORT, REDIS_PASSWORD or
REDIS_DATABASE. The higher source wins, so the URL is not used at all, and the parts that nobody set
have their defaults: a password from the environment doesn't go into a URL from the settings.

Set REDIS_URL in the higher source too, or use the parts in both.
""",
)

E110 = Rule(
    "E110",
    "not a dotted path",
    """\
A class or function is named by its dotted path: package.module.Class. The backends of dlq:

    dlq.backends.reliable_redis.ReliableRedisBackend    at least once; recommended
    dlq.backends.redis.RedisBackend                     at most once
    dlq.backends.synchronous.SynchronousBackend         runs jobs at once, for development
    dlq.backends.debug_web.DebugWebBackend              shows a link that runs the job
""",
)

E111 = Rule(
    "E111",
    "a backend cannot be imported",
    """\
LIGHTWEIGHT_QUEUE_BACKEND, or an entry of LIGHTWEIGHT_QUEUE_BACKEND_OVERRIDES, names a class that
isn't there, or lies in a module that raises when it is imported. The finding says which of both,
and where the module raises. Paths of the old package django_lightweight_queue are understood.
""",
)

E112 = Rule(
    "E112",
    "a class is not a backend",
    """\
A backend is a subclass of dlq.backends.base.BaseBackend in which no abstract method is left. It is
made without arguments, or with one called `settings`, if its constructor has that.
""",
)

E113 = Rule(
    "E113",
    "a middleware cannot be imported",
    """\
LIGHTWEIGHT_QUEUE_MIDDLEWARE is a list of dotted paths of classes, and one of them isn't there, is
not callable, or lies in a module that raises when it is imported. Workers are not started without
it: a middleware may hold a lock or a tenant that jobs rely on.
""",
)

W114 = Rule(
    "W114",
    "a middleware without any hook",
    """\
A middleware is called by its methods process_job(job, queue, worker_num), process_result(job,
result, time_taken) and process_exception(job, time_taken, *exc_info). This class has none of them,
so it is never called: a name is misspelt, or it is a middleware for web requests.
""",
)

I115 = Rule(
    "I115",
    "TransactionMiddleware has been replaced by ATOMIC_JOBS",
    """\
The default settings of django-lightweight-queue 4.11.0 name this middleware, which that release
doesn't ship. Jobs run in a transaction without it: LIGHTWEIGHT_QUEUE_ATOMIC_JOBS is True by
default, and @task(atomic=False) says otherwise for one task. The name is accepted and does nothing.
""",
)

E116 = Rule(
    "E116",
    "LOGGER_FACTORY does not give loggers",
    """\
LIGHTWEIGHT_QUEUE_LOGGER_FACTORY is a function, or the dotted path of one, that is given a name and
returns an object with the methods of a logger. The default is logging.getLogger. It is called once
by this check.
""",
)

W117 = Rule(
    "W117",
    "BACKEND_OVERRIDES names a queue that does not exist",
    """\
LIGHTWEIGHT_QUEUE_BACKEND_OVERRIDES gives single queues another backend. This one is neither in
WORKERS nor named by a task or a cron row. Calls may still name it
(`task(django_lightweight_queue_queue="...")`); otherwise the entry has no effect, and the queue
that was meant uses BACKEND.
""",
)

E118 = Rule(
    "E118",
    "the ports for metrics do not fit",
    """\
With ENABLE_PROMETHEUS a machine serves /worker_config on PROMETHEUS_START_PORT, and each of its
workers serves its metrics on a port of its own after that. So a machine with n workers needs n + 1
ports up to 65535, and none of them may be the port of a Redis server on the same machine.
""",
)

W119 = Rule(
    "W119",
    "IGNORE_APPS names an app that is not installed",
    """\
LIGHTWEIGHT_QUEUE_IGNORE_APPS lists apps whose tasks modules dlq doesn't import, by the full
dotted name that INSTALLED_APPS has for them. This entry matches none, so it has no effect: the
module that it was meant for is imported.
""",
)

W120 = Rule(
    "W120",
    "metrics are enabled and prometheus-client is not installed here",
    """\
LIGHTWEIGHT_QUEUE_ENABLE_PROMETHEUS is true, and the package that measures and serves is missing on
this machine. Where the workers run, that keeps them from starting (dlq.E401); on a machine that
only checks it does no harm.

    pip install 'dlq[metrics]'
""",
)

W121 = Rule(
    "W121",
    "metrics are served on every interface",
    """\
LIGHTWEIGHT_QUEUE_PROMETHEUS_ADDRESS is an address that stands for all interfaces of the machine, so
whoever can reach it can read the names of queues and how long jobs take. 4.11 did this always.

Use the address of the interface that Prometheus comes in by, or keep a firewall before it.
""",
)

W122 = Rule(
    "W122",
    "Django's SITE_URL is no URL",
    """\
The debug backend makes links from LIGHTWEIGHT_QUEUE_SITE_URL, or from Django's own SITE_URL where
that is not set. Another app may mean something else by SITE_URL: here it is no http or https URL,
so the default is used.

Set LIGHTWEIGHT_QUEUE_SITE_URL.
""",
)

W123 = Rule(
    "W123",
    "TASK_MODULES names a module that does not exist",
    """\
LIGHTWEIGHT_QUEUE_TASK_MODULES lists modules outside the installed apps that hold tasks. This one
cannot be found, so jobs that name a task in it become failed jobs.

Give the dotted name under which the project imports the module.
""",
)
