"""What earlier runs did on a host, and what they kept."""

from __future__ import annotations

import json
from typing import Any

from pyinfra.api import StringCommand

from .base import ScriptFact


class History(ScriptFact[list[dict[str, Any]]]):
    """The last entries of a stack's history, the oldest first.

    + root: the stack's folder, absolute
    + last: how many

    **Example:** ``pyinfra inventory fact operations.facts.past.History root=/opt/erni-ki``
    """

    script = "history.sh"

    def command(self, root: str, last: int = 20) -> StringCommand:
        return self.run(root, str(last))

    def parse(self, lines: list[str]) -> list[dict[str, Any]]:
        return [entry for line in lines if (entry := _entry(line))]


class Backups(ScriptFact[dict[str, int]]):
    """The backups of a stack, the oldest first: name → how many files are in it.

    + root: the stack's folder, absolute
    """

    script = "backups.sh"

    def command(self, root: str) -> StringCommand:
        return self.run(root)

    def parse(self, lines: list[str]) -> dict[str, int]:
        return {name: int(count) for name, count in (line.split("\t") for line in lines)}


def _entry(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:  # cut off by a full disk or a crash
        return None
    return entry if isinstance(entry, dict) else None
