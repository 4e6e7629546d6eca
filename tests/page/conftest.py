"""Chromium and promtool, wherever they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from operations.report import RunReport
from operations.report.page import page

from .chromium import Chromium
from .tools import Tool, chromium_tool, tool


@pytest.fixture(scope="session")
def promtool() -> Tool:
    return tool(("promtool",), "prometheus")


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    found = chromium_tool()
    browser = Chromium(found.words, found.env, tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[RunReport], Path]:
    """Writes the page of a report as a run does."""

    def write(report: RunReport) -> Path:
        path = tmp_path / "report.html"
        path.write_text(page(report), encoding="utf-8", errors="backslashreplace")
        return path

    return write
