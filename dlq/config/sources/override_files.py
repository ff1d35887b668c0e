"""Override files as they are opened: once, for all kinds, with what is wrong with them."""

from __future__ import annotations

import os
import stat
import tokenize
from dataclasses import dataclass, field
from io import BytesIO, TextIOWrapper
from pathlib import Path

from dlq.config.settings import Settings
from dlq.config.sources.settings_source import SettingsSource
from dlq.diagnostics.finding import Finding, Rule
from dlq.diagnostics.rules import project as rules
from dlq.provenance.setting_location import SettingLocation
from dlq.types import Source

KINDS = (".py", ".toml", ".json")


@dataclass(slots=True)
class OverrideFile:
    """One override file while it is read. `given` is its path as the user gave it. `exact`: it is
    the whole configuration, so a name without effect is an error."""

    given: str
    exact: bool = False
    text: str = ""
    findings: list[Finding] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return Path(self.given)

    @property
    def kind(self) -> str:
        """The suffix, in lower case."""
        return self.path.suffix.lower()

    @property
    def source(self) -> Source:
        return Source("file", file=self.given)

    def report(
        self, rule: Rule, message: str, source: Source | None = None, help: str | None = None
    ) -> None:
        self.findings.append(rule.finding(message, source or self.source, help))


class OverrideFileSource(SettingsSource):
    """An override file as a source of settings: this class itself for one that cannot be read."""

    kind = "file"

    def __init__(self, settings_class: type[Settings], file: OverrideFile) -> None:
        super().__init__(settings_class)
        self.file = file
        self.findings = file.findings

    def location_of(self, name: str) -> SettingLocation:
        return SettingLocation(self.file.source)


def open_override_file(given: str, *, exact: bool) -> tuple[OverrideFile, bool]:
    """Return the file with its text, and whether the text can be parsed. If not, a finding says
    why.

    Nothing else opens an override file: owner, permissions and content are those of one file, even
    if another file takes its name meanwhile.
    """
    file = OverrideFile(given, exact)
    if file.kind not in KINDS:
        help = (
            "write it as TOML: there is no YAML here"
            if file.kind in {".yaml", ".yml"}
            else "the kinds are .py, .toml and .json"
        )
        file.report(rules.E011, f"override file {given}: its kind is not known", None, help)
        return file, False
    try:
        with open(given, "rb") as opened:
            state = os.fstat(opened.fileno())
            content = opened.read()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        _report_cannot_read(file, error)
        return file, False
    if not _decode(file, content):
        return file, False
    _check_permissions(file, state)
    return file, True


def _report_cannot_read(file: OverrideFile, error: OSError | ValueError) -> None:
    absolute = "" if file.path.is_absolute() else f" ({file.path.absolute()})"
    reason = error.strerror if isinstance(error, OSError) else error
    file.report(
        rules.E003,
        f"cannot read override file {file.given}{absolute}: {reason}",
        None,
        "paths are relative to the directory that the command runs in"
        if isinstance(error, FileNotFoundError)
        else None,
    )


def _decode(file: OverrideFile, content: bytes) -> bool:
    try:
        file.text = _python_text(content) if file.kind == ".py" else content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # A byte order mark is not counted by the codec.
        offset = error.start + len(content) - len(error.object)
        file.report(rules.E004, f"override file {file.given} is not UTF-8 at byte offset {offset}")
        return False
    except SyntaxError as error:
        file.report(rules.E004, f"override file {file.given}: {error.msg}")
        return False
    if "\0" in file.text:
        offset = file.text.index("\0")
        file.report(rules.E004, f"override file {file.given} has a NUL at {offset}")
        return False
    return True


def _python_text(content: bytes) -> str:
    """Decode as Python does, by the encoding that the file declares."""
    buffer = BytesIO(content)
    encoding, _ = tokenize.detect_encoding(buffer.readline)
    buffer.seek(0)
    with TextIOWrapper(buffer, encoding) as text:
        return text.read()


def _check_permissions(file: OverrideFile, state: os.stat_result) -> None:
    """Warn if others choose what code a worker imports, which a TOML or JSON file does too."""
    danger = f"override file {file.given} decides what code runs, and"
    if state.st_mode & stat.S_IWOTH:
        help = f"chmod go-w {file.given}"
        file.report(rules.W008, f"{danger} everybody can write it", None, help)
    elif state.st_uid not in (0, os.geteuid()):
        help = f"chown {os.geteuid()} {file.given}"
        file.report(rules.W008, f"{danger} another user (uid {state.st_uid}) owns it", None, help)
