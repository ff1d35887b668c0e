"""Every address of the pages, in one table. What is not in it does not exist.

A view is named by its module in `dlq.web` and its function, and imported when somebody asks for it:
Django loads this table in every web process and for most commands of manage.py.
"""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.urls import URLPattern, path

from dlq.web.gate import DISCARD, OPERATE, ROUTE_PREFIX, Route, gated

ROUTES = (
    Route("changelist", "", "pages.overview"),
    Route("overview", "overview/", "pages.overview"),
    Route("queue", "queue/", "pages.queue"),
    Route("failed", "failed/", "pages.failed"),
    Route("failed_job", "failed/job/", "pages.failed_job"),
    Route("plan", "plan/", "pages.plan"),
    Route("cron", "cron/", "pages.cron"),
    Route("settings", "settings/", "pages.show_settings"),
    Route("retry", "retry/", "actions.retry", "POST", OPERATE),
    Route("retry_all", "retry-all/", "actions.retry_all", "POST", OPERATE),
    Route("pause", "pause/", "actions.pause", "POST", OPERATE),
    Route("resume", "resume/", "actions.resume", "POST", OPERATE),
    Route("run_cron", "run-cron/", "actions.run_cron", "POST", OPERATE),
    Route("discard", "discard/", "actions.discard", "POST", DISCARD),
    Route("discard_all", "discard-all/", "actions.discard_all", "POST", DISCARD),
    Route("clear", "clear/", "actions.clear", "POST", DISCARD),
    Route("deduplicate", "deduplicate/", "actions.deduplicate", "POST", DISCARD),
)


def urls(site: AdminSite) -> list[URLPattern]:
    """Return the URL patterns for an admin site, each behind the gate."""
    return [path(r.path, gated(r, site), name=f"{ROUTE_PREFIX}{r.name}") for r in ROUTES]
