"""`dlq plan`: what people see, what machines read, what it warns of."""

from __future__ import annotations

import jsonschema
import pytest

from tests.cli.conftest import Project

PLAN_SCHEMA = {
    "type": "object",
    "required": [
        "format_version",
        "dlq",
        "settings_module",
        "pool",
        "workers",
        "queues",
        "cron",
        "settings",
        "findings",
    ],
    "properties": {
        "format_version": {"const": "1"},
        "dlq": {"type": "string"},
        "settings_module": {"type": "string"},
        "pool": {
            "type": "object",
            "required": ["id", "machine", "of", "exact", "only_queue"],
            "properties": {
                "id": {"type": ["string", "null"], "pattern": "^[0-9a-f]{8}$"},
                "machine": {"type": ["integer", "null"]},
                "of": {"type": ["integer", "null"]},
                "exact": {"type": "boolean"},
                "only_queue": {"type": ["string", "null"]},
            },
        },
        "workers": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["machine", "queue", "number", "backend", "metrics_port"],
                "properties": {"metrics_port": {"type": ["integer", "null"]}},
            },
        },
        "queues": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["workers", "here", "backend", "source"],
            },
        },
        "cron": {
            "type": "object",
            "required": ["runs_here", "entries"],
            "properties": {
                "runs_here": {"type": "boolean"},
                "entries": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": [
                            "command",
                            "queue",
                            "schedule",
                            "timezone",
                            "next",
                            "source",
                        ],
                    },
                },
            },
        },
        "settings": {
            "type": "object",
            "additionalProperties": {"type": "object", "required": ["value", "source", "hides"]},
        },
        "findings": {
            "type": "array",
            "items": {
                "type": "object",
                "required": [
                    "id",
                    "level",
                    "message",
                    "file",
                    "line",
                    "column",
                    "end_column",
                    "help",
                ],
            },
        },
    },
}


def test_one_machine(project: Project) -> None:
    answer = project.dlq("plan", "--machine", "1", "--of", "3")
    assert answer.code == 0, answer
    assert answer.err == ""
    lines = answer.out.splitlines()
    assert lines[0] == "Plan for machine 1 of 3   pool 762eeb6a   settings shop.settings"
    assert lines[2].split() == [
        "QUEUE",
        "HERE",
        "POOL",
        "WORKER",
        "NUMBERS",
        "BACKEND",
        "COUNT",
        "FROM",
    ]
    reliable = "ReliableRedisBackend"
    assert lines[3:6] == [
        f"emails  1     3     1               {reliable}  shop/base.py:6",
        f"images  1     2     1               {reliable}  shop/base.py:7",
        f"stock   1     1     1               {reliable}  implied by cron, orders/cron.py:4",
    ]
    assert "3 of 10 workers run here, and the cron scheduler (3 entries)." in lines
    assert "Not here: cron, default, reports, webhooks (machines 2, 3)" in lines
    cron = next(line for line in lines if line.startswith("expire_baskets"))
    assert "0,30 * * * *" in cron
    assert cron.endswith("orders/cron.py:2")


def test_other_machine_says_who_schedules_cron(project: Project) -> None:
    project.dlq("plan", "--machine", "2", "--of", "3").has(
        "Cron: machine 1 schedules 3 entries.", code=0
    )


def test_whole_pool_is_a_matrix(project: Project) -> None:
    answer = project.dlq("plan", "--of", "3").has(code=0)
    rows = {line.split("  ")[0]: line.split() for line in answer.out.splitlines() if line}
    assert rows["QUEUE"][:5] == ["QUEUE", "POOL", "M1", "M2", "M3"]
    assert rows["emails"][1:5] == ["3", "1", "1", "1"]
    assert rows["default"][1:5] == ["1", ".", ".", "1"]
    assert rows["total"][1:] == ["10", "3", "4", "3"]
    assert rows["cron scheduler"][2:6] == ["1", "yes", ".", "."]
    assert rows["cron scheduler"][6:] == ["always", "machine", "1"]


def test_exact_configuration(project: Project) -> None:
    answer = project.dlq("plan", "--exact-configuration", "--config", "config/special.py")
    answer.has(
        "Plan for exactly this machine   settings shop.settings + config/special.py",
        "images  6     ReliableRedisBackend  config/special.py:2",
        "No cron scheduler and no cron queues (exact configuration).",
        "Not run here: cron, default, emails, reports, stock, webhooks",
        code=0,
    )
    assert "warning" not in answer.out


def test_json_has_the_contract(project: Project) -> None:
    content = project.dlq("plan", "--machine", "3", "--of", "3", "--format", "json").json
    jsonschema.validate(content, PLAN_SCHEMA)
    assert content["pool"] == {
        "id": "762eeb6a",
        "machine": 3,
        "of": 3,
        "exact": False,
        "only_queue": None,
        "placement": "dealt",
    }
    assert [(w["queue"], w["number"]) for w in content["workers"]] == [
        ("default", 1),
        ("emails", 3),
        ("reports", 1),
    ]
    assert content["queues"]["emails"] == {
        "workers": 3,
        "here": 1,
        "backend": "dlq.backends.reliable_redis.ReliableRedisBackend",
        "source": "shop/base.py:6",
    }
    assert content["cron"]["runs_here"] is False
    assert [entry["command"] for entry in content["cron"]["entries"]] == [
        "expire_baskets",
        "nightly_report",
        "sync_stock",
    ]
    assert content["settings"]["WORKERS"]["value"] == {"emails": 3, "images": 2, "reports": 1}


def test_json_of_the_pool_lists_all_machines(project: Project) -> None:
    content = project.dlq("--format", "json", "plan", "--of", "3").json
    jsonschema.validate(content, PLAN_SCHEMA)
    machines = [worker["machine"] for worker in content["workers"]]
    assert [machines.count(number) for number in (1, 2, 3)] == [3, 4, 3]
    assert content["pool"]["machine"] is None


def test_json_of_the_exact_configuration(project: Project) -> None:
    content = project.dlq(
        "plan", "--exact-configuration", "--config", "config/special.py", "--format", "json"
    ).json
    jsonschema.validate(content, PLAN_SCHEMA)
    assert content["pool"]["exact"] is True
    assert content["cron"] == {"runs_here": False, "machines": [], "entries": []}


def test_metrics_ports_follow_the_position(project: Project) -> None:
    project.add_settings("LIGHTWEIGHT_QUEUE_ENABLE_PROMETHEUS = True")
    content = project.dlq("plan", "--machine", "1", "--of", "3", "--format", "json").json
    assert [worker["metrics_port"] for worker in content["workers"]] == [9301, 9302, 9303]


def test_w301_idle_machines(project: Project) -> None:
    project.write("config/one.py", 'LIGHTWEIGHT_QUEUE_WORKERS = {"default": 1}\n')
    project.add_settings('LIGHTWEIGHT_QUEUE_IGNORE_APPS = ["orders"]')
    (project.directory / "orders" / "cron.py").unlink()
    words = ("--config", "config/one.py")
    project.dlq("plan", "--machine", "1", "--of", "4", *words).has(
        "warning[dlq.W301]: machine 1 of 4 has no queue workers", "Valid, with", code=0
    )
    project.dlq("plan", "--of", "4", *words).has("machines 1, 3-4 of 4 have no queue workers")


def test_w302_task_whose_queue_nobody_serves(project: Project) -> None:
    project.add_settings('LIGHTWEIGHT_QUEUE_WORKERS = {"webhooks": 0}')
    project.dlq("plan").has(
        "warning[dlq.W302]: no worker takes from queue 'webhooks', where orders.tasks.call",
        "orders/tasks.py:9",
        code=0,
    )


def test_w303_queues_dropped_by_an_override(project: Project) -> None:
    project.dlq("plan", "--config", "config/special.py").has(
        "warning[dlq.W303]: WORKERS in config/special.py:1 drops 3 queues:"
        " default (implied by task confirm, orders/tasks.py:4), emails (3 workers),"
        " webhooks (implied by task call, orders/tasks.py:9)",
        "Valid, with 1 warning.",
        code=0,
    )


def test_i304_only_queue_leaves_cron_out(project: Project) -> None:
    answer = project.dlq("plan", "--only-queue", "emails")
    answer.has("info[dlq.I304]", "3 of 3 workers run here.", code=0)
    answer = project.dlq("plan", "--only-queue", "cron_scheduler")
    answer.has("0 of 0 workers run here, and the cron scheduler (3 entries).", code=0)


def test_e305_only_queue_unknown(project: Project) -> None:
    project.dlq("plan", "--only-queue", "email").has(
        "error[dlq.E305]: no queue is called 'email'", "did you mean 'emails'?", code=1
    )


def test_w306_synchronous_backend(project: Project) -> None:
    project.add_settings(
        'LIGHTWEIGHT_QUEUE_BACKEND = "django_lightweight_queue.backends.synchronous'
        '.SynchronousBackend"'
    )
    project.dlq("plan").has("warning[dlq.W306]", "never have work", "emails", code=0)


def test_e307_retries_that_the_backend_cannot_keep(project: Project) -> None:
    """The queue `reports` runs a job once at most."""
    with (project.directory / "orders/tasks.py").open("a") as tasks:
        tasks.write("\n\n@task(queue='reports', retries=3)\ndef report():\n    pass\n")
        tasks.write("\n\n@task(queue='emails', retries=3)\ndef remind():\n    pass\n")
    answer = project.dlq("plan").has(
        "error[dlq.E307]: orders.tasks.report has retries=3, which RedisBackend of queue 'reports'"
        " cannot keep",
        "orders/tasks.py:15",
        code=1,
    )
    assert "remind" not in answer.out + answer.err
    project.dlq("check").has("error[dlq.E307]", code=1)
    project.dlq("run").has("error[dlq.E307]", code=78)
    project.add_settings(
        'LIGHTWEIGHT_QUEUE_BACKEND = "dlq.backends.synchronous.SynchronousBackend"\n'
        "LIGHTWEIGHT_QUEUE_BACKEND_OVERRIDES = {}"
    )
    assert "E307" not in project.dlq("plan").err, "in development it is not in the way"


def test_w308_no_worker_at_all(project: Project) -> None:
    project.write("config/none.py", 'LIGHTWEIGHT_QUEUE_WORKERS = {"images": 0}\n')
    project.dlq("plan", "--exact-configuration", "--config", "config/none.py").has(
        "warning[dlq.W308]: no queue has a worker", code=0
    )


def test_settings_that_are_wrong_leave_no_plan(project: Project) -> None:
    project.write("config/broken.py", 'LIGHTWEIGHT_QUEUE_WORKERS = {"images": -1}\n')
    answer = project.dlq("plan", "--config", "config/broken.py")
    answer.has("error[dlq.E101]", "Not valid: 1 error", code=1)
    content = project.dlq("plan", "--config", "config/broken.py", "--format", "json").json
    jsonschema.validate(content, PLAN_SCHEMA)
    assert content["workers"] == []
    assert content["findings"][0]["id"] == "dlq.E101"


def test_cron_machines_all(project: Project) -> None:
    project.add_settings('LIGHTWEIGHT_QUEUE_CRON_MACHINES = "all"')
    answer = project.dlq("plan", "--of", "2").has("CRON_MACHINES is 'all'", code=0)
    row = next(line for line in answer.out.splitlines() if line.startswith("cron scheduler"))
    assert row.split()[2:5] == ["2", "yes", "yes"]
    project.dlq("plan", "--machine", "2", "--of", "2").has("and the cron scheduler (3 entries)")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--machine", "-1", "--of", "2"], "--machine is -1, and must be 1 to 2"),
        (["--machine", "3", "--of", "2"], "--machine is 3, and must be 1 to 2"),
        (["--machine", "0"], "--machine is 0, and must be 1: for a pool, add --of 2"),
        (["--machine", "abc", "--of", "2"], "'abc' is not a whole number"),
        (["--machine", "0", "--of", "0"], "--of is 0: a pool has at least 1 machine"),
        (["--exact-configuration"], "--exact-configuration --config FILE"),
        (
            ["--exact-configuration", "--config", "config/special.py", "--of", "2"],
            "leave out --machine, --of and --only-queue",
        ),
    ],
)
def test_options_that_cannot_be_followed(project: Project, words: list[str], said: str) -> None:
    answer = project.dlq("plan", *words).has(said, code=2)
    assert answer.out == ""
