"""The words that every layer shares. Imports nothing of dlq."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Literal, NamedTuple, NewType, Protocol, TypeAlias

QueueName = NewType("QueueName", str)
WorkerNumber = NewType("WorkerNumber", int)
"""Which of a queue's workers a process is, from 1 up; 0 where no worker process is involved."""

SysExcInfoType: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)
ExcInfo: TypeAlias = bool | BaseException | SysExcInfoType | None


class Logger(Protocol):
    """What dlq needs of the object that LOGGER_FACTORY returns; logging.Logger has it."""

    def log(
        self,
        level: int,
        msg: str,
        *args: Any,
        exc_info: ExcInfo = ...,
        stack_info: bool = ...,
        extra: Mapping[str, object] | None = ...,
    ) -> None: ...

    def debug(
        self,
        msg: str,
        *args: Any,
        exc_info: ExcInfo = ...,
        stack_info: bool = ...,
        extra: Mapping[str, object] | None = ...,
    ) -> None: ...

    def info(
        self,
        msg: str,
        *args: Any,
        exc_info: ExcInfo = ...,
        stack_info: bool = ...,
        extra: Mapping[str, object] | None = ...,
    ) -> None: ...

    def warning(
        self,
        msg: str,
        *args: Any,
        exc_info: ExcInfo = ...,
        stack_info: bool = ...,
        extra: Mapping[str, object] | None = ...,
    ) -> None: ...

    def error(
        self,
        msg: str,
        *args: Any,
        exc_info: ExcInfo = ...,
        stack_info: bool = ...,
        extra: Mapping[str, object] | None = ...,
    ) -> None: ...

    def exception(
        self,
        msg: str,
        *args: Any,
        exc_info: ExcInfo = ...,
        stack_info: bool = ...,
        extra: Mapping[str, object] | None = ...,
    ) -> None: ...


SourceKind: TypeAlias = Literal[
    "default", "django", "file", "environment", "option", "task", "cron"
]


class Source(NamedTuple):
    """Where a value came from, as exactly as it is known.

    `line` and `column` count from 1, `end_column` is the first column after the value. A part that
    is not known is None: better no line than a wrong one. `name` is the variable or option, where
    the value came from one.
    """

    kind: SourceKind
    file: str | None = None
    line: int | None = None
    column: int | None = None
    end_column: int | None = None
    name: str | None = None

    @property
    def label(self) -> str:
        """Text for people: `shop/base.py:6`, `$LIGHTWEIGHT_QUEUE_WORKERS`, `--queue`, `default`."""
        if self.kind == "environment" and self.name is not None:
            return f"${self.name}"
        if self.file is not None:
            return self.file if self.line is None else f"{self.file}:{self.line}"
        if self.name is not None:
            return self.name
        return {"django": "Django settings", "file": "override file"}.get(self.kind, self.kind)

    @property
    def location(self) -> str:
        """The label with the column: `shop/base.py:6:15`."""
        if self.file is None or self.line is None or self.column is None:
            return self.label
        return f"{self.file}:{self.line}:{self.column}"

    @property
    def without_line(self) -> Source:
        """The same file, where no more is known than that."""
        return self._replace(line=None, column=None, end_column=None)

    def at(self, line: int, column: int | None = None, end_column: int | None = None) -> Source:
        """The same file, at another line."""
        return self._replace(line=line, column=column, end_column=end_column)


DEFAULT = Source("default")


class Violation(NamedTuple):
    """One rule that a value breaks, before it is known where the value is written.

    `rule` is a code, as in E102. `path` leads to the value, from the outside in, as in
    ("WORKERS", "emails"); it ends with "[key]" where the key of a dict is wrong. `message` says
    what is wrong, or goes on after the name of the value; `help` is something to type.
    """

    rule: str
    path: tuple[str | int, ...]
    message: str
    help: str | None = None


class Runner(NamedTuple):
    """One running supervisor, as the other runners of its server see it.

    `nonce` is random per start of a supervisor and fences its workers (a process that was suspended
    comes back with an old nonce and gets nothing). `started` is Unix time in seconds. `host` and
    `boot` tell whether another runner lives on this very kernel, where a pid can be looked up.
    """

    nonce: str
    host: str
    boot: str
    pid: int
    started: float
    pool_id: str
    machine: int | None
    of: int | None
    exact: bool
    runs_cron: bool
    settings_module: str
    version: str
