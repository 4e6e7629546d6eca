"""SECURITY.md names the test of each promise, so the tests that it names are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_test_that_the_page_names_is_there() -> None:
    named = re.findall(r"\[(test_\w+)\]\(([\w/.]+)\)", (ROOT / "SECURITY.md").read_text())
    assert named
    assert [(path, name) for name, path in named if f"def {name}(" not in (ROOT / path).read_text()] == []
