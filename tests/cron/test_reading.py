"""cron.py files: every mistake is told at once, and each with its place."""

from __future__ import annotations

import copy
from importlib import import_module
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import override_settings

from dlq.cron.files.configuration import check_queues, implied_queues
from dlq.cron.files.load import load_rows
from dlq.cron.files.read_module import check_files
from dlq.errors import UsageError
from tests.cron.files import check, command, ids, installed, load, marked

GOOD = 'CONFIG = ({"command": "check", "minutes": "0,30", "hours": "*"},)\n'


def test_a_good_file_has_rows_with_their_lines(tmp_path: Path) -> None:
    found = check(
        tmp_path,
        """\
CONFIG = [
    {"command": "check", "minutes": "0", "hours": "*"},
    {
        "command": "migrate", "schedule": "0 3 * * *",
        "queue": "nightly", "command_kwargs": {"verbosity": 0},
    },
]
""",
    )
    assert found.findings == ()
    assert [(row.command, row.source.line, row.index) for row in found.rows] == [
        ("check", 2, 0),
        ("migrate", 3, 1),
    ]
    assert found.row_count == 2
    assert [file.row_count for file in found.files] == [2]


def test_mistakes_of_all_rows_and_all_apps_are_told_at_once(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        shop='CONFIG = [{"command": "check", "minutes": "60", "hours": "24"}]',
        blog="import nothing_of_this_name",
        crm="",
        fine=GOOD,
    )
    assert sorted(ids(found)) == ["E201", "E205", "E205", "W218"]
    assert [row.app for row in found.rows] == ["fine"]
    assert len(found.files) == 4
    assert found.row_count == 2


def test_config_is_never_changed(tmp_path: Path) -> None:
    with installed(tmp_path, shop=GOOD):
        module = import_module("shop.cron")
        before = copy.deepcopy(module.CONFIG)
        row = module.CONFIG[0]
        load_rows()
        assert before == module.CONFIG
        assert module.CONFIG[0] is row


def test_the_rows_of_an_ignored_app_count_as_in_411(tmp_path: Path) -> None:
    with override_settings(LIGHTWEIGHT_QUEUE_IGNORE_APPS=["shop"]):
        found = load(tmp_path, shop=GOOD)
    assert [row.app for row in found.rows] == ["shop"]


def test_dlq_s_own_package_of_that_name_is_not_a_cron_py() -> None:
    assert [file.module for file in load_rows().files if file.module.startswith("dlq")] == []


# The places.


@pytest.mark.parametrize(
    ("text", "code", "pointed"),
    [
        ('CONFIG = [{"command": "check", "minutes": "0,60", "hours": "*"}]', "E205", '"0,60"'),
        (
            'CONFIG = [{"command": "check", "minute": "0", "schedule": "* * * * *"}]',
            "W204",
            '"minute"',
        ),
        ('CONFIG = [dict(command="check", minute=0, schedule="* * * * *")]', "W204", "minute"),
        ('CONFIG = [dict(command="check", minutes=99, hours="*")]', "E205", "99"),
        ('CONFIG = [{"command": "chekc", "schedule": "* * * * *"}]', "E208", '"chekc"'),
        ('CONFIG = [{"x": "äöü€", "command": "check", "schedule": "* * * * *"}]', "W204", '"x"'),
        ('CONFIG = [{"command": "check", "hours": "ä", "minutes": "1"}]', "E205", '"ä"'),
        ('é = {"command": "check", "schedule": "* * * * 9"}; CONFIG = [é]', "E205", '"* * * * 9"'),
        (
            'CONFIG = [{"command": "check", "minutes": "0"}]',
            "E203",
            '{"command": "check", "minutes": "0"}',
        ),
        ('CONFIG = ["check"]', "E206", '"check"'),
        ('CONFIG = {"command": "check"}', "E202", "CONFIG"),
        ("CONFIG = []", "W209", "CONFIG"),
        (
            'CONFIG: list = [{"command": "check", "schedule": "0 0 31 2 *"}]',
            "W214",
            '{"command": "check", "schedule": "0 0 31 2 *"}',
        ),
    ],
)
@pytest.mark.parametrize("django", [True, False])
def test_a_finding_points_at_the_very_piece(
    tmp_path: Path, text: str, code: str, pointed: str, django: bool
) -> None:
    if code == "E208" and not django:
        return
    found = check(tmp_path, text, django=django)
    wanted = [one for one in found.findings if one.level != "info"]
    assert [one.id for one in wanted] == [f"dlq.{code}"]
    assert marked(found, text, found.findings.index(wanted[0])) == pointed


@pytest.mark.parametrize(
    "text",
    [
        'CONFIG = []\nCONFIG += [{"command": "check",\n "schedule": "* * * * 9"}]',
        'CONFIG = []\nCONFIG.append({"command": "check",\n "schedule": "* * * * 9"})',
        'CONFIG = []\nCONFIG.extend([{"command": "check",\n "schedule": "* * * * 9"}])',
        'A = [{"command": "check",\n\n "schedule": "* * * * 9"}]\nCONFIG = A + []',
        'A = [{"command": "check",\n\n "schedule": "* * * * 9"}]\nCONFIG = [*A]',
        'A = {"command": "check",\n\n "schedule": "* * * * 9"}\nCONFIG = [A]',
        'S = "* * * * 9"\n\nCONFIG = [{"command": "check", "schedule": S}]',
        'if 1 > 2:\n C = 1\nelse:\n CONFIG = [{"command": "check",\n"schedule": "* * * * 9"}]',
        'try:\n CONFIG = [{"command": "check",\n"schedule": "* * * * 9"}]\nfinally: C = 1',
        'CONFIG = [{"command": "check",\n"schedule": "* * * * 9"}]\nif 1 > 2:\n CONFIG = []',
    ],
)
def test_ways_of_writing_config_that_still_have_a_place(tmp_path: Path, text: str) -> None:
    found = check(tmp_path, text)
    assert ids(found) == ["E205"]
    source = found.findings[0].source
    assert source is not None
    lines = text.splitlines()
    wanted = next(
        number
        for number, line in enumerate(lines, 1)
        if '"schedule": "* * * * 9"' in line or '"schedule": S' in line
    )
    assert source.line == wanted


@pytest.mark.parametrize(
    "text",
    [
        'CONFIG = [{"command": "check", "schedule": f"* * * * {n}"} for n in (9,)]',
        'def rows():\n    return [{"command": "check", "schedule": "* * * * 9"}]\nCONFIG = rows()',
        # The literal was changed afterwards, so no place that it has now is the row's.
        (
            'CONFIG = [{"command": "check", "schedule": "* * * * 1"}]\n'
            'CONFIG[0]["schedule"] = "* * * * 9"'
        ),
        (
            'CONFIG = [{"command": "check", "schedule": "* * * * 1"}]\n'
            'CONFIG.insert(0, {"command": "check", "schedule": "* * * * 9"})'
        ),
    ],
)
def test_what_is_computed_has_its_file_and_no_wrong_line(tmp_path: Path, text: str) -> None:
    found = check(tmp_path, text)
    assert ids(found) == ["E205"]
    source = found.findings[0].source
    assert source is not None
    assert source.file == str(tmp_path / "cron.py")
    assert source.line is None
    assert found.findings[0].message.startswith("cron CONFIG[0]: schedule")


def test_a_path_below_the_working_directory_is_shown_as_one_would_type_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = check(tmp_path, "CONFIG = []")
    assert found.files[0].path == "cron.py"


# Modules that are no cron.py, or none that works.


def test_an_error_in_the_file_is_told_with_its_line(tmp_path: Path) -> None:
    found = check(tmp_path, "import os\n\nos.nothing_of_this_name\nCONFIG = []")
    assert ids(found) == ["E201"]
    source = found.findings[0].source
    assert source is not None
    assert source.line == 3
    assert "AttributeError: module 'os' has no attribute" in found.findings[0].message


def test_an_error_below_the_file_is_told_with_both_places(tmp_path: Path) -> None:
    found = check(tmp_path, "import json\nCONFIG = json.loads('{')")
    source = found.findings[0].source
    assert source is not None
    assert source.line == 2
    assert found.findings[0].help is not None
    assert "json/decoder.py:" in found.findings[0].help


@pytest.mark.parametrize("django", [True, False])
def test_a_syntax_error_is_told_with_line_and_column(tmp_path: Path, django: bool) -> None:
    text = 'CONFIG = [\n    {"command": "check"}\n    {"command": "check"},\n]'
    found = check(tmp_path, text, django=django)
    assert ids(found) == ["E201"]
    source = found.findings[0].source
    assert source is not None
    assert (source.file, source.line, source.column) == (str(tmp_path / "cron.py"), 2, 5)
    assert source.end_column is None or source.end_column > 5
    assert "comma" in found.findings[0].message


def test_a_cron_py_that_ends_the_process_ends_only_its_import(tmp_path: Path) -> None:
    assert ids(check(tmp_path, "import sys\nsys.exit(3)")) == ["E201"]


def test_a_module_for_another_purpose_is_told_the_way_out(tmp_path: Path) -> None:
    found = load(tmp_path, shop="def tick(): ...")
    assert ids(found) == ["W218"]
    assert found.findings[0].message == "shop.cron has no CONFIG, so nothing is scheduled from it"
    assert "nothing to do" in str(found.findings[0].help)


def test_a_package_named_cron_is_told_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "cron").mkdir()
    (tmp_path / "shop" / "cron" / "__init__.py").write_text("")
    (tmp_path / "shop" / "__init__.py").write_text("")
    import sys

    sys.path.insert(0, str(tmp_path))
    try:
        with override_settings(INSTALLED_APPS=["shop"]):
            found = load_rows()
    finally:
        sys.path.remove(str(tmp_path))
        for name in ("shop", "shop.cron"):
            sys.modules.pop(name, None)
    assert ids(found) == ["W218"]


def test_a_forgotten_comma_makes_a_dict_and_is_told_so(tmp_path: Path) -> None:
    found = check(tmp_path, 'CONFIG = ({"command": "check", "minutes": "0", "hours": "*"})')
    assert ids(found) == ["E202"]
    assert "did you forget the comma after the closing brace?" in str(found.findings[0].help)


@pytest.mark.parametrize("config", ["'check'", "None", "7", "iter([])", "{1, 2}"])
def test_config_must_be_a_sequence(tmp_path: Path, config: str) -> None:
    found = check(tmp_path, f"CONFIG = {config}")
    assert ids(found) == ["E202"]
    assert "must be a sequence of rows" in found.findings[0].message


@pytest.mark.parametrize("config", ["[]", "()"])
@pytest.mark.parametrize("django", [True, False])
def test_no_rows_are_never_passed_in_silence(tmp_path: Path, config: str, django: bool) -> None:
    found = check(tmp_path, f"CONFIG = {config}", django=django)
    assert "W209" in ids(found)


# Rows in their surroundings.


def test_unknown_commands_are_told_with_a_suggestion(tmp_path: Path) -> None:
    found = check(tmp_path, 'CONFIG = [{"command": "migrat", "schedule": "* * * * *"}]')
    assert ids(found) == ["E208"]
    assert found.findings[0].help == "did you mean 'migrate'?"


def test_a_command_whose_module_does_not_import_is_told(tmp_path: Path) -> None:
    row = 'CONFIG = [{"command": "broken", "schedule": "* * * * *"}]'
    with (
        installed(tmp_path, shop=row),
        command(tmp_path / "shop", "broken", "import nothing_of_this_name"),
    ):
        found = load_rows()
    assert ids(found) == ["E208"]
    assert "ModuleNotFoundError: No module named 'nothing_of_this_name'" in (
        found.findings[0].message
    )


@pytest.mark.parametrize(
    ("arguments", "pointed", "message"),
    [
        ('"command_args": ["a", "b", "c"]', '["a", "b", "c"]', "unrecognized arguments: c"),
        ('"command_kwargs": {"databse": "x"}', '{"databse": "x"}', "has no option 'databse'"),
        ('"command_args": ["--help"]', '["--help"]', "without running"),
        ('"command_args": ["--verbosity", "9"]', '["--verbosity", "9"]', "invalid choice"),
    ],
)
def test_arguments_that_the_command_refuses_are_told(
    tmp_path: Path, arguments: str, pointed: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = 'CONFIG = [{"command": "migrate", "schedule": "0 3 * * *", ' + arguments + "}]"
    found = check(tmp_path, text)
    assert ids(found) == ["E210"]
    assert marked(found, text) == pointed
    assert message in found.findings[0].message
    assert capsys.readouterr() == ("", "")


def test_a_misspelt_option_is_told_what_was_meant(tmp_path: Path) -> None:
    found = check(
        tmp_path,
        'CONFIG = [{"command": "migrate", "schedule": "0 3 * * *",'
        ' "command_kwargs": {"databse": "x"}}]',
    )
    assert found.findings[0].help == "did you mean 'database'?"


def test_a_required_argument_may_come_by_name_and_the_command_is_not_run(tmp_path: Path) -> None:
    """A command that would leave a trace if it ran."""
    row = (
        'CONFIG = [{"command": "trace", "schedule": "0 3 * * *", "command_kwargs": {"to": "x"}},'
        ' {"command": "trace", "schedule": "0 4 * * *"}]'
    )
    trace = tmp_path / "trace"
    text = f"""\
from pathlib import Path
from django.core.management.base import BaseCommand

class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("--to", required=True)

    def handle(self, **options):
        Path({str(trace)!r}).write_text("ran")
"""
    with installed(tmp_path, shop=row), command(tmp_path / "shop", "trace", text):
        found = load_rows()
        assert not trace.exists()
        call_command("trace", to="x")
        assert trace.exists()
    assert ids(found) == ["E210"]
    assert "--to" in found.findings[0].message
    assert found.findings[0].source is not None


def test_a_parser_that_cannot_be_built_is_told_as_not_checked(tmp_path: Path) -> None:
    row = 'CONFIG = [{"command": "needsdb", "schedule": "0 3 * * *"}]'
    text = """\
from django.core.management.base import BaseCommand

class Command(BaseCommand):
    def add_arguments(self, parser):
        raise ConnectionError("no database")
"""
    with installed(tmp_path, shop=row), command(tmp_path / "shop", "needsdb", text):
        found = load_rows()
    assert ids(found) == ["I217"]
    assert "its parser raised ConnectionError: no database" in found.findings[0].message
    assert len(found.rows) == 1


def test_the_same_row_twice_is_told_with_both_places(tmp_path: Path) -> None:
    found = load(tmp_path, first=GOOD, second="\n\n" + GOOD)
    assert ids(found) == ["W213"]
    source = found.findings[0].source
    assert source is not None
    assert str(source.file).endswith("second/cron.py")
    assert source.line == 3
    assert "first/cron.py:1" in found.findings[0].message


def test_a_row_that_never_fires_is_told(tmp_path: Path) -> None:
    found = check(tmp_path, 'CONFIG = [{"command": "check", "schedule": "0 0 30 2 *"}]')
    assert ids(found) == ["W214"]


def test_a_row_that_fires_more_often_than_its_timeout_allows_is_told(tmp_path: Path) -> None:
    found = check(
        tmp_path,
        'CONFIG = [{"command": "check", "schedule": "* * * * *", "timeout": 3600},'
        ' {"command": "check", "schedule": "0 * * * *", "timeout": 3600}]',
    )
    assert ids(found) == ["W215"]
    assert "fires again after 60 s" in found.findings[0].message


def test_queues_without_a_worker_are_told(tmp_path: Path) -> None:
    rows = check(
        tmp_path,
        'CONFIG = [{"command": "check", "schedule": "* * * * *"},\n'
        ' {"command": "check", "schedule": "* * * * *", "queue": "stock"}]',
    ).rows
    found = check_queues(rows, {"cron"})
    assert [finding.id for finding in found] == ["dlq.W216"]
    assert "'stock'" in found[0].message
    assert found[0].source == rows[1].source
    assert list(implied_queues(rows)) == ["cron", "stock"]
    assert implied_queues(rows)["stock"].line == 2  # type: ignore[index]  # a plain name


def test_values_that_can_neither_be_shown_nor_compared_are_told_by_their_type(
    tmp_path: Path,
) -> None:
    text = (
        "class Mute:\n"
        "    def __repr__(self): raise RuntimeError('no words')\n"
        "    __eq__ = __repr__\n"
        "    __hash__ = object.__hash__\n"
        "CONFIG = [\n"
        '    {"command": Mute(), "minutes": Mute(), "hours": [Mute()], Mute(): 1},\n'
        "    Mute(),\n"
        '    {"command": "check", "schedule": Mute(), "queue": Mute(), "timeout": Mute()},\n'
        '    {"command": "check", "minutes": 1, "hours": 1, "command_args": [Mute()],'
        ' "command_kwargs": {Mute(): 1}, "atomic": Mute(), "timezone": Mute()},\n'
        "]\n"
    )
    found = check(tmp_path, text)
    assert {"W204", "E205", "E206", "E211"} <= set(ids(found))
    assert found.rows == ()
    assert all("Mute" in finding.message for finding in found.findings), found.findings


# Single files.


def test_a_file_of_an_installed_app_is_imported_under_its_name(tmp_path: Path) -> None:
    text = "from .rows import ROWS as CONFIG\n"
    with installed(tmp_path, shop=text):
        (tmp_path / "shop" / "rows.py").write_text(GOOD.replace("CONFIG", "ROWS"))
        found = check_files([str(tmp_path / "shop" / "cron.py")], django=True)
    assert ids(found) == []
    assert [row.app for row in found.rows] == ["shop"]


def test_a_path_that_cannot_be_read_is_a_mistake_of_usage(tmp_path: Path) -> None:
    missing = tmp_path / "cron.py"
    with pytest.raises(UsageError, match="No such file"):
        check_files([str(missing)], django=True)
    with pytest.raises(UsageError, match="directory"):
        check_files([str(tmp_path)], django=False)
    missing.write_bytes(b"CONFIG = '\xff'")
    with pytest.raises(UsageError, match="cannot read"):
        check_files([str(missing)], django=False)


def test_without_django_nothing_is_run_and_the_rest_is_told_as_unchecked(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    found = check(
        tmp_path,
        f"open({str(trace)!r}, 'w').close()\n"
        "import nothing_of_this_name as n\n"
        "CONFIG = [\n"
        '    {"command": "nothing_of_this_name", "minutes": "0", "hours": "*"},\n'
        '    {"command": "check", "minutes": n.MINUTES, "hours": "24"},\n'
        '    {"command": "check", **n.SCHEDULE},\n'
        "    n.ROW,\n"
        "]\n",
        django=False,
    )
    assert not trace.exists()
    assert sorted(ids(found)) == ["E205", "I217", "I217", "I217"]
    messages = " ".join(finding.message for finding in found.findings)
    assert "the value of 'minutes' is computed" in messages
    assert "row 4 is computed" in messages
    assert "commands and their arguments were not looked up" in messages
    assert found.row_count == 4
    assert [row.command for row in found.rows] == ["nothing_of_this_name"]


def test_without_django_a_computed_config_is_told(tmp_path: Path) -> None:
    found = check(tmp_path, "CONFIG = make()", django=False)
    assert sorted(ids(found)) == ["I217", "I217", "W209"]


def test_without_django_a_file_without_config_is_told(tmp_path: Path) -> None:
    assert ids(check(tmp_path, "X = 1", django=False)) == ["W218"]


@pytest.mark.parametrize(
    "text", ["CONFIG = " + "[" * 5000, "A = B\nB = A\nA = B\nCONFIG = A + A", "CONFIG = CONFIG"]
)
def test_text_that_runs_in_circles_or_too_deep_is_no_crash(tmp_path: Path, text: str) -> None:
    assert ids(check(tmp_path, text, django=False)) != []
