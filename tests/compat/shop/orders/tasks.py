"""Tasks as a project on 4.11 has them."""

import os
import time

from django_lightweight_queue import task

from orders import ledger


@task(queue="emails")
def note(what, **more):
    ledger.write("note", [what, more])


@task(queue="emails", timeout=60)
def wait_for_file(path):
    """Runs until the file exists; the ledger says that it has begun."""
    ledger.write("begin", path)
    while not os.path.exists(path):
        time.sleep(0.01)
    ledger.write("end", path)
