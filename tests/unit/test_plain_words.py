"""`dlq run` and `dlq plan` are read by Typer or, where their words are plain, without it: both must
read the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlq.cli.commands import planning, running
from dlq.cli.framework import typer_words as typed
from dlq.cli.framework.invocation import Call, PlanWords, RunWords
from dlq.cli.framework.plain_words import (
    COMPLETION,
    FILES,
    FLAGS,
    NUMBERS,
    SHARED,
    TEXTS,
    VERBS,
    plain_words,
)
from dlq.errors import ExitCode

OPTIONS = (*FILES, *FLAGS, *NUMBERS, *TEXTS)
VALUES = ("1", "007", "x", "", "-1", "a=b", "/run/%s", "é", "\udcff", "12345678901", " ")


def as_typer_reads(words: list[str]) -> tuple[Call, RunWords | PlanWords] | None:
    """What the verb is called with; None where Typer doesn't call it."""
    calls: list[tuple[Call, RunWords | PlanWords]] = []

    def note(call: Call, own: RunWords | PlanWords) -> ExitCode:
        calls.append((call, own))
        return ExitCode.DONE

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "run", note)
        patch.setattr(planning, "show", note)
        typed.call(words)
    return calls[0] if calls else None


words_of_a_verb = st.lists(
    st.one_of(
        st.sampled_from(OPTIONS),
        st.builds("{}={}".format, st.sampled_from(OPTIONS), st.sampled_from(VALUES)),
        st.sampled_from((*VALUES, "--help", "--format", "text", "--", "-vv", "--mach")),
    ),
    max_size=6,
)


@settings(deadline=None)  # the first call of a verb has Typer import it
@given(st.sampled_from(sorted(VERBS)), words_of_a_verb)
def test_both_read_the_same(verb: str, words: list[str]) -> None:
    plain = plain_words([verb, *words], {})
    read = None if plain is None else as_typer_reads([verb, *words])
    assert plain == read
    assert type(plain and plain[1]) is type(read and read[1])


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
    plain = plain_words(["run", *words], {})
    assert plain is not None
    assert plain == as_typer_reads(["run", *words])


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--machine", "1", "--of", "3"],
        ["--of=3", "--config", "a.toml", "--extra-settings=b.py", "--no-color", "-v"],
        ["--exact-configuration", "--config=/etc/shop/exact.py"],
        ["--only-queue", "emails", "--settings", "shop.settings"],
    ],
)
def test_what_people_ask_of_a_plan_is_plain(words: list[str]) -> None:
    plain = plain_words(["plan", *words], {})
    assert plain is not None
    assert plain == as_typer_reads(["plan", *words])


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_is_known_to_both(verb: str) -> None:
    """One that is new to Typer only would still be read, but slowly."""
    from typer.main import get_group

    from dlq.cli.app import app

    command: Any = get_group(app).commands[verb]
    spelled = {name for option in command.params for name in option.opts}
    keys = dict.fromkeys(FILES, "") | FLAGS | NUMBERS | TEXTS
    known = {name for name, key in keys.items() if key in ("", *SHARED, *VERBS[verb]._fields)}
    assert spelled - known == {"--format", "--version"}
    assert known <= spelled


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["check"],
        ["plan", "--help"],
        ["plan", "--format", "json"],
        ["plan", "--pidfile", "/run/dlq.pid"],
        ["plan", "--of", "three"],
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
    assert plain_words(words, {}) is None


def test_a_shell_that_asks_for_completion_gets_typers() -> None:
    assert plain_words(["run"], {COMPLETION: "complete_bash"}) is None
