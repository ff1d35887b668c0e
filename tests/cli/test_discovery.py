"""What `plan` and `check` find, and say about tasks and queues that they would else miss."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Project

TASK = "from dlq import task\n\n@task('{queue}')\ndef {name}():\n    pass\n"


def test_tasks_that_only_the_urlconf_imports_have_workers_as_in_411(project: Project) -> None:
    project.write("orders/views.py", TASK.format(queue="from-views", name="viewed"))
    project.write("shop/urls.py", "import orders.views\nurlpatterns = []\n")
    project.add_settings('ROOT_URLCONF = "shop.urls"')
    project.dlq("plan").has("from-views", "orders/views.py:3", code=0)
    project.write("shop/urls.py", "1 / 0\n")
    project.dlq("check").has(
        "warning[dlq.W027]: cannot import the URLconf shop.urls: ZeroDivisionError",
        "shop/urls.py:1",
        code=0,
    )


def test_a_task_that_no_worker_may_import_is_reported(project: Project) -> None:
    project.write("loose.py", TASK.format(queue="default", name="lost"))
    project.write("shop/urls.py", "import loose\nurlpatterns = []\n")
    project.add_settings('ROOT_URLCONF = "shop.urls"')
    project.dlq("check").has(
        "warning[dlq.W028]: loose.lost is in loose, which is no module of an installed app",
        "loose.py:3",
        "LIGHTWEIGHT_QUEUE_TASK_MODULES = ['loose']",
        code=0,
    )
    project.add_settings("LIGHTWEIGHT_QUEUE_TASK_MODULES = ['loose', 'lose']")
    answer = project.dlq("check").has(
        "warning[dlq.W123]: LIGHTWEIGHT_QUEUE_TASK_MODULES names 'lose', and there is no", code=0
    )
    assert "W028" not in answer.out


def test_modules_of_a_tasks_package_that_nothing_imports_are_reported(project: Project) -> None:
    (project.directory / "orders" / "tasks.py").unlink()
    project.write("orders/tasks/__init__.py", "from orders.tasks import mail\n")
    project.write("orders/tasks/mail.py", TASK.format(queue="default", name="send"))
    project.write("orders/tasks/bills.py", TASK.format(queue="bills", name="bill"))
    project.write("orders/tasks/words.py", "TASK = 1\n")
    answer = project.dlq("check").has(
        "warning[dlq.W029]: orders.tasks.bills has tasks, and nothing imports it",
        "from orders.tasks import bills",
        code=0,
    )
    assert "words" not in answer.out


def test_a_queue_that_is_misspelt_in_workers_is_reported(project: Project) -> None:
    project.add_settings(
        'LIGHTWEIGHT_QUEUE_WORKERS = {\n    "wehbooks": 6,\n    "webhooks1": 1,\n}'
    )
    answer = project.dlq("check").has(
        "warning[dlq.W310]: no task and no cron row names queue 'wehbooks', which has 6 workers",
        "did you mean 'webhooks'?",
        code=0,
    )
    assert "webhooks1" not in answer.out


def test_a_queue_that_is_misspelt_in_a_task_is_reported(project: Project) -> None:
    project.add_settings('LIGHTWEIGHT_QUEUE_WORKERS = {"webhooks": 2, "emails": 3}')
    project.write("orders/cron.py", "CONFIG = []\n")
    tasks = (project.directory / "orders" / "tasks.py").read_text()
    mail = TASK.format(queue="emails", name="mail").partition("\n")[2]
    more = TASK.format(queue="emals", name="remind").partition("\n")[2]
    more += TASK.format(queue="webhooks1", name="one").partition("\n")[2]
    project.write("orders/tasks.py", tasks + mail + more)
    answer = project.dlq("check").has(
        "warning[dlq.W310]: queue 'emals' of task remind is not in WORKERS",
        "did you mean 'emails'? If not, add 'emals' to LIGHTWEIGHT_QUEUE_WORKERS",
        code=0,
    )
    assert answer.out.count("W310") == 1


def test_an_exception_of_several_lines_is_reported_with_its_type(project: Project) -> None:
    project.write("orders/tasks.py", 'raise RuntimeError("no\\nway")\n')
    project.dlq("check").has(
        "error[dlq.E024]: cannot import orders.tasks: RuntimeError: no way",
        "orders/tasks.py:1",
        code=1,
    )


def test_an_exact_configuration_without_workers_runs_those_of_411(project: Project) -> None:
    project.write("config/exact.py", "LIGHTWEIGHT_QUEUE_REDIS_DATABASE = 1\n")
    words = ("--exact-configuration", "--config", "config/exact.py")
    plan = project.dlq("plan", *words, "--format", "json").json
    assert {name: queue["workers"] for name, queue in plan["queues"].items()} == {
        "default": 1,
        "emails": 3,
        "images": 2,
        "reports": 1,
        "webhooks": 1,
    }
    project.dlq("plan", *words).has("info[dlq.I309]: config/exact.py has no WORKERS", code=0)


def test_settings_of_django_configurations_are_set_up_as_manage_py_does(project: Project) -> None:
    pytest.importorskip("configurations")
    project.write(
        "shop/classes.py",
        """\
from configurations import Configuration

class Dev(Configuration):
    SECRET_KEY = "x"
    INSTALLED_APPS = ["dlq", "orders"]
    LIGHTWEIGHT_QUEUE_WORKERS = {"from-a-class": 2}
""",
    )
    project.write(
        "manage.py",
        "import os\n"
        'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.classes")\n'
        'os.environ.setdefault("DJANGO_CONFIGURATION", "Dev")\n',
    )
    project.dlq("plan").has("from-a-class", "shop/classes.py:6", code=0)
