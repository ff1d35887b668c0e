"""The debug view: DEBUG only, signed jobs only, POST with CSRF runs, and nothing stays."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse

from dlq import task
from dlq.backends.debug_web import SIGNING_SALT, DebugWebBackend
from dlq.job import Job
from dlq.types import QueueName
from tests.project.orders.models import Order

logger = logging.getLogger("tests.debug_view")

ran: list[str] = []


@task()
def store(address: str) -> str:
    ran.append(address)
    Order.objects.create(address=address)
    logger.info("stored %s", Order.objects.count())
    return f"<b>{address}</b>"


@task(atomic=False)
def fail() -> None:
    raise RuntimeError("<script>no</script>")


@pytest.fixture(autouse=True)
def _debug(settings: Any) -> None:
    settings.DEBUG = True
    ran.clear()


def url(job: Job, *, salt: str = SIGNING_SALT) -> str:
    signed = signing.dumps(job.to_json(), salt=salt)
    return f"{reverse('django-lightweight-queue:debug-run')}?{urlencode({'job': signed})}"


STORE = Job(f"{__name__}.store", ["<i>a street</i>"], {})


@pytest.mark.django_db(databases=["default", "other"])
def test_the_url_that_the_backend_prints_leads_here(
    settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.SITE_URL = "http://shop.test"
    DebugWebBackend().enqueue(STORE, QueueName("emails"))
    printed = capsys.readouterr().out.strip()
    assert printed.startswith("http://shop.test/debug/")
    assert Client().post(printed.removeprefix("http://shop.test")).status_code == 200
    assert ran == ["<i>a street</i>"]


def test_the_path_is_that_of_4_11() -> None:
    path = reverse("django-lightweight-queue:debug-run")
    assert path == "/debug/django-lightweight-queue/debug-run"


@pytest.mark.django_db(databases=["default", "other"])
def test_get_shows_the_job_and_runs_nothing() -> None:
    answer = Client().get(url(STORE))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "&lt;i&gt;a street&lt;/i&gt;" in page
    assert "<i>" not in page
    assert ran == []


@pytest.mark.django_db(databases=["default", "other"])
def test_post_runs_it_and_rolls_back() -> None:
    answer = Client().post(url(STORE))
    page = answer.content.decode()
    assert ran == ["<i>a street</i>"]
    assert Order.objects.count() == 0
    assert "Done in" in page
    assert "INFO tests.debug_view: stored 1" in page
    assert "&lt;b&gt;" in page
    assert "<b>" not in page


@pytest.mark.django_db(databases=["default", "other"])
def test_a_job_that_raises_shows_its_traceback_escaped() -> None:
    page = Client().post(url(Job(f"{__name__}.fail", [], {}))).content.decode()
    assert "Failed in" in page
    assert "RuntimeError: &lt;script&gt;no&lt;/script&gt;" in page
    assert "<script>" not in page


@pytest.mark.django_db(databases=["default", "other"])
def test_post_needs_the_token_of_the_form() -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post(url(STORE)).status_code == 403
    assert ran == []
    page = client.get(url(STORE)).content.decode()
    token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    assert client.post(url(STORE), {"csrfmiddlewaretoken": token}).status_code == 200
    assert ran == ["<i>a street</i>"]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "job=",
        urlencode({"job": STORE.to_json()}),
        urlencode({"job": signing.dumps(STORE.to_json(), salt="another")}),
        urlencode({"job": signing.dumps("[]", salt=SIGNING_SALT)}),
    ],
    ids=["missing", "empty", "unsigned", "signed for something else", "not a job"],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_only_jobs_that_this_project_signed(query: str, method: str) -> None:
    path = reverse("django-lightweight-queue:debug-run")
    answer = getattr(Client(), method)(f"{path}?{query}")
    assert answer.status_code == 400
    assert ran == []


@pytest.mark.parametrize("method", ["get", "post"])
def test_without_debug_there_is_no_such_page(settings: Any, method: str) -> None:
    settings.DEBUG = False
    assert getattr(Client(), method)(url(STORE)).status_code == 404
    assert ran == []
