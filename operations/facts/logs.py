"""What services complain about."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from pyinfra.api import StringCommand

from ..stack.snapshot import SeenLog
from .base import ScriptFact

# While a service has just been replaced, the others notice, and say so.
GRACE = timedelta(seconds=5)


class Logs(ScriptFact[dict[str, SeenLog]]):
    """Of each service of a Compose project: refused logins since its start, and its last lines that tell of an error.

    + root: the stack's folder, absolute
    + project: the Compose project's name
    + window: seconds
    + harmless: a regular expression (POSIX, extended) of lines that do not count; "" for none
    """

    script = "logs.sh"

    def command(self, root: str, project: str, window: int = 300, harmless: str = "") -> StringCommand:
        return self.run(root, project, str(window), harmless)

    def parse(self, lines: list[str]) -> dict[str, SeenLog]:
        refused: dict[str, int] = {}
        errors: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        quiet_until = ""
        for line in lines:
            kind, service, first, rest = line.split("\t", 3)
            if kind == "auth":
                refused[service] = int(first)
                quiet_until = (datetime.fromisoformat(rest) + GRACE).isoformat() if rest else ""
            elif kind == "line":
                errors[service].append((first, rest))
            else:
                raise ValueError(f"a line of no known kind: {kind}")
        return {
            service: SeenLog(count, tuple(text for time, text in errors[service] if time > quiet_until))
            for service, count in refused.items()
        }
