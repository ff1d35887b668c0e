"""`dlq run` is read by Typer or, where its words are plain, without it: both must read the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlq.cli import running, typed
from dlq.cli.call import Call, RunWords
from dlq.cli.plain import COMPLETION, FILES, FLAGS, NUMBERS, TEXTS, plain_run
from dlq.errors import ExitCode

OPTIONS = (*FILES, *FLAGS, *NUMBERS, *TEXTS)
VALUES = ("1", "007", "x", "", "-1", "a=b", "/run/%s", "é", "\udcff", "12345678901", " ")


def as_typer_reads(words: list[str]) -> tuple[Call, RunWords] | None:
    """What `run` is called with; None where Typer doesn't call it."""
    calls: list[tuple[Call, RunWords]] = []

    def note(call: Call, own: RunWords) -> ExitCode:
        calls.append((call, own))
        return ExitCode.DONE

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "run", note)
        typed.call(words)
    return calls[0] if calls else None


words_of_run = st.lists(
    st.one_of(
        st.sampled_from(OPTIONS),
        st.builds("{}={}".format, st.sampled_from(OPTIONS), st.sampled_from(VALUES)),
        st.sampled_from((*VALUES, "--help", "--format", "text", "--", "-vv", "--mach")),
    ),
    max_size=6,
)


@given(words_of_run)
def test_both_read_the_same(words: list[str]) -> None:
    plain = plain_run(["run", *words], {})
    assert plain is None or plain == as_typer_reads(["run", *words])


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--machine", "2", "--of", "4"],
        ["--machine=2", "--of=4", "--config", "a.toml", "--extra-settings=b.py", "-v"],
        ["--exact-configuration", "--config=/etc/shop/exact.py", "--pidfile", "/run/dlq.pid"],
        ["--touchfile=/run/dlq/%s", "--health-file", "/run/health", "--expect-pool", "4db02050"],
        ["--only-queue", "emails", "--settings", "shop.settings", "--no-color", "--embedded"],
    ],
)
def test_what_unit_files_have_is_plain(words: list[str]) -> None:
    plain = plain_run(["run", *words], {})
    assert plain is not None
    assert plain == as_typer_reads(["run", *words])


def test_every_option_of_run_is_known_to_both() -> None:
    """One that is new to Typer only would still be read, but slowly."""
    from typer.main import get_group

    from dlq.cli.app import app

    command: Any = get_group(app).commands["run"]
    spelled = {name for option in command.params for name in option.opts}
    assert spelled - set(OPTIONS) == {"--format", "--version"}
    assert set(OPTIONS) <= spelled


@pytest.mark.parametrize(
    "words",
    [
        ["plan"],
        ["--settings", "shop.settings", "run"],
        ["run", "--help"],
        ["run", "--machine", "two"],
        ["run", "--machine"],
        ["run", "--of", "--machine"],
        ["run", "--of", "1", "--of", "2"],
        ["run", "--mach", "1"],
        ["run", "emails"],
    ],
)
def test_what_is_not_plain_is_typers(words: list[str]) -> None:
    assert plain_run(words, {}) is None


def test_a_shell_that_asks_for_completion_gets_typers() -> None:
    assert plain_run(["run"], {COMPLETION: "complete_bash"}) is None
