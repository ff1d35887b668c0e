"""Django's own suite against the backend; see `own_suite` for how it is run by hand.

It needs the source distribution of the installed Django, which a test does not download: it runs
where DJANGO_SOURCE names the directory.
"""

from __future__ import annotations

import os
import subprocess
import sys

import django
import pytest

from tests.kit.environments import ROOT


@pytest.mark.skipif(django.VERSION < (6, 0), reason="Django 5.2 has no tasks framework")
@pytest.mark.skipif("DJANGO_SOURCE" not in os.environ, reason="DJANGO_SOURCE is not given")
def test_no_other_test_differs_than_those_with_a_reason() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.django_tasks.own_suite"],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
