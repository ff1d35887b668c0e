"""The one gate before every page: mode, method, permission, then what the view returns is shown.

A view is a function of a request that returns a value: `Page` (GET), or `Done` or `Confirm` (POST).
It never renders, redirects, checks a permission or writes the audit log: that is done here, so that
no view can forget it. CSRF is the admin's own check (`AdminSite.admin_view`). A GET never writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal, NamedTuple, TypeAlias

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from dlq.config.active import InvalidConfiguration, resolution
from dlq.diagnostics.finding import errors
from dlq.diagnostics.formats import json_text
from dlq.errors import BackendUnavailable, DlqError, UsageError
from dlq.primitives.import_path import import_path
from dlq.primitives.text import printable
from dlq.runtime import probing
from dlq.web.placeholder import Queue

VIEW = "view_queue"
ARGUMENTS = "view_job_arguments"
OPERATE = "operate_queue"
DISCARD = "discard_queue"
PERMISSIONS = (VIEW, ARGUMENTS, OPERATE, DISCARD)

PATIENCE = 2.0
"""Seconds that a page waits for an answer of the server."""

SERVER_AWAY = 503
"""The status of a page whose server cannot be asked: monitoring of the site should notice."""


class Page(NamedTuple):
    """What a GET shows. `document` is the page as JSON: the command's own, key for key."""

    template: str
    title: str
    context: Mapping[str, Any]
    document: Any


class Done(NamedTuple):
    """What a POST has done: `message` for the person, `what` was done to for the audit log, and the
    page to return to (a route's name and its query)."""

    message: str
    what: str
    route: str
    query: Mapping[str, str] = {}
    level: int = messages.SUCCESS


class Confirm(NamedTuple):
    """A question before a POST that cannot be undone. `fields` are sent again with the answer."""

    question: str
    button: str
    fields: Mapping[str, str]
    route: str
    query: Mapping[str, str] = {}


Answer: TypeAlias = Page | Done | Confirm


class Route(NamedTuple):
    """One address of the pages. `view` is `module.function` in `dlq.web`; `permission` is the least
    that a visitor needs."""

    name: str
    path: str
    view: str
    method: Literal["GET", "POST"] = "GET"
    permission: str = VIEW


def gated(route: Route, site: AdminSite) -> Callable[[HttpRequest], HttpResponseBase]:
    """Return the Django view of a route, wrapped in the admin's own checks."""
    return site.admin_view(partial(answer, route=route, site=site))


def answer(request: HttpRequest, *, route: Route, site: AdminSite) -> HttpResponseBase:
    """Check the request, call the view and show what it returns."""
    mode = admin_pages()
    if mode == "off":
        raise Http404("the pages of dlq are switched off (ADMIN_PAGES)")
    allowed = ("GET", "HEAD") if route.method == "GET" else ("POST",)
    if request.method not in allowed:
        return HttpResponseNotAllowed(allowed)
    if not may(request, VIEW) or not may(request, route.permission):
        raise PermissionDenied
    if route.method == "POST" and mode == "read-only":
        raise PermissionDenied("the pages of dlq are read-only (ADMIN_PAGES)")
    try:
        with probing(PATIENCE):
            given = _view_of(route)(request)
        return _respond(request, route, site, given)
    except InvalidConfiguration as error:
        found = errors(error.resolution.findings)
        return _trouble(request, route, site, "The settings have errors", "", found)
    except BackendUnavailable as error:
        return _trouble(request, route, site, "The server cannot be asked", str(error))
    except UsageError as error:
        if route.method == "GET":
            raise Http404(str(error)) from None
        messages.error(request, printable(str(error), 500))
        return HttpResponseRedirect(url_of("overview"))
    except DlqError as error:
        return _trouble(request, route, site, "This could not be done", str(error))


def _view_of(route: Route) -> Callable[[HttpRequest], Answer]:
    view: Callable[[HttpRequest], Answer] = import_path(f"dlq.web.{route.view}")
    return view


def may(request: HttpRequest, permission: str) -> bool:
    """Tell whether the visitor has a permission of dlq."""
    user: Any = request.user
    return bool(user.is_active and user.has_perm(f"dlq.{permission}"))


def admin_pages() -> str:
    """Return ADMIN_PAGES, or "full" where the settings have errors: then the page shows them."""
    found = resolution().settings
    return "full" if found is None else found.admin_pages


def url_of(route: str, query: Mapping[str, str] | None = None) -> str:
    """Return the address of a route, with the query quoted: names of queues are users' text."""
    return reverse(f"admin:{ROUTE_PREFIX}{route}", query=query or None)


ROUTE_PREFIX = "dlq_queue_"
"""The admin's own naming, so that its index finds `dlq_queue_changelist`."""


def _respond(
    request: HttpRequest, route: Route, site: AdminSite, given: Answer
) -> HttpResponseBase:
    if isinstance(given, Done):
        _log(request, given)
        messages.add_message(request, given.level, given.message)
        return HttpResponseRedirect(url_of(given.route, given.query))
    if isinstance(given, Confirm):
        context = {**_common(request, route, site), "title": "Are you sure?", "confirm": given}
        return TemplateResponse(request, "dlq/admin/confirm.html", context)
    if request.GET.get("format") == "json":
        return HttpResponse(as_json(given.document), content_type="application/json")
    context = {**_common(request, route, site), "title": given.title, **given.context}
    return TemplateResponse(request, f"dlq/admin/{given.template}.html", context)


def as_json(document: Any) -> str:
    """Return the text that the command prints with --format json."""
    return json_text(document) + "\n"


def _trouble(
    request: HttpRequest,
    route: Route,
    site: AdminSite,
    title: str,
    text: str,
    findings: object = (),
) -> HttpResponseBase:
    context = {**_common(request, route, site), "title": title, "text": text, "findings": findings}
    return TemplateResponse(request, "dlq/admin/trouble.html", context, status=SERVER_AWAY)


def _common(request: HttpRequest, route: Route, site: AdminSite) -> dict[str, Any]:
    is_writable = admin_pages() == "full"
    return {
        **site.each_context(request),
        "opts": Queue._meta,
        "route": route.name,
        "may_operate": is_writable and may(request, OPERATE),
        "may_discard": is_writable and may(request, DISCARD),
        "may_see_arguments": may(request, ARGUMENTS),
        "is_read_only": not is_writable,
    }


def _log(request: HttpRequest, done: Done) -> None:
    """Write who did what, where the project's admin shows it."""
    user: Any = request.user
    LogEntry.objects.create(
        user_id=user.pk,
        content_type_id=ContentType.objects.get_for_model(Queue, for_concrete_model=False).pk,
        object_id=done.what[:200],
        object_repr=done.what[:200],
        action_flag=CHANGE,
        change_message=done.message,
    )
