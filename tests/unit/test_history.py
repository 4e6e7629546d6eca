"""The history as it is shown: what is read on a host is data, whatever it is."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations import history
from tests.unit.report.test_hostile_text import hostile

ENTRY = {
    "time": "2026-11-24T15:01:02Z", "run": "20261124T150102Z-3f9a", "operator": "ann", "controller": "here",
    "changes": ["wrote .env"], "before": ["0123456789ab"], "after": "ba9876543210", "result": "rolled back",
    "reason": "redis was away",
}  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers() | hostile, lambda one: st.lists(one) | st.dictionaries(hostile, one)
)


def printed(capsys: pytest.CaptureFixture[str], *entries: dict[str, Any]) -> str:
    history._found.clear()
    history._found["erni-1"] = list(entries)
    history._print()
    return capsys.readouterr().out


def test_a_run_is_a_line_with_why_it_failed(capsys: pytest.CaptureFixture[str]) -> None:
    (_, line) = printed(capsys, ENTRY).splitlines()
    assert re.split("  +", line) == [
        "2026-11-24T15:01:02Z", "erni-1", "20261124T150102Z-3f9a", "ann@here", "0123456789ab → ba9876543210", "1",
        "rolled back: redis was away",
    ]  # fmt: skip


def test_markup_is_not_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert "[bold]x[/] :skull:" in printed(capsys, {**ENTRY, "reason": "[bold]x[/] :skull:"})


@given(st.dictionaries(st.sampled_from(list(ENTRY)), values))
def test_whatever_an_entry_holds_it_is_a_row_of_text(entry: dict[str, Any]) -> None:
    row = history._row("erni-1", json.loads(json.dumps(entry)))
    assert len(row) == 7
    assert all(text.isprintable() for text in row)


def test_entries_are_told_in_the_order_of_their_time(capsys: pytest.CaptureFixture[str]) -> None:
    later = {**ENTRY, "time": "2026-11-25T00:00:00Z", "result": 5}
    assert [line[:10] for line in printed(capsys, later, ENTRY, {}).splitlines()[1:]] == [" " * 10, "2026-11-24", "2026-11-25"]
