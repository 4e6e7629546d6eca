"""What earlier runs did on a host, and what they kept."""

from __future__ import annotations

from typing import Any

from pyinfra.api import StringCommand

from .base import ScriptFact, decoded, document


class History(ScriptFact[list[dict[str, Any]]]):
    """The last entries of a stack's history, the oldest first.

    + root: the stack's folder, absolute
    + last: how many

    **Example:** ``pyinfra inventory fact operations.facts.past.History root=/opt/erni-ki``
    """

    script = "history/list"

    def command(self, root: str, last: int = 20) -> StringCommand:
        return self.ask(root=root, last=last)

    def parse(self, lines: list[str]) -> list[dict[str, Any]]:
        # a line that was cut off by a full disk or a crash is no entry
        entries = map(document, decoded("".join(lines)).split("\n"))
        return [entry for entry in entries if isinstance(entry, dict)]


class Backups(ScriptFact[dict[str, int]]):
    """The backups of a stack, the oldest first: name → how many files are in it.

    + root: the stack's folder, absolute
    """

    script = "backup/list"

    def command(self, root: str) -> StringCommand:
        return self.ask(root=root)

    def parse(self, lines: list[str]) -> dict[str, int]:
        return {name: int(count) for name, count in (line.split(" ") for line in lines)}
