"""SECURITY.md names the test of each promise, so the tests that it names are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_test_that_the_page_names_is_there() -> None:
    named = re.findall(r"\[(test_\w+)\]\(([\w/.]+)\)", (ROOT / "SECURITY.md").read_text())
    assert named
    assert [(path, name) for name, path in named if f"def {name}(" not in (ROOT / path).read_text()] == []


def test_every_promise_and_everything_that_was_tried_names_a_test() -> None:
    rows = re.findall(r"^\|.*\|$", (ROOT / "SECURITY.md").read_text(), re.MULTILINE)
    told = [row for row in rows if not set(row) <= set("| -") and not row.endswith("shown by |")]
    assert len(told) > 20
    assert [row for row in told if not re.search(r"\[test_\w+\]\(tests/[\w/]+\.py\) \|$", row)] == []
