"""The users of the default stack as docs/users.md has them."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from textwrap import dedent
from typing import Any

PAGE = Path(__file__).parents[4] / "docs" / "users.md"


def users() -> dict[str, dict[str, Any]]:
    block = re.search(r"^ *```python\n(.*?)^ *```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert block
    found: dict[str, dict[str, Any]] = ast.literal_eval(dedent(block[1]).partition("redis_users = ")[2])
    return found
