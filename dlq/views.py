"""The debug view: run one job in the browser, with the database put back afterwards.

For development (with the debug toolbar, for instance). It answers only while DEBUG is on, and runs
only jobs that this project has signed: the URLs come from the debug_web backend.
"""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from django.conf import settings
from django.core import signing
from django.db import connections, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.middleware.csrf import get_token
from django.template import Context, Engine
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from dlq import runtime
from dlq.backends.debug_web import SIGNING_SALT
from dlq.errors import UndecodableJob
from dlq.execution.run_job import Result
from dlq.job import Job
from dlq.primitives.text import printable, printable_lines
from dlq.types import QueueName, WorkerNumber

DUMMY = "django.db.backends.dummy"
"""What Django puts in the place of a database that a project doesn't have."""

PAGE = """\
<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Debug run of {{ path }}</title></head>
<body>
<h1>Debug run of {{ path }}</h1>
<h2>Job</h2>
<pre>{{ job }}</pre>
{% if result %}
<h2>{{ result.succeeded|yesno:"Done,Failed" }} in {{ result.time_taken|floatformat:3 }} s</h2>
{% if result.failure %}
<pre>{{ result.failure.traceback|default:result.failure.reason }}</pre>
{% else %}
<p>Returned <code>{{ value }}</code></p>
{% endif %}
<p>What it did to the database has been rolled back.</p>
<h2>Log</h2>
<pre>{{ log }}</pre>
{% endif %}
<form method="post">
<input type="hidden" name="csrfmiddlewaretoken" value="{{ csrf_token }}">
<button>{% if result %}Run it again{% else %}Run it{% endif %}</button>
</form>
<p>Only the database is put back after a run: mail that it sends and files that it writes stay.</p>
</body>
</html>
"""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@csrf_protect
def debug_run(request: HttpRequest) -> HttpResponse:
    """GET shows the job of the signed query parameter `job`; POST runs it, and rolls back what it
    did to the databases."""
    if not settings.DEBUG:
        raise Http404("the debug view answers only while DEBUG is on")
    try:
        job = Job.from_json(signing.loads(request.GET["job"], salt=SIGNING_SALT))
    except KeyError:
        return HttpResponseBadRequest("the query parameter 'job' is missing", "text/plain")
    except signing.BadSignature:
        return HttpResponseBadRequest(
            "this job was not signed by this project (or its SECRET_KEY has changed): take the URL"
            " from the output of the debug_web backend",
            "text/plain",
        )
    except UndecodableJob as problem:
        return HttpResponseBadRequest(f"not a job: {problem.reason}", "text/plain")
    result, log = _run(job) if request.method == "POST" else (None, "")
    return HttpResponse(
        Engine()
        .from_string(PAGE)
        .render(
            Context(
                {
                    "path": printable(job.path),
                    "job": json.dumps(job.as_dict(), sort_keys=True, indent=4),
                    "result": result,
                    "value": printable(repr(result.value), 1000) if result else "",
                    "log": printable_lines(log),
                    "csrf_token": get_token(request),
                }
            )
        )
    )


def _run(job: Job) -> tuple[Result, str]:
    with ExitStack() as stack:
        log = stack.enter_context(_captured_log())
        for alias in connections:
            if connections[alias].settings_dict["ENGINE"] != DUMMY:
                stack.enter_context(transaction.atomic(using=alias))
                stack.callback(transaction.set_rollback, True, using=alias)
        result = runtime.current().run(job, QueueName("debug"), WorkerNumber(0))
    return result, log.getvalue()


@contextmanager
def _captured_log() -> Iterator[io.StringIO]:
    """What this thread logs at INFO and above, whatever the project's own levels."""
    thread = threading.get_ident()
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    handler.addFilter(lambda record: record.thread == thread)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(min(level, logging.INFO) if level else logging.INFO)
    try:
        yield stream
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
