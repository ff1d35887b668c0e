"""Override files of each kind: their values, their places, and what is wrong with them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from textwrap import dedent
from threading import Thread

import pytest

from dlq.config.resolution import Resolution
from dlq.diagnostics.finding import Finding
from tests.config import projects

NOTHING = {"shop/settings.py": ""}


@pytest.fixture(autouse=True)
def _in_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def resolved(name: str, text: str, *, exact: bool = False) -> Resolution:
    path = Path(name)
    path.write_text(dedent(text), encoding="utf-8")
    path.chmod(0o644)
    return projects.resolved(Path.cwd(), NOTHING, name, exact=exact)


def only(resolution: Resolution) -> Finding:
    (finding,) = resolution.findings
    return finding


TOML = """\
# the pool
redis_port = 6380
middleware = [ # first
  "a.b.C", "d.e.F",
]
"redis_host" = 'redis.internal'   # host
redis_prefix = \"\"\"
a = 1 [x]\"\"\"
backend_overrides = { emails = "a.b.C", "two words" = "x" }
task_modules = ["x.y"]

[workers]
emails = 3
"a.b" = 1
'q=1' = 0x10
"""


def test_toml_values_have_locations() -> None:
    resolution = resolved("pool.toml", TOML)
    at = {name: resolution.source_of(name).location for name in resolution.values}
    assert at["REDIS_PORT"] == "pool.toml:2:14"
    assert at["MIDDLEWARE"] == "pool.toml:3:14"
    assert at["REDIS_HOST"] == "pool.toml:6:16"
    assert at["REDIS_PREFIX"] == "pool.toml:7:16"
    assert at["BACKEND_OVERRIDES"] == "pool.toml:9:21"
    assert at["TASK_MODULES"] == "pool.toml:10:16"
    assert at["WORKERS"] == "pool.toml:12:2"
    items = resolution.values["WORKERS"].items
    assert {key: source.location for key, source in items.items()} == {
        "emails": "pool.toml:13:10",
        "a.b": "pool.toml:14:9",
        "q=1": "pool.toml:15:9",
    }
    (finding,) = [f for f in resolution.findings if f.id == "dlq.E102"]
    assert finding.source is not None
    assert "two words" in finding.message
    assert finding.source.location == "pool.toml:9:41"


@pytest.mark.parametrize(
    ("text", "setting", "item"),
    [
        ("workers.emails = 3\n", "p.toml:1:1", "p.toml:1:18"),
        ("workers . 'emails' = 3\n", "p.toml:1:1", "p.toml:1:22"),
        ("workers = {emails=3}\n", "p.toml:1:11", "p.toml:1:19"),
        ("workers = { emails = 3 , b = 1 }\n", "p.toml:1:11", "p.toml:1:22"),
        ("[workers]\nemails=3", "p.toml:1:2", "p.toml:2:8"),
        ("[ workers ] # x\r\n\r\nemails = 3 # y\r\n", "p.toml:1:3", "p.toml:3:10"),
        ("# é\n[workers]\n'é' = 1\nemails = 3\n", "p.toml:2:2", "p.toml:4:10"),
    ],
)
def test_toml_tables_in_all_their_spellings(text: str, setting: str, item: str) -> None:
    Path("p.toml").write_bytes(text.encode())
    value = projects.resolved(Path.cwd(), NOTHING, "p.toml").values["WORKERS"]
    assert isinstance(value.value, dict)
    assert value.value["emails"] == 3
    assert value.source.location == setting
    assert value.items["emails"].location == item


def test_a_key_that_is_no_text_is_pointed_at() -> None:
    """Unless another key has that text."""
    text = "LIGHTWEIGHT_QUEUE_WORKERS = {\n    'a': 1,\n    1: 2,\n    None: 3,\n    %s\n}\n"
    for more, at_none in (("", "x.py:4:5"), ("'None': 1,", "x.py:1:29")):
        found = [f for f in resolved("x.py", text % more).findings if f.id == "dlq.E102"]
        assert {f.source.location for f in found if f.source} == {"x.py:3:5", at_none}


def test_json_values_have_locations() -> None:
    resolution = resolved(
        "pool.json",
        """\
        {
          "redis_port": 6380,
          "workers": {"emails": 3,
                      "q\\u0041": -1}, "redis_password": null
        }
        """,
    )
    assert resolution.source_of("REDIS_PORT").location == "pool.json:2:17"
    assert resolution.source_of("WORKERS").location == "pool.json:3:14"
    assert resolution.source_of("WORKERS", "emails").location == "pool.json:3:25"
    assert resolution.source_of("REDIS_PASSWORD").location == "pool.json:4:49"
    finding = only(resolution)
    assert finding.id == "dlq.E101"
    assert finding.source is not None
    assert (finding.source.line, finding.source.column, finding.source.end_column) == (4, 26, 28)


@pytest.mark.parametrize(
    ("name", "text", "code", "position", "message"),
    [
        ("x.toml", "redis_port = \n", "E004", "x.toml:1:14", "override file x.toml: Invalid value"),
        ("x.toml", "a = 1\na = 2\n", "E004", "x.toml:2:6", "Cannot overwrite a value"),
        ("x.json", '{"redis_port": }', "E004", "x.json:1:16", "Expecting value"),
        ("x.json", "", "E004", "x.json:1:1", "Expecting value"),
        (
            "x.json",
            '{"redis_port": 1, "redis_port": 2}',
            "E004",
            "x.json",
            "names 'redis_port' twice",
        ),
        ("x.json", '{"redis_port": ' + "9" * 5000 + "}", "E004", "x.json", "digits"),
        ("x.toml", "redis_port = " + "9" * 5000, "E004", "x.toml", "digits"),
        ("x.json", "[" * 100_000, "E004", "x.json", "nested too deep"),
        ("x.py", "a = '\0'\n", "E004", "x.py", "has a NUL at 5"),
        ("x.json", "[1]", "E004", "x.json", "must be a JSON object"),
        ("x.py", "x = (\n", "E004", "x.py:1:5", "'(' was never closed"),
        ("x.py", "a = 1\nraise ValueError('no')\n", "E005", "x.py:2", "raises ValueError: no"),
        ("x.py", "import nothing_there\n", "E005", "x.py:1", "raises ModuleNotFoundError"),
        ("x.py", "exit(3)\n", "E005", "x.py:1", "raises SystemExit"),
        ("x.yaml", "a: 1\n", "E011", "x.yaml", "its kind is not known"),
        ("x.toml", "redis_prot = 1\n", "E010", "x.toml:1:1", "unknown setting redis_prot"),
        ("x.toml", "REDIS_PORT = 1\n", "E010", "x.toml:1:1", "unknown setting REDIS_PORT"),
        ("x.json", '{"worker": {}}', "E010", "x.json:1:2", "unknown setting worker in override"),
        ("x.py", "LIGHTWEIGHT_QUEUE_WORKER = 1\n", "W002", "x.py:1:1", "unknown setting"),
        ("x.py", "REDIS_PORT = 1\n", "W009", "x.py:1:1", "REDIS_PORT in override file x.py"),
    ],
)
def test_what_is_wrong_with_a_file(
    name: str, text: str, code: str, position: str, message: str
) -> None:
    finding = only(resolved(name, text))
    assert finding.id == f"dlq.{code}"
    assert finding.source is not None
    assert finding.source.location == position
    assert message in finding.message


@pytest.mark.parametrize(
    ("name", "text"), [("x.py", "REDIS_PORT = 1\n"), ("x.toml", "redis_prot = 1\n")]
)
def test_a_name_without_effect_is_an_error_in_an_exact_configuration(name: str, text: str) -> None:
    finding = only(resolved(name, text, exact=True))
    assert finding.id == "dlq.E010"
    assert "REDIS_PORT" in (finding.help or "").upper()


def test_a_missing_file_is_reported_by_both_its_paths(tmp_path: Path) -> None:
    finding = only(projects.resolved(tmp_path, NOTHING, "config/none.toml"))
    assert finding.id == "dlq.E003"
    assert "config/none.toml" in finding.message
    assert str(tmp_path / "config/none.toml") in finding.message


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "dir.toml").mkdir()
    finding = only(projects.resolved(tmp_path, NOTHING, "dir.toml"))
    assert finding.id == "dlq.E003"
    assert "Is a directory" in finding.message


def test_a_file_that_is_not_utf8_is_reported_with_the_byte() -> None:
    Path("x.toml").write_bytes(b"redis_prefix = '\xff'\n")
    finding = only(projects.resolved(Path.cwd(), NOTHING, "x.toml"))
    assert finding.id == "dlq.E004"
    assert "byte offset 16" in finding.message


def test_a_byte_order_mark_is_accepted() -> None:
    contents = {
        "a.toml": "redis_port = 6380\n",
        "b.json": '{"redis_prefix": "é"}',
        "c.py": "LIGHTWEIGHT_QUEUE_REDIS_DATABASE = 3\n",
    }
    for name, text in contents.items():
        Path(name).write_bytes(b"\xef\xbb\xbf" + text.encode())
    resolution = projects.resolved(Path.cwd(), NOTHING, *contents)
    assert resolution.findings == ()
    assert resolution.settings is not None
    assert resolution.settings.redis_port == 6380
    assert resolution.settings.redis_prefix == "é"
    assert resolution.settings.redis_database == 3
    assert resolution.source_of("REDIS_PORT").location == "a.toml:1:14"
    assert resolution.source_of("REDIS_PREFIX").location == "b.json:1:18"


def test_bytes_are_counted_from_the_beginning_of_the_file() -> None:
    Path("x.toml").write_bytes(b"\xef\xbb\xbfa = '\xff'\n")
    finding = only(projects.resolved(Path.cwd(), NOTHING, "x.toml"))
    assert "byte offset 8" in finding.message


@pytest.mark.parametrize("name", ["x.py", "x.toml", "x.json"])
def test_a_file_is_opened_once(name: str) -> None:
    """From a pipe a second reader gets nothing, and waits for ever for a second writer."""
    texts = {
        "x.py": "LIGHTWEIGHT_QUEUE_REDIS_PORT = 6380\n",
        "x.toml": "redis_port = 6380\n",
        "x.json": '{"redis_port": 6380}',
    }
    os.mkfifo(name, 0o644)
    writer = Thread(target=Path(name).write_text, args=(texts[name],))
    writer.start()
    resolution = projects.resolved(Path.cwd(), NOTHING, name)
    writer.join(10)
    assert resolution.findings == ()
    assert resolution.settings is not None
    assert resolution.settings.redis_port == 6380


def test_all_files_are_looked_at() -> None:
    for name in ("a.py", "b.py"):
        Path(name).write_text("raise ValueError\n")
    resolution = projects.resolved(Path.cwd(), NOTHING, "a.py", "b.py", "c.toml")
    assert [f.id for f in resolution.findings] == ["dlq.E005", "dlq.E005", "dlq.E003"]


def test_a_file_that_everybody_can_write_is_reported() -> None:
    Path("x.toml").write_text("redis_port = 1\n")
    Path("x.toml").chmod(0o666)
    finding = only(projects.resolved(Path.cwd(), NOTHING, "x.toml"))
    assert finding.id == "dlq.W008"
    assert finding.help == "chmod go-w x.toml"


def test_a_python_file_may_import_and_is_no_module_of_the_project() -> None:
    resolution = resolved(
        "x.py",
        """\
        from shop.settings import *
        import math, os.path
        LIGHTWEIGHT_QUEUE_REDIS_PORT = math.floor(6380.5)
        LIGHTWEIGHT_QUEUE_REDIS_PREFIX = os.path.basename(__file__) + __name__
        """,
    )
    assert resolution.findings == ()
    assert resolution.settings is not None
    assert resolution.settings.redis_port == 6380
    assert resolution.settings.redis_prefix == "x.pyextra_settings"
    assert "extra_settings" not in sys.modules
    assert not Path("__pycache__").exists()
    assert resolution.source_of("REDIS_PORT").location == "x.py:3:32"


def test_a_python_file_that_builds_on_the_settings_has_their_locations() -> None:
    projects.write(
        Path.cwd(), {"shop/settings.py": 'LIGHTWEIGHT_QUEUE_WORKERS = {\n    "a": 1,\n}\n'}
    )
    Path("x.py").write_text(
        "from shop.settings import *\n"
        'LIGHTWEIGHT_QUEUE_WORKERS = {**LIGHTWEIGHT_QUEUE_WORKERS, "b": 2}\n'
    )
    with projects.django_settings(Path.cwd(), "shop.settings") as settings:
        from dlq.config.resolve import resolve

        resolution = resolve(settings, override_files=["x.py"], environ={})
        items = resolution.values["WORKERS"].items
        assert items["a"].location == "shop/settings.py:2:10"
        assert items["b"].location == "x.py:2:64"


def test_the_error_of_an_imported_module_is_placed_in_the_file() -> None:
    projects.write(Path.cwd(), {"broken/inner.py": "\nx = (\n"})
    Path("x.py").write_text("import sys\nsys.path.insert(0, '.')\nimport broken.inner\n")
    try:
        finding = only(projects.resolved(Path.cwd(), NOTHING, "x.py"))
    finally:
        sys.path.remove(".")
    assert finding.id == "dlq.E004"
    assert finding.source is not None
    assert finding.source.file is not None
    assert finding.source.file.endswith("broken/inner.py")
    assert finding.source.line == 2


@pytest.mark.parametrize(
    ("name", "text", "places"),
    [
        ("x.py", 'LIGHTWEIGHT_QUEUE_TASK_MODULES = [\n  "a",\n  "b",\n]\n', ["2:3", "3:3"]),
        ("x.py", 'LIGHTWEIGHT_QUEUE_TASK_MODULES = "a", "b"\n', ["1:34", "1:39"]),
        ("x.py", 'LIGHTWEIGHT_QUEUE_TASK_MODULES = ["a"] + ["b"]\n', ["1:35", "1:43"]),
        ("x.py", 'LIGHTWEIGHT_QUEUE_TASK_MODULES = [*("a", "b")]\n', ["1:37", "1:42"]),
        (
            "x.py",
            'LIGHTWEIGHT_QUEUE_TASK_MODULES = ["a"]\nLIGHTWEIGHT_QUEUE_TASK_MODULES.append("b")\n',
            ["1:35", "2:39"],
        ),
        ("x.toml", "task_modules = [ # x\n 'a' ,\n \"b\",\n]\n", ["2:2", "3:2"]),
        ("x.json", '{"task_modules": ["a",\n"b"]}', ["1:19", "2:1"]),
    ],
)
def test_the_elements_of_a_list_have_locations(
    name: str, text: str, places: list[str] | None
) -> None:
    value = resolved(name, text).values["TASK_MODULES"]
    assert list(value.value) == ["a", "b"]  # type: ignore[call-overload]  # a list of this file
    found = [value.items[key].location for key in ("0", "1") if key in value.items]
    assert found == [f"{name}:{place}" for place in places or ()]


def test_the_bad_element_is_pointed_at() -> None:
    finding = only(
        resolved("x.py", 'LIGHTWEIGHT_QUEUE_MIDDLEWARE = [\n    "a.b.C",\n    "D",\n]\n')
    )
    assert finding.id == "dlq.E110"
    assert "MIDDLEWARE[1] is 'D'" in finding.message
    assert finding.source is not None
    assert finding.source.location == "x.py:3:5"


@pytest.mark.parametrize(
    ("name", "text", "message", "help"),
    [
        ("x.toml", "atomic_jobs = 'no'\n", "must be true or false", "use false"),
        ("x.json", '{"atomic_jobs": "no"}', "must be true or false", "use false"),
        ("x.py", "LIGHTWEIGHT_QUEUE_ATOMIC_JOBS = 'no'\n", "must be True or False", "use False"),
        ("x.toml", "workers = ['q']\n", "must be a table of queue names", 'use { "q" = 1 }'),
        ("x.json", '{"workers": ["q"]}', "must be a JSON object of queue names", 'use {"q": 1}'),
        ("x.json", '{"backend": null}', "must be a dotted path", 'to have the default, "dlq.'),
        ("x.json", '{"workers": null}', "must be a JSON object", "to have the default, {}"),
        ("x.toml", "middleware = 'a.b.C'\n", "must be a list of dotted paths", 'use ["a.b.C"]'),
        ("x.toml", "cron_machines = 'x'\n", 'must be "first" or "all"', ""),
        (
            "x.toml",
            "stop_timeout = 'never'\n",
            "a number of seconds from 0 to 2592000, or none",
            "",
        ),
    ],
)
def test_what_to_write_is_reported_in_the_notation_of_the_file(
    name: str, text: str, message: str, help: str
) -> None:
    finding = only(resolved(name, text))
    assert message in finding.message
    assert help in (finding.help or "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_user_is_reported() -> None:
    Path("x.toml").write_text("redis_port = 1\n")
    os.chown("x.toml", 12345, 12345)
    finding = only(projects.resolved(Path.cwd(), NOTHING, "x.toml"))
    assert finding.id == "dlq.W008"
    assert "another user (uid 12345) owns it" in finding.message
