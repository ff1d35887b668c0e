"""Rules 0xx: finding the settings, the override files and the variables that hold them."""

from __future__ import annotations

from dlq.diagnostics.finding import Rule

E001 = Rule(
    "E001",
    "Django has no settings",
    """\
dlq reads its settings from the Django settings, and none are configured in this process: there is
no DJANGO_SETTINGS_MODULE, and nothing called django.conf.settings.configure().

    export DJANGO_SETTINGS_MODULE=shop.settings
""",
)

W002 = Rule(
    "W002",
    "the name of a setting is not known",
    """\
A name that starts like a setting of dlq is none: it is misspelt, or belongs to another version. It
has no effect, so the default holds in its place. Names are looked at in the Django settings, in
Python override files and in the environment; in TOML and JSON override files an unknown key is the
error dlq.E010.

`dlq config show` lists the settings that there are.
""",
)

E003 = Rule(
    "E003",
    "an override file cannot be read",
    """\
A file that --config (or --extra-settings) names doesn't exist or may not be read. Nothing runs
without it, since the configuration would be another one. A path is relative to the directory that
the command runs in; the finding shows both forms.
""",
)

E004 = Rule(
    "E004",
    "an override file has a syntax error",
    """\
The file is no valid Python, TOML or JSON (as its suffix says), is not UTF-8, or its JSON is no
object. The finding shows the line. TOML is recommended: it holds no code, and `dlq config schema`
lets an editor complete and check it.
""",
)

E005 = Rule(
    "E005",
    "an override file raises",
    """\
A Python override file is executed when it is read, like a Django settings module, and this one
raised. The finding shows the exception and the deepest line of the file that took part. The
directory of the file is not put on the import path.
""",
)

E006 = Rule(
    "E006",
    "an environment variable cannot be understood",
    """\
The text of a variable is read by the type of its setting:

    LIGHTWEIGHT_QUEUE_WORKERS='emails=3,images=2'           or as JSON: '{"emails": 3}'
    LIGHTWEIGHT_QUEUE_MIDDLEWARE='a.b.First,a.b.Second'     or as JSON: '["a.b.First"]'
    LIGHTWEIGHT_QUEUE_ATOMIC_JOBS=no                        true/false, 1/0, yes/no, on/off
    LIGHTWEIGHT_QUEUE_STOP_TIMEOUT=none                     where the setting may be None

A variable that is set replaces the setting as a whole, so an unreadable one is an error and not
passed over. An empty variable counts as unset: '{}' and '[]' are an empty table and an empty list.
""",
)

E007 = Rule(
    "E007",
    "an environment variable holds bytes that are no text",
    """\
The variable has a NUL byte, or bytes that are not UTF-8. Nothing of it is used. The finding says
at which byte, counted from 0.
""",
)

W008 = Rule(
    "W008",
    "others can write an override file",
    """\
An override file decides what code runs: Python files are executed, and all kinds name classes that
are imported. Whoever can write this file can therefore run code as the user of the workers.

    chmod go-w FILE
""",
)

W009 = Rule(
    "W009",
    "a name without prefix in an override file",
    """\
In Python override files as in the Django settings, a setting's name starts with LIGHTWEIGHT_QUEUE_.
A name without it, REDIS_PORT for instance, has no effect. With --exact-configuration that is the
error dlq.E010.
""",
)

E010 = Rule(
    "E010",
    "a name in an override file that has no effect, where each name must have one",
    """\
Every key of a TOML or JSON override file is a setting of dlq, by its name in lower case and without
LIGHTWEIGHT_QUEUE_. A key that is none is misspelt, and the value that was meant would not count.

The override file of --exact-configuration is the whole truth about what the machine runs. A setting
in it that has no effect, because its prefix is missing or its name is misspelt, would start other
workers than the file says, so it is an error in a Python file too.

`dlq config show` lists the settings, `dlq config schema` prints a JSON Schema for editors.
""",
)

E011 = Rule(
    "E011",
    "the kind of an override file is not known",
    """\
The suffix says how an override file is read: .py is executed as Python, .toml and .json are read as
data. There is no YAML: TOML says the same with fewer surprises.

    [workers]
    emails = 3
""",
)

E021 = Rule(
    "E021",
    "there is no such Django settings module",
    """\
The module that --settings, DJANGO_SETTINGS_MODULE, [tool.dlq] in pyproject.toml or manage.py names
cannot be found. The directory of manage.py or pyproject.toml is put on the import path; a module
that lies elsewhere needs PYTHONPATH.

Run dlq in the project's directory, or say `dlq --settings shop.settings plan`.
""",
)

E022 = Rule(
    "E022",
    "the Django settings module raises",
    """\
The module was found, and raised while it was imported, so there are no settings to work with. The
finding points at the deepest line of the project that took part.

`python -c "import shop.settings"` shows the whole traceback.
""",
)

E023 = Rule(
    "E023",
    "Django cannot load the installed apps",
    """\
django.setup() raised: an app of INSTALLED_APPS doesn't exist, is listed twice, or its models or its
AppConfig raise. Tasks and cron rows are not looked at before that is fixed.

`python manage.py check` shows the whole traceback.
""",
)

E024 = Rule(
    "E024",
    "a module with tasks does not import",
    """\
Every installed app's `tasks` module is imported when the workers start, so that its tasks can be
found by the jobs that name them. This one raised. Workers are not started without it: each of its
jobs would become a failed job.

Fix the module, or list the app in LIGHTWEIGHT_QUEUE_IGNORE_APPS if its `tasks` module has another
purpose.
""",
)

W025 = Rule(
    "W025",
    "dlq is not an installed app",
    """\
Without 'dlq' in INSTALLED_APPS (the old name 'django_lightweight_queue' does as well) the manage.py
commands and the system checks are missing, and a web process doesn't import the tasks modules.

Add 'dlq' to INSTALLED_APPS.
""",
)

E026 = Rule(
    "E026",
    "the old package's name is not dlq's",
    """\
dlq brings a package django_lightweight_queue, whose names are dlq's own: code of 4.11 imports it,
and stored cron jobs name a task in it. The distribution django-lightweight-queue has a package of
the same name. Where it is installed beside dlq, the files of one lie over those of the other, and
removing it takes the files of both away.

Uninstall django-lightweight-queue, and then install dlq again:

    pip uninstall django-lightweight-queue
    pip install --force-reinstall --no-deps dlq
""",
)

W027 = Rule(
    "W027",
    "the URLconf does not import",
    """\
ROOT_URLCONF is imported to find the tasks of modules that only views import, as
django-lightweight-queue 4.11 did by running Django's system checks. It raised, so queues that such
tasks imply are missing in the plan, and other machines of the pool may find them.

`python manage.py check` shows the whole traceback.
""",
)

W028 = Rule(
    "W028",
    "a task is where workers may not import it",
    """\
A job names its task by module and name, and whoever can write to the server chooses the name. So a
worker imports only modules of installed apps and those of LIGHTWEIGHT_QUEUE_TASK_MODULES. This task
is known here because something has imported its module; a worker that has not done so makes its
jobs failed jobs.

Add the package to INSTALLED_APPS, or list the module in LIGHTWEIGHT_QUEUE_TASK_MODULES.
""",
)

W029 = Rule(
    "W029",
    "modules of a tasks package are not imported",
    """\
The app has a package `tasks`. Importing a package doesn't import its modules: tasks that are
declared in one that nothing imports imply no queue, so the plan has no worker for them.

Import the module in the package's `__init__.py`.
""",
)
