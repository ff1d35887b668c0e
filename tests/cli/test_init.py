"""`dlq init`: starter files that pass the check, and that overwrite nothing."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Project


@pytest.mark.parametrize(
    ("words", "override"), [((), "dlq-overrides.py"), (("--toml",), "dlq-overrides.toml")]
)
def test_init_writes_files_that_work(
    project: Project, words: tuple[str, ...], override: str
) -> None:
    answer = project.dlq("init", *words).has(f"next:  dlq check --config {override}", code=0)
    for name in (override, "cron.py", "dlq.service", "dlq-ci.yml"):
        assert (project.directory / name).read_text().strip()
        assert any(line.startswith(f"wrote  {name} ") for line in answer.out.splitlines())
    assert project.dlq("plan", "--machine", "1", "--of", "2", "--config", override).code == 0


def test_init_overwrites_nothing(project: Project) -> None:
    project.write("dlq.service", "mine")
    answer = project.dlq("init").has("exists, not touched", code=0)
    assert (project.directory / "dlq.service").read_text() == "mine"
    before = (project.directory / "cron.py").read_bytes()
    assert "wrote" in answer.out
    again = project.dlq("init").has(code=0)
    assert "wrote" not in again.out
    assert (project.directory / "cron.py").read_bytes() == before
