"""A warm interpreter, for tests that run hundreds of short commands.

Each command is a process of its own, with its own directory, environment, streams and exit code. It
is forked from an interpreter that has imported Django, Typer and dlq already (or what else it was
told) and has done nothing else with them: importing them costs more than what most commands do.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]
OWN_PATH = (ROOT, ROOT / "dlq" / "_alias")


class Warm:
    """`modules` are imported ahead, by `python` with `path`: which of the environments it is."""

    def __init__(
        self,
        python: str = sys.executable,
        modules: str | None = None,
        path: Sequence[Path] = OWN_PATH,
    ) -> None:
        environment = {
            name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"
        }
        self._process = subprocess.Popen(
            # -P: the files beside this one have names that others may look for.
            [python, "-P", __file__, *(MODULES if modules is None else modules).split()],
            cwd=ROOT,
            env={**environment, "PYTHONPATH": os.pathsep.join(map(str, path))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self, words: Sequence[str], *, cwd: Path, env: Mapping[str, str], input: str = ""
    ) -> tuple[int, str, str]:
        """Run `python WORDS`, which may be `-m MODULE …` or `FILE …`; exit code, stdout, stderr."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with tempfile.TemporaryDirectory(prefix="dlq-warm-") as directory:
            streams = [str(Path(directory, name)) for name in ("in", "out", "err")]
            Path(streams[0]).write_text(input)
            order = {"words": list(words), "cwd": str(cwd), "env": dict(env), "streams": streams}
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            code = int(self._process.stdout.readline())
            return code, Path(streams[1]).read_text(), Path(streams[2]).read_text()

    def close(self) -> None:
        self._process.communicate(timeout=10)


LIMIT = 60
"""Seconds for a command; SIGALRM ends one that hangs."""


MODULES = """
    dlq.cli.app dlq.cli.commands.starters dlq.cli.commands.config dlq.cli.commands.cron
    dlq.cli.dispatch dlq.cli.commands.failed dlq.cli.commands.plan
    dlq.cli.output.plan dlq.cli.commands.queues dlq.cli.output.findings dlq.cli.commands.run
    dlq.cli.commands.status
    dlq.cron.files.read_module dlq.project.check_queues dlq.config.validation.between_settings
    dlq.config.validation.expectations dlq.config.sources.python_file dlq.project.check_imports
    dlq.config.sources.toml_json_file
    dlq.config.resolve dlq.project.locate dlq.provenance.lookup
    dlq.config.validation.violations dlq.operations.check dlq.config.explain dlq.operations.cron
    dlq.operations.development.demo dlq.operations.failed_jobs dlq.planning.document
    dlq.operations.queues
    dlq.operations.preflight dlq.operations.status dlq.diagnostics.formats dlq.backends.redis
    dlq.backends.reliable_redis dlq.backends.synchronous dlq.middleware.logging
    dlq.management.base django.core.checks django.core.mail django.core.management django.db
    django.http django.urls django.template.defaultfilters django.utils.log django.views.debug
    django.views.generic encodings.idna logging.config pprint pydantic_settings redis typer.main
    typer.core
"""


def serve(modules: Sequence[str]) -> None:
    for module in modules:
        import_module(module)
    if "typer.main" in modules:
        _warm_typer()
    gc.freeze()  # Or each child would look through all of this, and so copy it.
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if not pid:
            os._exit(_obey(order))
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _warm_typer() -> None:
    """Typer imports pydantic when a command with options is called first."""
    from dlq.cli.dispatch import run

    with contextlib.redirect_stdout(io.StringIO()):
        run(["explain", "E101"])


def _obey(order: dict[str, object]) -> int:
    """In the child: become the command."""
    import runpy
    import signal
    import traceback

    signal.alarm(LIMIT)
    os.setsid()
    words, streams, env = order["words"], order["streams"], order["env"]
    assert isinstance(words, list)
    assert isinstance(streams, list)
    assert isinstance(env, dict)
    os.chdir(str(order["cwd"]))
    os.environ.clear()
    os.environ.update(env)
    sys.dont_write_bytecode = bool(env.get("PYTHONDONTWRITEBYTECODE"))
    for number, path in enumerate(streams):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT
        os.dup2(os.open(path, flags, 0o600), number)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 (the process's own)
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 (the process's own)
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115 (the process's own)
    code: object = 0
    try:
        if words[0] == "-m":
            sys.argv = [words[1], *words[2:]]
            sys.path.insert(0, os.getcwd())
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = words
            sys.path.insert(0, os.path.dirname(os.path.abspath(words[0])))
            runpy.run_path(words[0], run_name="__main__")
    except SystemExit as leaving:
        code = leaving.code
        if isinstance(code, str):
            sys.stderr.write(code + "\n")
            code = 1
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    serve(sys.argv[1:])
