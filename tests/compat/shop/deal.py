"""Reads configurations from standard input and prints how 4.11 deals them out. Runs with 4.11."""

import json
import sys

from django.conf import settings

settings.configure(INSTALLED_APPS=["django_lightweight_queue"])

import django

django.setup()

from django_lightweight_queue import app_settings, utils
from django_lightweight_queue.cron_scheduler import ensure_queue_workers_for_config
from django_lightweight_queue.machine_types import DirectlyConfiguredMachine, PooledMachine


def deal(case):
    app_settings.WORKERS = dict(case["workers"])
    utils._accepting_implied_queues = True
    for queue in case["tasks"]:
        utils.contribute_implied_queue_name(queue)
    if case["override"] is not None:
        app_settings.WORKERS = dict(case["override"])
    if case["exact"]:
        machine = DirectlyConfiguredMachine()
    else:
        machine = PooledMachine(case["machine"], case["of"], case["only_queue"])
        ensure_queue_workers_for_config([{"queue": queue} for queue in case["cron"]])
    return {"workers": machine.worker_names, "runs_cron": machine.run_cron}


print(json.dumps([deal(case) for case in json.load(sys.stdin)]))
