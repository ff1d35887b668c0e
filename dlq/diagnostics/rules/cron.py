"""Rules 2xx: cron.py files and their rows."""

from __future__ import annotations

from dlq.diagnostics.finding import Rule

E201 = Rule(
    "E201",
    "a cron.py does not import",
    """\
The module raised while it was imported, so none of its rows can be scheduled. A cron.py is ordinary
Python and runs as code of the project: a syntax error, a missing import or a setting that it reads
are the usual causes. The finding points at the innermost line of the file that took part.

`python -c "import app.cron"` in the project shows the whole traceback.
""",
)

E202 = Rule(
    "E202",
    "a cron.py has no usable CONFIG",
    """\
`cron.py` in the root of an app holds CONFIG, a sequence (list or tuple) of rows:

    CONFIG = (
        {"command": "expire_baskets", "minutes": "0,30", "hours": "*"},
    )

With one row and no comma after its closing brace, the parentheses hold a dict and no tuple: add the
comma.
""",
)

E203 = Rule(
    "E203",
    "a key that every row needs is missing",
    """\
A row needs `command`, and either `minutes` and `hours` or `schedule`:

    {"command": "sync_stock", "minutes": "*", "hours": "*"}
    {"command": "sync_stock", "schedule": "*/5 9-17 * * 1-5"}

`minutes` and `hours` have no default, so that a row which was meant to run daily doesn't run each
minute: write '*' for each of them.
""",
)

W204 = Rule(
    "W204",
    "a row has a key that is not known",
    """\
The keys of a row are command, minutes, hours, days, schedule, queue, timeout, sigkill_on_stop,
command_args, command_kwargs, timezone and atomic. Any other key has no effect, as in
django-lightweight-queue 4.11, and it is usually one of these misspelt: the row then runs at other
times, or in another way, than it reads.

Options of the management command itself belong in command_kwargs.
""",
)

E205 = Rule(
    "E205",
    "a row's schedule cannot be read",
    """\
`minutes` (0 to 59), `hours` (0 to 23) and `days` (weekdays, 1 to 7 for Monday to Sunday) take a
number, '*', lists ('0,30'), ranges ('9-17'), steps ('*/5', '0-30/10') and any mix of them:
'0,10-20/5'. `schedule` takes the five fields of cron: minute, hour, day of the month, month and
weekday (0 and 7 are Sunday), with names such as JAN and MON.

`dlq cron explain "*/5 9-17 * * 1-5"` says in words what a schedule means, and when it next fires.
""",
)

E206 = Rule(
    "E206",
    "a row's value has the wrong type",
    """\
command, queue and timezone are text; timeout is a number of seconds above 0, or None;
sigkill_on_stop and atomic are True or False; command_args is a list, command_kwargs a dict with
names of options as keys; and a row itself is a dict.
""",
)

E207 = Rule(
    "E207",
    "a row spells its schedule in both ways",
    """\
`schedule` stands instead of `minutes`, `hours` and `days`. A row that has both doesn't say which of
them counts. Keep one.
""",
)

E208 = Rule(
    "E208",
    "a row names a management command that does not exist",
    """\
The command is looked up as `manage.py` does it: in `management/commands` of the installed apps.
Misspelt names, apps that are missing in INSTALLED_APPS, and command modules that raise when they
are imported lead here.

`python manage.py help` lists the commands of the project.
""",
)

W209 = Rule(
    "W209",
    "a cron.py without any row",
    """\
The file exists and its CONFIG is empty, or no row of it could be read, so nothing is scheduled from
it. That is valid, but it is also what a file looks like whose rows were lost.

Delete the file if that is meant.
""",
)

E210 = Rule(
    "E210",
    "a command does not accept the arguments of its row",
    """\
`command_args` and `command_kwargs` are passed to `call_command`, so the command's own argument
parser has the word: unknown options, missing arguments, and values it refuses fail there. dlq asks
the parser without running the command.

`python manage.py help COMMAND` lists what it takes; option names are written without the dashes:
{"command_kwargs": {"dry_run": True}}.
""",
)

E211 = Rule(
    "E211",
    "a row has arguments that JSON cannot carry",
    """\
A cron run is a job, and a job is stored as JSON: text, numbers, booleans, None, lists, and dicts
with text as keys. Dates, sets, bytes, NaN and model instances do not survive that.
""",
)

E212 = Rule(
    "E212",
    "a row names a time zone that does not exist",
    """\
Time zones have the names of the IANA database: Europe/London, America/New_York, UTC. Abbreviations
such as CEST, and offsets such as +02:00, are none: they don't say when clocks change.

On a machine without a time zone database of its own, install the package tzdata.
""",
)

W213 = Rule(
    "W213",
    "the same row is there twice",
    """\
Two rows have the same command, arguments, schedule, time zone and queue. They are one row to the
scheduler, which enqueues a (row, minute) once. The finding names both places.

Remove one. To run a command twice, give the rows different arguments or queues.
""",
)

W214 = Rule(
    "W214",
    "a row never fires",
    """\
No day matches the schedule, such as the 31st of February. The row is valid and without effect.

Name a day that comes, or L for a month's last one, as in '0 3 L * *'; or remove the row.
""",
)

W215 = Rule(
    "W215",
    "a row fires more often than its timeout allows",
    """\
The row may run longer than the time between two of its runs. A slow run then has the next one
waiting behind it, or, where its queue has more workers, running beside it.

Give it a timeout shorter than that time, or a schedule that leaves room. If the command is quick
and the timeout only generous, lower the timeout.
""",
)

W216 = Rule(
    "W216",
    "no worker takes from a row's queue",
    """\
The row fires, and its jobs wait: no worker of any machine of the plan takes from its queue. That is
the case where LIGHTWEIGHT_QUEUE_WORKERS gives the queue 0 workers, or --only-queue leaves it out.

Give the queue a worker in LIGHTWEIGHT_QUEUE_WORKERS, or the row another `queue`.
""",
)

I217 = Rule(
    "I217",
    "something about a cron.py could not be checked",
    """\
The check went as far as it could and says here where it ended. Without Django (--no-django) the
file is read and not run: commands and their arguments cannot be looked up, and values that are
computed are not known. With Django, a command whose parser cannot be built at check time is left
out.

Run `dlq check` inside the project to check everything.
""",
)

W218 = Rule(
    "W218",
    "an app's cron module has no CONFIG",
    """\
The installed app has a module or package called `cron`, and no name CONFIG in it. Where it is meant
for dlq, its rows have another name, and nothing is scheduled from it. Other packages look for
`cron.py` too: where it is meant for one of those, there is nothing to do.

To say so for good, silence the finding: SILENCED_SYSTEM_CHECKS = ["dlq.W218"].
""",
)

W219 = Rule(
    "W219",
    "a step is above the range of its field",
    """\
`*/90` in the minutes is not every 90 minutes: a step counts within its field, from 0 to 59, and
starts again with each hour. So it matches minute 0 alone, and the row fires once an hour.

Write the times: every 90 minutes is "0 0-21/3 * * *" and "30 1-22/3 * * *", in two rows.
""",
)
