"""Pictures of the page to look at: `python -m tests.page FOLDER`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from operations.report.page import page

from .chromium import Chromium
from .fleets import fleet
from .tools import chromium_tool

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
found = chromium_tool()
with tempfile.TemporaryDirectory() as profile:
    browser = Chromium(found.words, found.env, Path(profile))
    for count, every in ((3, 2), (200, 9)):
        path = folder.absolute() / f"{count}-hosts.html"
        path.write_text(page(fleet(count, every)), encoding="utf-8")
        for name, width, dark in (("", 1280, False), ("-dark", 1280, True), ("-phone", 375, False)):
            browser.open(path, width, dark=dark)
            browser.picture(path.with_name(f"{count}-hosts{name}.png"), whole=True)
        browser.open(path)
        path.with_suffix(".pdf").write_bytes(browser.printed())
    browser.close()
