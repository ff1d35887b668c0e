"""The child process of `dlq.provenance.reimport`: imports the settings again, under observation."""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module

from django.conf import settings

from dlq.project.load import import_settings
from dlq.provenance.observed_settings import DjangoSettingLocations
from dlq.provenance.reimport import text_of


def main() -> None:
    """Answer a request from stdin on what was stdout: settings may print."""
    answers, nothing = os.dup(1), os.open(os.devnull, os.O_RDWR)
    request = json.load(sys.stdin)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    sys.argv, sys.path = request["argv"], request["path"]
    os.environ["DJANGO_SETTINGS_MODULE"] = request["module"]
    if os.environ.get("DJANGO_CONFIGURATION"):
        import_module("configurations.importer").install()
    import_settings(request["module"])
    locations = DjangoSettingLocations(settings)
    missing = object()
    found = {
        name: (text_of(getattr(settings, name, missing)), locations(name))
        for name in request["names"]
    }
    os.write(answers, json.dumps(found).encode())
    os._exit(0)  # threads that the settings started may run for ever
