"""`dlq emit`: each file is what its own world accepts, and starts what the plan says."""

from __future__ import annotations

import configparser
import json
import os
import shlex
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from dlq.deployment.deployment import Deployment, Machine, StopLimit
from dlq.deployment.targets import TARGETS
from tests.cli.conftest import Project
from tests.kit.waiting import wait_until

TASKS = """\
from dlq import task


@task(queue="emails", timeout=90)
def confirm(order_id):
    pass


@task(queue="webhooks", sigkill_on_stop=True)
def call(url):
    pass
"""
CRON = """\
CONFIG = (
    {"command": "nightly_report", "schedule": "15 3 * * *", "queue": "reports", "timeout": 200},
)
"""

COMPOSE = {
    "type": "object",
    "required": ["services"],
    "additionalProperties": False,
    "properties": {
        "services": {
            "additionalProperties": {
                "type": "object",
                "required": ["image", "command", "healthcheck", "stop_grace_period"],
                "additionalProperties": False,
                "properties": {
                    "image": {"type": "string"},
                    "command": {"type": "array", "items": {"type": "string"}},
                    "environment": {"additionalProperties": {"type": "string"}},
                    "restart": {"enum": ["no", "always", "on-failure", "unless-stopped"]},
                    "stop_grace_period": {"type": "string", "pattern": r"^\d+s$"},
                    "healthcheck": {
                        "additionalProperties": False,
                        "required": ["test"],
                        "properties": {
                            "test": {
                                "type": "array",
                                "prefixItems": [{"enum": ["CMD", "CMD-SHELL", "NONE"]}],
                                "items": {"type": "string"},
                            },
                            "interval": {"pattern": r"^\d+s$"},
                            "timeout": {"pattern": r"^\d+s$"},
                            "start_period": {"pattern": r"^\d+s$"},
                            "retries": {"type": "integer"},
                        },
                    },
                },
            }
        }
    },
}
"""What is used of https://github.com/compose-spec/compose-spec."""

LABELS = {"type": "object", "additionalProperties": {"type": "string", "maxLength": 63}}
WORDS = {"type": "array", "items": {"type": "string"}, "minItems": 1}
CONTAINER = {
    "type": "object",
    "required": ["name", "image", "command", "livenessProbe"],
    "additionalProperties": False,
    "properties": {
        "name": {"pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"},
        "image": {"type": "string"},
        "command": WORDS,
        "env": {
            "type": "array",
            "items": {
                "required": ["name", "value"],
                "additionalProperties": False,
                "properties": {"name": {"type": "string"}, "value": {"type": "string"}},
            },
        },
        "livenessProbe": {
            "additionalProperties": False,
            "required": ["exec"],
            "properties": {
                "exec": {"required": ["command"], "properties": {"command": WORDS}},
                **{
                    name: {"type": "integer", "minimum": 1}
                    for name in ("initialDelaySeconds", "periodSeconds", "timeoutSeconds")
                },
            },
        },
    },
}
KUBERNETES = {
    "type": "object",
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "additionalProperties": False,
    "properties": {
        "apiVersion": {"const": "apps/v1"},
        "kind": {"const": "Deployment"},
        "metadata": {"required": ["name"], "properties": {"labels": LABELS}},
        "spec": {
            "required": ["replicas", "selector", "template", "strategy"],
            "additionalProperties": False,
            "properties": {
                "replicas": {"const": 1},
                "strategy": {"properties": {"type": {"enum": ["Recreate", "RollingUpdate"]}}},
                "selector": {"required": ["matchLabels"], "properties": {"matchLabels": LABELS}},
                "template": {
                    "required": ["metadata", "spec"],
                    "properties": {
                        "metadata": {"required": ["labels"], "properties": {"labels": LABELS}},
                        "spec": {
                            "required": ["containers"],
                            "additionalProperties": False,
                            "properties": {
                                "terminationGracePeriodSeconds": {"type": "integer", "minimum": 0},
                                "containers": {"type": "array", "items": CONTAINER},
                            },
                        },
                    },
                },
            },
        },
    },
}
"""What is used of the API of apps/v1."""


@pytest.fixture
def shop(project: Project) -> Project:
    project.write("orders/tasks.py", TASKS)
    project.write("orders/cron.py", CRON)
    return project


def emitted(project: Project, target: str, *words: str) -> dict[str, str]:
    answer = project.dlq("emit", target, "--of", "3", *words, "--format", "json")
    assert answer.code == 0, answer
    return {file["name"]: file["content"] for file in answer.json["files"]}


def pool_id(project: Project) -> str:
    pool: str = project.dlq("plan", "--of", "3", "--format", "json").json["pool"]["id"]
    return pool


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_accepts_its_units(shop: Project) -> None:
    answer = shop.dlq("emit", "systemd", "--of", "3", "--out", ".").has(
        "wrote  dlq-machine-1.service", code=0
    )
    assert answer.out.count("wrote") == 3
    shop.dlq("emit", "systemd", "--of", "3", "--out", ".").has("exists, not touched", code=0)
    units = sorted(shop.directory.glob("*.service"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, units)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"},
    )
    complaints = [line for line in done.stderr.splitlines() if "dlq-machine" in line]
    assert complaints == []
    assert done.returncode == 0, done.stderr


def test_a_unit_says_what_the_plan_says(shop: Project) -> None:
    units = emitted(shop, "systemd", "--config", "config/special.py")
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(units["dlq-machine-2.service"])
    words = shlex.split(unit["Service"]["ExecStart"])
    with_file = shop.dlq("plan", "--of", "3", "--config", "config/special.py", "--format", "json")
    pool = with_file.json["pool"]["id"]
    expected = ["run", "--machine", "2", "--of", "3", "--config", "config/special.py"]
    assert words[1:] == [*expected, "--expect-pool", pool]
    assert Path(words[0]).name == "dlq"
    assert unit["Service"]["Type"] == "notify"
    assert unit["Service"]["WorkingDirectory"] == str(shop.directory)
    assert unit["Service"]["TimeoutStopSec"] == "215", "the longest timeout, 200 s, and a margin"


def test_a_unit_is_ready_when_its_workers_are(live: Project) -> None:
    """Its command speaks systemd's notify protocol."""
    content = emitted(live, "systemd")["dlq-machine-1.service"]
    command = content.partition("ExecStart=")[2].splitlines()[0]
    address = str(live.directory / "notify")
    log = live.directory / "log"
    with log.open("wb") as output, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(address)
        receiver.settimeout(30)
        env = live.env({"NOTIFY_SOCKET": address, "DJANGO_SETTINGS_MODULE": "shop.settings"})
        process = subprocess.Popen(
            shlex.split(command),
            cwd=live.directory,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            while "READY=1" not in receiver.recv(4096).decode():
                pass
        finally:
            process.terminate()
            assert process.wait(20) == 0, log.read_text()


def test_compose(shop: Project) -> None:
    (content,) = emitted(shop, "compose").values()
    services = yaml.safe_load(content)
    jsonschema.validate(services, COMPOSE)
    assert list(services["services"]) == ["dlq-1", "dlq-2", "dlq-3"]
    words = services["services"]["dlq-3"]["command"]
    expected = ["dlq", "run", "--machine", "3", "--of", "3", "--expect-pool", pool_id(shop)]
    assert words[:-2] == expected
    test = services["services"]["dlq-3"]["healthcheck"]["test"]
    assert test[1:4] == ["dlq", "health", "--file"]
    assert test[4] == words[-1]


def test_kubernetes(shop: Project) -> None:
    (content,) = emitted(shop, "kubernetes").values()
    documents = list(yaml.safe_load_all(content))
    assert len(documents) == 3
    for number, deployment in enumerate(documents, start=1):
        jsonschema.validate(deployment, KUBERNETES)
        pod = deployment["spec"]["template"]["spec"]
        assert pod["containers"][0]["command"][2:6] == ["--machine", str(number), "--of", "3"]
        assert pod["terminationGracePeriodSeconds"] == 215
        selected = deployment["spec"]["selector"]["matchLabels"]
        assert selected == deployment["spec"]["template"]["metadata"]["labels"]


@pytest.mark.parametrize(
    ("settings", "stop", "reason"),
    [
        ("LIGHTWEIGHT_QUEUE_STOP_TIMEOUT = 30", "45", "STOP_TIMEOUT is 30 s"),
        ("", "215", "nightly_report has the longest timeout, 200 s"),
    ],
)
def test_stop_times_follow_the_jobs(shop: Project, settings: str, stop: str, reason: str) -> None:
    shop.add_settings(settings)
    unit = emitted(shop, "systemd")["dlq-machine-1.service"]
    assert f"TimeoutStopSec={stop}\n" in unit
    assert reason in unit


def test_a_job_without_a_timeout_has_no_limit(project: Project) -> None:
    unit = emitted(project, "systemd")["dlq-machine-1.service"]
    assert "TimeoutStopSec=infinity\n" in unit
    assert "has no timeout, and STOP_TIMEOUT is not set" in unit
    (content,) = emitted(project, "compose").values()
    assert yaml.safe_load(content)["services"]["dlq-1"]["stop_grace_period"] == "3600s"


def test_a_procfile_starts_what_the_plan_says(live: Project) -> None:
    """Three machines on one host, and status finds every planned worker once."""
    live.add_settings("LIGHTWEIGHT_QUEUE_ENABLE_PROMETHEUS = False")
    (content,) = emitted(live, "procfile").values()
    lines = dict(
        line.split(": ", 1) for line in content.splitlines() if line and not line.startswith("#")
    )
    assert list(lines) == ["machine1", "machine2", "machine3"]
    planned = live.dlq("plan", "--of", "3", "--format", "json").json
    log = (live.directory / "log").open("wb")
    processes = [
        subprocess.Popen(
            ["sh", "-c", command],
            cwd=live.directory,
            env=live.env(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        for command in lines.values()
    ]
    try:
        seen: dict[str, Any] = {}

        def all_are_alive() -> bool:
            seen.update(live.dlq("status", "--format", "json").json)
            return len(seen["runners"]) == 3 and not any(
                queue["workers"]["missing"] for queue in seen["queues"]
            )

        wait_until(all_are_alive, 40, what="three machines with all their workers")
        assert {(runner["machine"], runner["pool_id"]) for runner in seen["runners"]} == {
            (machine, planned["pool"]["id"]) for machine in (1, 2, 3)
        }
        running = {
            (runner["machine"], worker)
            for runner in seen["runners"]
            for worker in runner["workers"]
        }
        assert running == {
            (worker["machine"], f"{worker['queue']}/{worker['number']}")
            for worker in planned["workers"]
        }
        (scheduler,) = [runner for runner in seen["runners"] if runner["runs_cron"]]
        assert scheduler["machine"] == 1
    finally:
        for process in processes:
            process.terminate()
        codes = [process.wait(20) for process in processes]
        log.close()
    assert codes == [0, 0, 0]


def test_machines_on_one_host_have_separate_ports(shop: Project) -> None:
    shop.add_settings("LIGHTWEIGHT_QUEUE_ENABLE_PROMETHEUS = True")
    (content,) = emitted(shop, "procfile").values()
    ports = [
        int(word.partition("=")[2])
        for line in content.splitlines()
        if line.startswith("machine")
        for word in line.split()
        if word.startswith("LIGHTWEIGHT_QUEUE_PROMETHEUS_START_PORT=")
    ]
    workers = shop.dlq("plan", "--of", "3", "--format", "json").json["workers"]
    counts = [sum(worker["machine"] == machine for worker in workers) for machine in (1, 2)]
    assert ports == [9300, 9301 + counts[0], 9302 + counts[0] + counts[1]]


HOSTILE = Deployment(
    pool_id="1a2b3c4d",
    of=1,
    machines=(Machine(1, ("a/1",), True, None),),
    command="/srv/my shop/$HOME/100%/dlq",
    directory="/srv/100%",
    settings_module="shop.settings",
    config=('it\'s $(here) "quoted".toml',),
    stop=StopLimit(3.2, "a"),
)


def test_words_survive_each_target() -> None:
    """Blanks, quotes, dollars and percent signs reach the command as they are."""
    words = HOSTILE.run_words(HOSTILE.machines[0], health=True)
    ((_, content),) = TARGETS["compose"](HOSTILE)
    command = yaml.safe_load(content)["services"]["dlq-1"]["command"]
    assert [word.replace("$$", "$") for word in command] == words
    ((_, content),) = TARGETS["kubernetes"](HOSTILE)
    pod = yaml.safe_load(content)["spec"]["template"]["spec"]
    assert [word.replace("$$", "$") for word in pod["containers"][0]["command"]] == words
    ((_, content),) = TARGETS["procfile"](HOSTILE)
    line = next(line for line in content.splitlines() if line.startswith("machine1: exec "))
    assert shlex.split(line)[4:] == HOSTILE.run_words(HOSTILE.machines[0])
    ((_, content),) = TARGETS["systemd"](HOSTILE)
    start = content.partition("ExecStart=")[2].splitlines()[0]
    parsed = [word.replace("$$", "$").replace("%%", "%") for word in shlex.split(start)]
    assert parsed == HOSTILE.run_words(HOSTILE.machines[0])
    assert "TimeoutStopSec=19" in content


def test_what_cannot_be_emitted(shop: Project) -> None:
    shop.dlq("emit", "systemds", "--of", "3").has("did you mean systemd?", code=2)
    shop.dlq("emit", "compose", "--out", "nowhere").has("no such directory", code=2)
    shop.add_settings("LIGHTWEIGHT_QUEUE_WORKERS = {'emails': -1}")
    shop.dlq("emit", "compose").has("the plan is not valid", "dlq.E1", code=1)


def test_json_has_the_files(shop: Project) -> None:
    answer = shop.dlq("emit", "procfile", "--of", "2", "--format", "json")
    assert json.loads(answer.out)["target"] == "procfile"
    assert shop.dlq("emit", "procfile", "--of", "2").out.startswith("# Machine 1 of 2")
