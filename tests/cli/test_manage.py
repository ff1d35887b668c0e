"""manage.py: the seven commands of 4.11 with their flags, and what they refuse."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Project

COMMANDS = {
    "queue_runner": {
        "--pidfile",
        "--touchfile",
        "--machine",
        "--of",
        "--only-queue",
        "--exact-configuration",
    },
    "queue_worker": {"--prometheus-port", "--touch-file"},
    "queue_configuration": set(),
    "queue_pause": {"--for", "--until"},
    "queue_resume": set(),
    "queue_clear": {"--yes"},
    "queue_deduplicate": set(),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_flags_of_the_predecessor_are_there(project: Project, name: str) -> None:
    answer = project.manage(name, "--help")
    assert answer.code == 0
    for flag in {"--config", "--extra-settings", *COMMANDS[name]}:
        assert flag in answer.out.split(), flag


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (["queue_runner", "--machine", "0"], "--machine is 0", 2),
        (["queue_runner", "--machine", "3", "--of", "2"], "must be 1 to 2", 2),
        (["queue_runner", "--machine", "abc"], "'abc' is not a whole number", 2),
        (["queue_runner", "--of", "2"], "--machine 1 --of 2", 2),
        (["queue_runner", "--exact-configuration"], "--config FILE", 2),
        (["queue_runner", "--touchfile", "x"], "x.%s", 2),
        (["queue_runner", "--pidfile", "/nope/x"], "errno 2", 2),
        (["queue_runner", "--config", "config/broken.py"], "error[dlq.E101]", 78),
        (
            ["queue_runner", "--config", "config/special.py", "--extra-settings", "a.py"],
            "not allowed with argument --config",
            2,
        ),
        (["queue_worker", "images", "0"], "its workers are 1 to 2", 2),
        (["queue_worker", "images", "1", "--config", "config/broken.py"], "dlq.E101", 78),
        (["queue_pause", "emails", "--for", "5x"], "1h30m", 2),
        (["queue_pause", "emails", "--until", "2030-01-01T08:00:00"], "+0000", 2),
        (["queue_pause", "emails"], "one of the arguments --for --until is required", 2),
        (["queue_configuration", "--config", "config/broken.py"], "dlq.E101", 1),
        (["queue_resume", "emails", "--config", "config/broken.py"], "dlq.E101", 2),
    ],
)
def test_refusals(project: Project, words: list[str], said: str, code: int) -> None:
    project.write("config/broken.py", 'LIGHTWEIGHT_QUEUE_WORKERS = {"images": -1}\n')
    project.manage(*words).has(said, code=code)


def test_configuration_is_shown(project: Project) -> None:
    answer = project.manage("queue_configuration", "--extra-settings", "config/special.py")
    answer.has(
        "images   6        dlq.backends.reliable_redis.ReliableRedisBackend  config/special.py:2",
        "dlq.middleware.logging.LoggingMiddleware",
        "expire_baskets",
        code=0,
    )
    assert "emails" not in answer.out
