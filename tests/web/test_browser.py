"""The pages in a real browser: no error, no violation of a strict policy, accessible, usable by
keyboard and without JavaScript. Where no browser is installed they are skipped, with the reason."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from pytest_django.live_server_helper import LiveServer
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from dlq.web.gate import url_of
from dlq.web.routes import ROUTES
from tests.kit.waiting import wait_until
from tests.web.conftest import Visitor
from tests.web.test_pages import EMAILS, HOSTILE, fail_one, query_of

CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")

pytestmark = [
    pytest.mark.skipif(
        CHROMIUM is None or DRIVER is None,
        reason="no browser: apt-get install chromium chromium-driver",
    ),
    pytest.mark.django_db(transaction=True),
]

ARTEFACTS = "DLQ_SCREENSHOTS"
"""In the environment: the directory to keep screenshots in."""

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
)

PAGES = [route.name for route in ROUTES if route.method == "GET" and route.name != "changelist"]


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe, which looks for barriers in a page."""
    return resources.files("axe_core_python").joinpath("axe.min.js").read_text()


def browser(profile: Path, *flags: str, javascript: bool = True) -> webdriver.Chrome:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, *flags, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    if not javascript:
        options.add_experimental_option(
            "prefs", {"profile.managed_default_content_settings.javascript": 2}
        )
    return webdriver.Chrome(options=options, service=Service(str(DRIVER)))


@pytest.fixture
def chrome(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    driver = browser(tmp_path / "profile")
    yield driver
    driver.quit()


def log_in(driver: webdriver.Chrome, live_server: LiveServer, client: Client) -> None:
    driver.get(f"{live_server.url}/admin/login/")
    name = django_settings.SESSION_COOKIE_NAME
    driver.add_cookie({"name": name, "value": client.cookies[name].value, "path": "/"})


def address(live_server: LiveServer, page: str, id: str) -> str:
    return f"{live_server.url}{url_of(page, query_of(page, id))}"


def complaints(driver: webdriver.Chrome) -> list[str]:
    """What the browser's console has to say: errors, and violations of the policy."""
    log: Any = driver
    return [entry["message"] for entry in log.get_log("browser") if entry["level"] == "SEVERE"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_in_a_browser(
    chrome: webdriver.Chrome, live_server: LiveServer, visitor: Visitor, axe: str, theme: str
) -> None:
    """No console error, no violation of the policy, and axe finds no barrier."""
    id = fail_one(81, HOSTILE, reason=f"ValueError: {HOSTILE}")
    log_in(chrome, live_server, visitor(superuser=True))
    chrome.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": theme}]},
    )
    for page in PAGES:
        chrome.get(address(live_server, page, id))
        assert chrome.find_element(By.TAG_NAME, "h1").text
        assert complaints(chrome) == [], page
        chrome.execute_script(axe)
        found = chrome.execute_async_script(
            "const done = arguments[0];"
            "axe.run('.dlq').then(r => done(r.violations.map("
            "v => `${v.id}: ${v.help} ${v.nodes.map(n => n.html).join(' ')}`)));"
        )
        assert found == [], page
        keep(chrome, f"{page}-{theme}")


def keep(driver: webdriver.Chrome, name: str) -> None:
    """Keep a screenshot, where somebody asked for them."""
    if directory := os.environ.get(ARTEFACTS):
        Path(directory).mkdir(parents=True, exist_ok=True)
        driver.save_screenshot(str(Path(directory, f"{name}.png")))


def test_a_job_is_retried_by_keyboard_alone(
    chrome: webdriver.Chrome, live_server: LiveServer, visitor: Visitor
) -> None:
    id = fail_one(81)
    log_in(chrome, live_server, visitor("view_queue", "operate_queue"))
    chrome.get(address(live_server, "failed", id))

    def is_on_retry() -> bool:
        chrome.switch_to.active_element.send_keys(Keys.TAB)
        label = chrome.switch_to.active_element.get_attribute("aria-label") or ""
        return label.startswith("Retry tests.project")

    wait_until(is_on_retry, 20, what="Tab comes to the button")
    chrome.switch_to.active_element.send_keys(Keys.ENTER)
    wait_until(lambda: "back on emails" in chrome.page_source, 10)


def test_the_page_refreshes_and_keeps_the_focus(
    chrome: webdriver.Chrome, live_server: LiveServer, visitor: Visitor
) -> None:
    log_in(chrome, live_server, visitor(superuser=True))
    chrome.get(address(live_server, "overview", ""))
    link = chrome.find_element(By.LINK_TEXT, "emails")
    chrome.execute_script("arguments[0].focus()", link)
    chrome.execute_script(
        "const every = document.getElementById('dlq-every'); every.value = '5';"
        "every.dispatchEvent(new Event('change'));"
    )
    fail_one(81)
    wait_until(lambda: "1 failed" in chrome.page_source, 15, what="the page shows it")
    assert chrome.switch_to.active_element.text == "emails"


def test_everything_works_without_javascript(
    tmp_path: Path, live_server: LiveServer, visitor: Visitor
) -> None:
    id = fail_one(81)
    driver = browser(tmp_path / "profile", javascript=False)
    try:
        log_in(driver, live_server, visitor(superuser=True))
        driver.get(address(live_server, "failed_job", id))
        driver.find_element(By.XPATH, "//button[text()='Discard…']").click()
        driver.find_element(By.XPATH, "//button[text()='Discard']").click()
        assert "Discarded" in driver.page_source
        driver.get(address(live_server, "queue", ""))
        driver.find_element(By.XPATH, "//button[text()='Pause']").click()
        assert f"Paused {EMAILS}" in driver.page_source
        assert driver.find_elements(By.ID, "dlq-every")[0].is_displayed() is False
    finally:
        driver.quit()
