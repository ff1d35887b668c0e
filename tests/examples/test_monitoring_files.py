"""The alert rules and the dashboard: each expression names metrics that dlq has."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from dlq.operations.monitoring.prometheus_text import families
from dlq.operations.status import Status

FILES = Path(__file__).parents[2] / "config-examples" / "monitoring"
KNOWN = {family.name for family in families(Status(0.0, (), (), (), ()))}


def expressions() -> list[str]:
    rules = yaml.safe_load((FILES / "alerts.yml").read_text())
    found = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    dashboard = json.loads((FILES / "grafana-dashboard.json").read_text())
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    found += [target["expr"] for panel in panels for target in panel["targets"]]
    return found


@pytest.mark.parametrize("expression", expressions())
def test_an_expression_names_metrics_that_there_are(expression: str) -> None:
    named = set(re.findall(r"\bdlq_\w+", expression))
    assert named
    assert named <= KNOWN


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool")
def test_promtool_accepts_the_rules() -> None:
    subprocess.run(["promtool", "check", "rules", str(FILES / "alerts.yml")], check=True)
