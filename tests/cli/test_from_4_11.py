"""What command lines and commands of django-lightweight-queue 4.11 expect of manage.py."""

from __future__ import annotations

import signal

from tests.cli.conftest import Project
from tests.cli.running import running
from tests.cli.test_queues import KEY, enqueue
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until

OWN_COMMAND = """
from django_lightweight_queue.app_settings import app_settings
from django_lightweight_queue.command_utils import CommandWithExtraSettings


class Command(CommandWithExtraSettings):
    def handle(self, **options):
        file = super().handle_extra_settings(**options)
        self.stdout.write(f"{file}: {app_settings.WORKERS['images']}")
"""


def test_skip_checks_is_accepted(live: Project, server: Server) -> None:
    for words in (["queue_configuration"], ["queue_resume", "emails"]):
        live.manage(*words, "--skip-checks").has(code=0)
        code = f"from django.core.management import call_command\ncall_command({words!r}[0]"
        arguments = "".join(f", {word!r}" for word in words[1:])
        assert live.python(f"{code}{arguments}, skip_checks=True)").code == 0


def test_the_answer_may_come_from_a_pipe(live: Project, server: Server) -> None:
    enqueue(live, "confirm(1)", "confirm(2)")
    with server.client() as client:
        live.manage("queue_clear", "default", input="n\n").has("nothing was done", code=1)
        live.manage("queue_clear", "default", input="").has("add --yes", code=2)
        assert client.llen(KEY.format("default")) == 2
        live.manage("queue_clear", "default", input="y\n").has("Cleared 2 jobs", code=0)
        assert client.llen(KEY.format("default")) == 0


def test_a_worker_beyond_the_configuration_runs_with_a_warning(
    live: Project, server: Server
) -> None:
    for queue, number in (("images", "7"), ("elsewhere", "1")):
        enqueue(live, f"confirm(1, django_lightweight_queue_queue={queue!r})")
        with (
            running(live, "manage.py", "queue_worker", queue, number) as runner,
            server.client() as client,
        ):
            runner.wait_for("warning: ")
            wait_until(lambda: not client.llen(KEY.format(queue)), 20, what="the job is taken")  # noqa: B023 (called at once)
            assert runner.stop(signal.SIGTERM) == 0
    live.manage("queue_worker", "images", "0").has("'images' has no worker 0", code=2)


def test_commands_of_ones_own_take_an_override_file(live: Project) -> None:
    live.write("orders/management/commands/own.py", OWN_COMMAND)
    live.manage("own").has("None: 2", code=0)
    for option in ("--extra-settings", "--config"):
        live.manage("own", option, "config/special.py").has("config/special.py: 6", code=0)
