"""Does one thing in this project, by old import names only: enqueue, execute, paused, length."""

import json
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")

import django

django.setup()

from django_lightweight_queue.cron_scheduler import execute
from django_lightweight_queue.utils import get_backend
from orders import tasks

verb, arguments = sys.argv[1], json.loads(sys.argv[2])

if verb == "enqueue":
    for args, kwargs in arguments["calls"]:
        getattr(tasks, arguments["task"])(*args, **kwargs)
elif verb == "bulk":
    with getattr(tasks, arguments["task"]).bulk_enqueue() as enqueue:
        for args, kwargs in arguments["calls"]:
            enqueue(*args, **kwargs)
elif verb == "execute":
    execute(*arguments["args"], django_lightweight_queue_queue=arguments["queue"])
elif verb == "paused":
    print(json.dumps(get_backend(arguments["queue"]).is_paused(arguments["queue"])))
elif verb == "length":
    print(json.dumps(get_backend(arguments["queue"]).length(arguments["queue"])))
else:
    sys.exit(f"unknown verb {verb}")
