"""The pictures of docs/tour.md: a run that changed all, and one in which a host failed. Written to the folder that is named."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest

from operations.report.page import page
from tests.page.chromium import Chromium
from tests.page.fleets import fleet
from tests.page.tools import chromium_tool

TAKEN = {"changed": (fleet(3, 4), False), "failed": (fleet(3, 3), True)}  # name → the run, and whether it is dark


def main(folder: Path) -> None:
    try:
        found = chromium_tool()
    except pytest.skip.Exception as missing:
        raise SystemExit(f"No picture can be taken: {missing}.") from None
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        browser = Chromium(found.words, found.env, Path(profile))
        for name, (run, dark) in TAKEN.items():
            path = folder / f"{name}.html"
            path.write_text(page(run), encoding="utf-8")
            browser.open(path.resolve(), height=640, dark=dark)
            browser.picture(folder / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
