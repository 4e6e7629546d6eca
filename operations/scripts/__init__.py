"""The shell scripts that run on hosts. They are sent as text with each command; nothing of them is installed there."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent
_INCLUDE = re.compile(r"^#include (\S+)\n", re.MULTILINE)


@cache
def script(name: str) -> str:
    """The text of a script; a line `#include <file>` stands for that file of this folder."""
    text = (_FOLDER / name).read_text(encoding="utf-8")
    return _INCLUDE.sub(lambda match: script(match[1]), text)
