"""What `plan --diff` says about two plan documents."""

from __future__ import annotations

import json
import random
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlq.errors import UsageError
from dlq.planning.comparison import compare, read_plan
from dlq.planning.comparison_formats import comparison_json, markdown
from dlq.planning.rolling_change import hazards, safe_order
from tests.planning.compare_random import wrong
from tests.planning.rolling import document, random_pair, simulate


def entry(command: str, schedule: str = "0 * * * *", **others: Any) -> dict[str, Any]:
    return {
        "command": command,
        "queue": "cron",
        "schedule": schedule,
        "timezone": "UTC",
        "next": None,
        "source": "shop/cron.py:3:5",
        **others,
    }


def setting(value: object, source: str = "settings.py:1:1") -> dict[str, Any]:
    return {"value": value, "source": source, "hides": []}


def test_random_pairs_agree_with_two_independent_splits() -> None:
    """The long form is `python -m tests.planning.compare_random 10000`."""
    assert [text for seed in range(600) if (text := wrong(seed)) is not None] == []


@settings(deadline=None)
@given(st.integers(0, 10**9))
def test_hazards_are_what_a_simulation_of_every_order_sees(seed: int) -> None:
    chance = random.Random(seed)
    old, new = random_pair(chance, queues=4, largest=4)
    rows = (entry("a"),)
    sides = [
        read_plan(
            document(
                *side,
                schedulers=tuple(
                    number for number in range(1, side[1] + 1) if chance.random() < 0.4
                ),
                entries=rows if chance.random() < 0.8 else (),
            ),
            "a document",
        )
        for side in (old, new)
    ]
    difference = compare(*sides)
    found = hazards(difference)
    seen = simulate(*sides)
    assert {(h.queue, h.number) for h in found if h.kind == "two_owners"} == seen.two_owners
    assert {h.queue for h in found if h.kind == "unserved_queue"} == seen.unserved
    assert any(h.kind == "two_schedulers" for h in found) == seen.two_schedulers
    assert any(h.kind == "no_scheduler" for h in found) == seen.no_scheduler
    order = safe_order(difference)
    if order is not None:
        assert sorted(order) == list(range(1, max(side.of for side in sides) + 1))
        done: set[int] = set()
        for machine in order:
            done.add(machine)
            waiting = [m for m in difference.moved if m.new in done and m.old not in done]
            assert waiting == []


def test_equal_plans_are_the_same() -> None:
    content = document({"emails": 3}, 2, entries=(entry("a"),), settings={"WORKERS": setting({})})
    found = compare(read_plan(content, "old"), read_plan(content, "new"))
    assert found.is_empty
    answer = comparison_json(found)
    assert answer["same"] is True
    assert [answer[key] for key in ("added", "removed", "moved", "settings", "hazards")] == [[]] * 5
    assert "Same plan" in markdown(found)


def test_settings_show_both_values_and_both_lines() -> None:
    old = document({"a": 1}, 1, settings={"X": setting(1), "Y": setting(2), "Z": setting(3)})
    new = document(
        {"a": 1},
        1,
        settings={
            "X": setting(1, "other.py:9:1"),
            "Y": setting(5, "new.toml:2:1"),
            "NEW": setting(0, "default"),
        },
    )
    found = comparison_json(compare(read_plan(old, "old"), read_plan(new, "new")))
    assert found["settings"] == [
        {
            "name": "Y",
            "old": 2,
            "new": 5,
            "old_source": "settings.py:1:1",
            "new_source": "new.toml:2:1",
        },
        {"name": "Z", "old": 3, "new": None, "old_source": "settings.py:1:1", "new_source": None},
    ], "a new setting at its default and another line are no change"
    assert found["same"] is False


def test_cron_rows_are_paired_by_what_they_run() -> None:
    old = (
        entry("report", "0 1 * * *"),
        entry("report", "0 2 * * *"),
        entry("report", "0 3 * * *", args=["--all"]),
        entry("gone"),
    )
    new = (
        entry("report", "0 2 * * *", source="elsewhere.py:1:1"),
        entry("report", "0 4 * * *"),
        entry("report", "0 3 * * *", args=["--all"], queue="slow"),
        entry("fresh"),
    )
    found = compare(
        read_plan(document({"a": 1}, 1, entries=old), "old"),
        read_plan(document({"a": 1}, 1, entries=new), "new"),
    )
    assert [row.command for row in found.cron_added] == ["fresh"]
    assert [row.command for row in found.cron_removed] == ["gone"]
    assert [(c.old.timing, c.new.timing) for c in found.cron_changed] == [
        (("0 1 * * *", "UTC", "cron"), ("0 4 * * *", "UTC", "cron")),
        (("0 3 * * *", "UTC", "cron"), ("0 3 * * *", "UTC", "slow")),
    ]


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {},
        {"format_version": "2"},
        {"format_version": "1", "pool": {}},
        {"format_version": "1", "pool": {"id": None}},
        {**document({"a": 1}, 1), "workers": [{"queue": "a"}]},
    ],
)
def test_what_is_no_plan_is_refused_by_name(content: object) -> None:
    with pytest.raises(UsageError, match=r"old\.json"):
        read_plan(content, "old.json")


def test_markdown_escapes_what_would_be_markup() -> None:
    old = document({"a": 1}, 1)
    new = document({"a": 1, "<b>|*x*": 1}, 2)
    text = markdown(compare(read_plan(old, "old"), read_plan(new, "new")))
    assert "<b>" not in text
    assert r"&lt;b&gt;\|\*x\*/1" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {row.replace(r"\|", "").count("|") for row in rows} == {5}


SCHEMA = {
    "type": "object",
    "required": [
        "format_version", "same", "pool", "added", "removed", "moved", "settings", "cron",
        "hazards", "order",
    ],
    "additionalProperties": False,
    "properties": {
        "format_version": {"const": "1"},
        "same": {"type": "boolean"},
        "pool": {"type": "object", "required": ["old", "new"]},
        "added": {"items": {"required": ["queue", "number", "machine"]}},
        "removed": {"items": {"required": ["queue", "number", "machine"]}},
        "moved": {"items": {"required": ["queue", "number", "from", "to"]}},
        "settings": {"items": {"required": ["name", "old", "new", "old_source", "new_source"]}},
        "cron": {"type": "object", "required": ["added", "removed", "changed"]},
        "hazards": {"items": {"required": ["kind", "queue", "number", "machines", "text"]}},
        "order": {"type": ["array", "null"]},
    },
}  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_the_json_has_its_shape(seed: int) -> None:
    old, new = random_pair(random.Random(seed))
    found = compare(read_plan(document(*old), "old"), read_plan(document(*new), "new"))
    jsonschema.validate(json.loads(json.dumps(comparison_json(found))), SCHEMA)
