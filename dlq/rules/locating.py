"""Rules 0xx: finding the settings, the override files and the variables that hold them."""

from __future__ import annotations

from dlq.findings import Rule

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
AppConfig raise. Tasks and cron rows are not looked at before that is mended.

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

Mend the module, or list the app in LIGHTWEIGHT_QUEUE_IGNORE_APPS if its `tasks` module has another
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
