"""Words that `dlq` cannot follow, options in every place, and what goes to which stream."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Project


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["pln"], "no such command 'pln'; did you mean 'plan'?"),
        (["config", "shw"], "no such command 'shw'; did you mean 'show'?"),
        (["plan", "--machin", "1"], "no such option: --machin; did you mean '--machine'?"),
        (["plan", "--format", "jsn"], "dlq plan prints text, json, markdown; did you mean 'json'?"),
        (["check", "--fail-on", "warn"], "say error or warning"),
        (["run", "--of", "2"], "which one is this? For instance --machine 1 --of 2"),
        (["run", "--touchfile", "/tmp/x"], "/tmp/x.%s"),
        (["run", "--touchfile", "nope/x.%s"], "No such file or directory (errno 2)"),
        (["run", "--pidfile", "/nope/x"], "/nope/x: No such file or directory (errno 2)"),
        (["run", "--pidfile", "x", "--embedded"], "leave out --pidfile"),
        (["run", "--exact-configuration"], "--exact-configuration --config FILE"),
        (["worker", "nosuch", "1"], "no queue is called 'nosuch'"),
        (["worker", "images", "0"], "'images' has no worker 0: its workers are 1 to 2"),
        (["worker", "images", "99"], "'images' has no worker 99: its workers are 1 to 2"),
        (["worker", "images", "x"], "'x' is not a whole number"),
        (["pause", "emails"], "--for 1h30m"),
        (
            ["pause", "emails", "--for", "5x"],
            "--for '5x' is not a duration: write 90s, 5m, 1h30m or 7d",
        ),
        (["pause", "emails", "--for", ""], "--for '' is not a duration"),
        (["pause", "emails", "--for", "0s"], "more than 0"),
        (["pause", "emails", "--for", "999999h"], "ten years"),
        (["pause", "emails", "--until", "2030-01-01T08:00:00"], "2030-01-01T08:00:00+0000"),
        (["pause", "emails", "--until", "2001-01-01T08:00:00Z"], "is in the past"),
        (["pause", "emails", "--until", "noon"], "--until 'noon' is not a time"),
        (["failed", "retry"], "--queue, --task, --error or --all"),
        (["failed", "discard", "7f", "--all"], "not both"),
        (["config", "explain", "REDIS_HOTS"], "did you mean REDIS_HOST?"),
        (["cron", "explain", "0 25 * * *"], "'25' is not an hour (0 to 23)"),
        (["demo", "--settings", "shop.settings"], "its own settings"),
        (["init", "--directory", "nope"], "no such directory"),
        (["health", "--fil", "x"], "--file"),
    ],
)
def test_words_that_cannot_be_followed(project: Project, words: list[str], said: str) -> None:
    answer = project.dlq(*words).has(said, code=2)
    assert answer.out == "" or words[0] == "run", "only run has shown its plan by then"


def test_no_words_show_the_help(project: Project) -> None:
    project.dlq().has("Usage: dlq", "deduplicate", code=2)
    project.dlq("--help").has("Usage: dlq", "deduplicate", code=0)
    project.dlq("failed", "-h").has("retry", code=0)


def test_no_project_says_how_to_name_one(tmp_path: Path, project: Project) -> None:
    elsewhere = Project(tmp_path / "elsewhere" / "shop", project.warm)
    for name in ("manage.py", "shop/settings.py"):
        (elsewhere.directory / name).unlink()
    (project.directory / "manage.py").unlink()
    elsewhere.dlq("plan").has("dlq --settings shop.settings", "DJANGO_SETTINGS_MODULE", code=2)


def test_shared_options_stand_before_or_after_the_verb(project: Project) -> None:
    for words in (
        ["--settings", "shop.base", "--config", "config/special.py", "config", "show"],
        ["config", "--settings", "shop.base", "--config", "config/special.py", "show"],
        ["config", "show", "--settings", "shop.base", "--extra-settings", "config/special.py"],
        ["--config", "config/special.py", "config", "show", "--settings=shop.base"],
    ):
        answer = project.dlq(*words, "--format", "json")
        assert answer.json["settings"]["WORKERS"]["value"] == {"images": 6}, words
        assert answer.json["settings"]["WORKERS"]["hides"][0]["source"].startswith("shop/base.py:5")


def test_override_files_add_up_in_their_order(project: Project) -> None:
    project.write("config/second.toml", "max_crashes = 9\n[workers]\nemails = 1\n")
    answer = project.dlq(
        "--config", "config/special.py", "config", "show", "--config", "config/second.toml"
    )
    answer.has("config/second.toml:2", '{"images": 6} (config/special.py:1)', code=0)


def test_version(project: Project) -> None:
    from dlq import __version__

    assert project.dlq("--version").out == f"dlq {__version__}\n"


def test_piped_output_has_no_escape_codes_and_any_width(project: Project) -> None:
    name = "q" * 300
    project.write("config/wide.py", f'LIGHTWEIGHT_QUEUE_WORKERS = {{"{name}": 1}}\n')
    answer = project.dlq(
        "plan", "--config", "config/wide.py", env={"FORCE_COLOR": "1", "COLUMNS": "40"}
    )
    assert "\x1b" not in answer.out
    assert any(line.startswith(f"{name}  1 ") for line in answer.out.splitlines())


def test_a_reader_that_goes_away_gets_no_traceback(project: Project) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "dlq", "config", "schema"],
        cwd=project.directory,
        env=project.env(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(30) == 141


def python(project: Project, code: str) -> str:
    """What it prints, run by an interpreter that has imported nothing yet."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=project.env(),
        cwd=project.directory,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return done.stdout


def test_health_needs_the_standard_library_only(project: Project) -> None:
    path = project.write("alive", "")
    project.dlq("health", "--file", str(path)).has("alive: ", code=0)
    os.utime(path, (time.time() - 100, time.time() - 100))
    answer = project.dlq("health", "--file", str(path))
    assert answer.code == 1
    answer.has("not alive: ", "100 s ago", "30 s are allowed")
    project.dlq("health", "--file", str(path), "--max-age", "1000").has("alive", code=0)
    project.dlq("health", "--file", "nope").has("No such file", code=1)
    code = (
        "import sys\n"
        "from dlq.cli import main\n"
        "try:\n"
        f"    main(['health', '--file', {str(path)!r}])\n"
        "except SystemExit as leaving:\n"
        "    heavy = {'typer', 'rich', 'django', 'pydantic', 'redis'} & set(sys.modules)\n"
        "    print(leaving.code, sorted(heavy))\n"
    )
    said = python(project, code)
    assert said.endswith("1 []\n"), said


def test_help_imports_no_operation(project: Project) -> None:
    """What makes help and completion quick, as a fact that doesn't depend on a clock."""
    code = (
        "import sys\n"
        "from dlq.cli.dispatch import run\n"
        "run(['--help'])\n"
        "heavy = {'django', 'redis', 'pydantic_settings', 'dlq.operations', 'dlq.planning.split'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    said = python(project, code)
    assert said.endswith("[]\n"), said


def test_a_start_imports_nothing_that_it_has_no_use_for(project: Project) -> None:
    """Each start of production waits for what is imported before the first worker. pydantic makes
    the settings; the words about mistakes and the parsers of override files are not needed."""
    code = (
        "import sys\n"
        "from dlq.cli.dispatch import run\n"
        "code = run(['run', '--expect-pool', '00000000'])\n"
        "needless = {'rich', 'tomllib', 'dlq.operations.development.embedded_server',\n"
        "    'dlq.config.sources.python_file', 'dlq.config.json_schema',\n"
        "    'dlq.provenance.lookup', 'dlq.config.validation.violations',\n"
        "    'dlq.backends.redis_storage.deduplication'}\n"
        "print(int(code), sorted(needless & set(sys.modules)))\n"
    )
    said = python(project, code)
    assert said.endswith("3 []\n"), said


def test_shell_completion_knows_verbs_and_options(project: Project) -> None:
    def complete(words: str) -> str:
        count = len(words.split(" ")) - 1
        return project.dlq(
            env={"_DLQ_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(count)}
        ).out

    assert "plan" in complete("dlq pl").split()
    assert "--machine" in complete("dlq plan --ma").split()
    assert "sarif" in complete("dlq check --format sa").split()


def test_the_table_of_verbs_is_true(project: Project) -> None:
    from dlq.cli.app import VERBS, App

    for listed in VERBS:
        first = (App().get_command(None, listed.name).help or "").splitlines()[0]
        assert first == listed.summary
        assert len(first) <= 60, "help would cut it"


def test_no_summary_is_cut_in_the_help_of_a_group(project: Project) -> None:
    for group in ("failed", "delayed", "cron", "config"):
        answer = project.dlq(group, "--help").has("Commands:", code=0)
        assert "..." not in answer.out.partition("Commands:")[2], group
