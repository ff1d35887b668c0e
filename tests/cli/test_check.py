"""`dlq check` and `dlq explain`: all mistakes at once, and what was looked at."""

from __future__ import annotations

import re

import pytest

from dlq.diagnostics.rules import RULES
from tests.cli.conftest import Project

BROKEN = """\
LIGHTWEIGHT_QUEUE_WORKERS = {
    "emails": 3,
    "images": -1,
}

LIGHTWEIGHT_QUEUE_REDIS_PROT = 1
"""
BROKEN_CRON = """\
CONFIG = (
    {"command": "expire_baskets", "minutes": "0,60", "hours": "*"},
    {"command": "nightly_report", "minute": "15", "minutes": "1", "hours": "3"},
)
"""


def test_a_good_project_says_what_was_looked_at(project: Project) -> None:
    answer = project.dlq("check")
    assert answer.code == 0, answer
    assert re.fullmatch(
        r"Checked \d\d settings, 3 cron rows in 1 file, 2 tasks in 1 app: no mistakes found\.\n",
        answer.out,
    )


def test_all_mistakes_at_once_with_line_and_carets(project: Project) -> None:
    project.write("config/broken.py", BROKEN)
    project.write("orders/cron.py", BROKEN_CRON)
    answer = project.dlq("check", "--config", "config/broken.py")
    assert answer.code == 1
    assert answer.err == ""
    assert (
        "error[dlq.E101]: LIGHTWEIGHT_QUEUE_WORKERS['images'] is -1: a queue cannot have fewer"
        " than 0 workers\n"
        " --> config/broken.py:3:15\n"
        "  |\n"
        '3 |     "images": -1,\n'
        "  |               ^^\n"
        "  = help: use 0 to stop running this queue, or remove the entry\n"
    ) in answer.out
    assert (
        " --> orders/cron.py:2:46\n"
        "  |\n"
        '2 |     {"command": "expire_baskets", "minutes": "0,60", "hours": "*"},\n'
        "  |                                              ^^^^^^\n"
    ) in answer.out
    answer.has(
        "warning[dlq.W204]: unknown key 'minute' in cron row 2 has no effect",
        "help: did you mean 'minutes'?",
        "warning[dlq.W002]: unknown setting LIGHTWEIGHT_QUEUE_REDIS_PROT",
    )
    assert re.search(
        r"^Checked \d\d settings, 2 cron rows in 1 file, 2 tasks in 1 app:"
        r" \d errors, 2 warnings\.$",
        answer.out,
        re.MULTILINE,
    )


def test_the_plan_of_a_pool_is_checked_too(project: Project) -> None:
    project.dlq("check", "--of", "30").has("warning[dlq.W301]", code=0)
    project.dlq("check", "--of", "30", "--fail-on", "warning").has(code=1)
    project.dlq("check", "--of", "0").has("at least 1 machine", code=2)


def test_machine_formats(project: Project) -> None:
    project.write("config/broken.py", BROKEN)
    words = ("check", "--config", "config/broken.py", "--format")
    answer = project.dlq(*words, "json")
    assert answer.json["findings"][0]["id"] == "dlq.E101"
    assert answer.err.startswith("Checked ")
    answer = project.dlq(*words, "concise")
    assert answer.out.startswith("config/broken.py:3:15: error dlq.E101 ")
    answer = project.dlq(*words, "github")
    assert answer.out.startswith("::error file=config/broken.py,line=3,endLine=3,col=15,")
    answer = project.dlq(*words, "sarif")
    assert answer.json["version"] == "2.1.0"
    assert answer.code == 1


def test_single_files(project: Project) -> None:
    project.write("orders/cron.py", BROKEN_CRON)
    project.dlq("check", "orders/cron.py").has("dlq.W204", "Checked 2 cron rows in 1 file", code=1)
    project.dlq("check", "--no-django", "orders/cron.py").has("dlq.E205", "dlq.I217", code=1)
    project.dlq("check", "nope/cron.py").has("nope/cron.py", code=2)
    project.dlq("check", "--no-django").has("--no-django checks single files", code=2)


def test_a_missing_override_file_is_told_as_given_and_absolute(project: Project) -> None:
    project.dlq("check", "--config", "config/nope.py").has(
        "config/nope.py", str(project.directory / "config/nope.py"), code=2
    )


def test_e021_no_such_settings_module(project: Project) -> None:
    project.dlq("check", "--settings", "shop.setings").has(
        "error[dlq.E021]: there is no settings module 'shop.setings'", code=2
    )


def test_e022_settings_that_raise(project: Project) -> None:
    project.write("shop/settings.py", "import os\n\nNAME = os.environ['NOT_THERE']\n")
    project.dlq("check").has(
        "error[dlq.E022]: settings module shop.settings raises: KeyError: 'NOT_THERE'",
        "--> shop/settings.py:3",
        code=1,
    )
    project.write("shop/settings.py", "A = 1\nB = = 2\n")
    project.dlq("check").has("error[dlq.E022]", "--> shop/settings.py:2:5", "^", code=1)
    project.write("shop/settings.py", "import nothing_like_this\n")
    project.dlq("check").has("error[dlq.E022]", "--> shop/settings.py:1", code=1)


def test_e023_apps_that_do_not_load(project: Project) -> None:
    project.add_settings('INSTALLED_APPS = ["dlq", "orderz"]')
    project.dlq("check").has(
        "error[dlq.E023]: Django cannot load the apps of INSTALLED_APPS",
        "\n --> shop/settings.py:4:26\n",
        '4 | INSTALLED_APPS = ["dlq", "orderz"]',
        code=1,
    )


def test_e023_dlq_by_both_of_its_names(project: Project) -> None:
    project.add_settings('INSTALLED_APPS = ["dlq", "orders", "django_lightweight_queue"]')
    project.dlq("check").has(
        "INSTALLED_APPS names dlq twice", "\n --> shop/settings.py:4:36\n", code=1
    )


def test_e023_an_app_that_raises(project: Project) -> None:
    project.write("orders/models.py", "import nothing_like_this\n")
    project.dlq("check").has(
        "error[dlq.E023]: Django cannot load", "nothing_like_this", "--> orders/models.py:1", code=1
    )


def test_e024_tasks_that_do_not_import(project: Project) -> None:
    project.write("orders/tasks.py", "from dlq import task\nimport nothing_like_this\n")
    answer = project.dlq("check")
    answer.has(
        "error[dlq.E024]: cannot import orders.tasks: ModuleNotFoundError: No module named"
        " 'nothing_like_this'",
        "--> orders/tasks.py:2",
        "3 cron rows in 1 file",
        code=1,
    )


def test_w025_dlq_is_not_installed(project: Project) -> None:
    project.add_settings('INSTALLED_APPS = ["orders"]')
    project.dlq("check").has("warning[dlq.W025]: dlq is not in INSTALLED_APPS", code=0)


def test_secrets_are_in_no_output(project: Project) -> None:
    project.write(
        "config/secret.py",
        "LIGHTWEIGHT_QUEUE_REDIS_PASSWORD = 8675309\n"
        "LIGHTWEIGHT_QUEUE_REDIS_URL = 'redis://:8675309@h:bad/0'\n",
    )
    for words in (
        ["check", "--config", "config/secret.py", "--format", name]
        for name in ("text", "concise", "json", "github", "sarif")
    ):
        answer = project.dlq(*words)
        assert "8675309" not in answer.out + answer.err
        assert answer.code == 1
    for words in (["config", "show"], ["config", "explain", "REDIS_URL"], ["plan"]):
        answer = project.dlq(*words, "--config", "config/secret.py")
        assert "8675309" not in answer.out + answer.err


def test_django_system_checks_tell_the_same(project: Project) -> None:
    project.add_settings('LIGHTWEIGHT_QUEUE_WORKERS = {"images": -1}')
    answer = project.manage("check", "--tag", "dlq")
    assert answer.code == 1
    answer.has("(dlq.E101)", "shop/settings.py:4:40", "HINT: use 0 to stop")
    project.add_settings('SILENCED_SYSTEM_CHECKS = ["dlq.E101"]')
    assert project.manage("check", "--tag", "dlq").code == 0


def test_control_characters_of_a_file_are_escaped(project: Project) -> None:
    project.write("config/odd.py", 'LIGHTWEIGHT_QUEUE_WORKERS = {"a\x1b[31m\u202e": 1}\n')
    answer = project.dlq("check", "--config", "config/odd.py")
    assert "\x1b" not in answer.out
    assert "\u202e" not in answer.out
    assert answer.code == 1


@pytest.mark.parametrize("code", sorted(RULES))
def test_explain_has_a_text_for_each_id(code: str) -> None:
    rule = RULES[code]
    assert rule.title
    assert len(rule.text) > 80
    assert rule.text.endswith("\n")


def test_explain(project: Project) -> None:
    for name in ("W204", "dlq.e204"):
        project.dlq("explain", name).has("warning[dlq.W204]", RULES["W204"].text, code=0)
    project.dlq("explain", "E2O5").has("no finding has the id 'E2O5': did you mean E205", code=2)


def test_w409_sqlite_with_several_workers(project: Project) -> None:
    database = '"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"'
    project.add_settings(f'DATABASES = {{"default": {{{database}}}}}')
    project.dlq("check").has(
        "warning[dlq.W409]: DATABASES['default'] is SQLite with transaction_mode DEFERRED",
        "--> shop/settings.py",
        '"OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20}',
    )
    project.environment["LIGHTWEIGHT_QUEUE_WORKERS"] = "emails=1,images=0,default=0"
    project.write("orders/cron.py", "CONFIG = ()\n")
    assert "W409" not in project.dlq("check").err
    del project.environment["LIGHTWEIGHT_QUEUE_WORKERS"]
    options = '"OPTIONS": {"transaction_mode": "immediate"}'
    project.add_settings(f'DATABASES = {{"default": {{{database}, {options}}}}}')
    assert "W409" not in project.dlq("check").err


@pytest.mark.parametrize("end", ["sys.exit(0)", "sys.exit('enough')", "raise GeneratorExit"])
@pytest.mark.parametrize(
    ("file", "rule"), [("shop/settings.py", "dlq.E022"), ("orders/tasks.py", "dlq.E024")]
)
def test_a_module_that_exits_is_a_finding(project: Project, file: str, rule: str, end: str) -> None:
    """Whatever its exit code: 0 would be green in CI."""
    project.write(file, f"import sys\n{end}\n")
    kind = "GeneratorExit" if "raise" in end else "SystemExit"
    for verb, code in (("check", 1), ("plan", 1), ("run", 78)):
        project.dlq(verb).has(f"error[{rule}]", kind, f"--> {file}:2", code=code)
