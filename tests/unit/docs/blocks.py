"""The code blocks of the pages. One that says `text` is output or a list for people; every other one is run by a test."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from docs.generate import reference

ROOT = Path(__file__).parents[3]
OUTPUT = "text"
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One block: the page and the line that it begins on, its language, and what stands in it."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """Every page that somebody wrote."""
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("tests/*.md"), *ROOT.glob(".github/**/*.md")])


def blocks(language: str | None = None) -> list[Block]:
    """Those of all pages, and of the docstrings that become pages."""
    found = [block for path in pages() for block in _in(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))]
    found += [block for name, text in reference.docstrings() for block in _in(name, text)]
    return [block for block in found if language in (None, block.language)]


def _in(page: str, text: str) -> Iterator[Block]:
    for match in _FENCE.finditer(text):
        yield Block(page, text.count("\n", 0, match.start()) + 1, match[2], textwrap.dedent(match[3]))
