"""Words that `dlq` cannot follow, options in every place, and what goes to which stream."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.conftest import Project
from tests.kit.valkey import Server


@pytest.mark.parametrize(
    ("words", "told"),
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
def test_words_that_cannot_be_followed(project: Project, words: list[str], told: str) -> None:
    answer = project.dlq(*words).has(told, code=2)
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


def test_markup_of_users_is_text(project: Project) -> None:
    project.write("config/markup.py", 'LIGHTWEIGHT_QUEUE_WORKERS = {"a/red": 1, "b": -1}\n')
    shown = in_terminal(project, ["check", "--config", "config/markup.py"])
    assert '{"a/red": 1, "b": -1}' in shown


def test_a_terminal_gets_colour_and_folded_columns(project: Project) -> None:
    shown = in_terminal(project, ["config", "show"], columns=80)
    assert "\x1b[1m" in shown
    for name in ("PROMETHEUS_START_PORT", "REDIS_SOCKET_TIMEOUT", "shop/base.py:4"):
        assert name in shown, "a name was squeezed"
    assert "…" not in shown


@pytest.mark.parametrize("quiet", ["NO_COLOR", "--no-color"])
def test_no_colour_when_it_is_not_wanted(project: Project, quiet: str) -> None:
    project.write("config/bad.py", 'LIGHTWEIGHT_QUEUE_WORKERS = {"b": -1}\n')
    words = ["check", "--config", "config/bad.py"]
    environment = {"NO_COLOR": "1"} if quiet == "NO_COLOR" else {}
    if quiet == "--no-color":
        words.append(quiet)
    shown = in_terminal(project, words, environment=environment)
    assert "error[dlq.E101]" in shown
    assert "\x1b[" not in shown


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
        "    'dlq.provenance.provenance', 'dlq.config.validation.violations',\n"
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


def test_a_terminal_is_asked_before_jobs_are_dropped(live: Project, server: Server) -> None:
    with server.client() as client:
        client.lpush("django_lightweight_queue:emails", b"{}")
        shown = in_terminal(live, ["clear", "emails"], typed="n\n")
        assert "Clear 1 job from emails? [y/N]" in shown
        assert "Nothing was done." in shown
        assert client.llen("django_lightweight_queue:emails") == 1
        shown = in_terminal(live, ["clear", "emails"], typed="y\n")
        assert "Cleared 1 job from queue emails." in shown
        assert client.llen("django_lightweight_queue:emails") == 0


def in_terminal(
    project: Project,
    words: Sequence[str],
    *,
    columns: int = 100,
    environment: dict[str, str] | None = None,
    typed: str = "",
) -> str:
    """What `dlq` writes to a terminal on which `typed` is typed."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "dlq", *words],
        cwd=project.directory,
        env=project.env({"TERM": "xterm-256color", "COLUMNS": str(columns), **(environment or {})}),
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    )
    os.close(follower)
    os.write(leader, typed.encode())
    shown = b""
    end = time.monotonic() + 30
    try:
        while time.monotonic() < end:
            if not select.select([leader], [], [], 1)[0]:
                continue
            try:
                piece = os.read(leader, 65536)
            except OSError:  # Linux says so when the last writer has closed
                break
            if not piece:
                break
            shown += piece
    finally:
        process.kill()
        process.wait(10)
        os.close(leader)
    return shown.decode().replace("\r\n", "\n")


def test_a_narrow_terminal_loses_no_letter(project: Project) -> None:
    """Columns fold or run on; none is cut. The wide piped form says what there is to see."""
    wide = project.dlq("config", "show", "--config", "config/special.py").out
    for columns in (40, 60, 80, 100, 130):
        shown = in_terminal(
            project,
            ["--no-color", "config", "show", "--config", "config/special.py"],
            columns=columns,
        )
        assert "\x1b" not in shown
        assert letters(shown) == letters(wide), columns


def test_no_color_on_a_terminal_is_plain_text(project: Project) -> None:
    for words, environment in ((["plan"], {"NO_COLOR": "1"}), (["--no-color", "plan"], {})):
        shown = in_terminal(project, words, environment=environment)
        assert "\x1b" not in shown
        assert "COUNT FROM" in shown
    assert "\x1b[1m" in in_terminal(project, ["plan"])


def letters(text: str) -> dict[str, int]:
    """How often each is there, whatever it is that stands between them."""
    return Counter(letter for letter in text if letter not in " \n─")


def test_the_table_of_verbs_is_true(project: Project) -> None:
    from dlq.cli.app import VERBS, App

    for listed in VERBS:
        first = (App().get_command(None, listed.name).help or "").splitlines()[0]
        assert first == listed.summary
        assert len(first) < 60, "help would cut it"
