"""How long 5,000 cron rows take to check, beside the start of Django that every command pays.

Run in dlq's environment as a process of its own. Prints seconds.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from compileall import compile_dir
from pathlib import Path

ROWS = 5_000
COMMANDS = ("check", "migrate", "showmigrations", "dumpdata", "flush", "diffsettings")


def text(rows: int) -> str:
    """A cron.py in which every fifth row has arguments that no other row has."""
    lines = []
    for number in range(rows):
        minute, hour, day = number % 60, number // 60 % 24, 1 + number // 1440 % 7
        arguments = f', "command_args": ["--settings", "a.b{number}"]' if number % 5 == 0 else ""
        lines.append(
            f'    {{"command": "{COMMANDS[number % 6]}", "minutes": "{minute}", "hours": "{hour}",'
            f' "days": "{day}", "queue": "q{number % 20}", "timeout": {60 + number}{arguments}}},\n'
        )
    return f"CONFIG = [\n{''.join(lines)}]\n"


def main(folder: Path) -> dict[str, float]:
    app = folder / "many_rows"
    app.mkdir()
    (app / "__init__.py").touch()
    (app / "cron.py").write_text(text(ROWS))
    compile_dir(app, quiet=1)  # as every start but the first finds it
    sys.path.insert(0, str(folder))
    began = time.perf_counter()
    import django
    from django.conf import settings

    apps = ["dlq", "django.contrib.auth", "django.contrib.contenttypes", "many_rows"]
    settings.configure(INSTALLED_APPS=apps)
    django.setup()
    started = time.perf_counter()
    from dlq.cron.files.load import load_rows

    found = load_rows()
    assert len(found.rows) == ROWS
    assert not found.findings
    return {"start Django": started - began, "cron rows": time.perf_counter() - started}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        print(json.dumps(main(Path(made))))
