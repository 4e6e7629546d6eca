"""What services complain about."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from pyinfra.api import StringCommand

from ..stack.snapshot import SeenLog
from .base import ScriptFact, shown

# While a service has just been replaced, the others notice, and say so.
GRACE = timedelta(seconds=5)
LAST = 20


class Logs(ScriptFact[dict[str, SeenLog]]):
    """Of each service of a Compose project: refused logins since its start, and its last lines that tell of an error.

    + root: the stack's folder, absolute
    + project: the Compose project's name
    + window: seconds
    + refused: a regular expression (POSIX, extended) of lines that tell of a refused login
    + harmless: a regular expression (POSIX, extended) of lines that do not count; "" for none
    """

    script = "logs/read"

    def command(self, root: str, project: str, window: int = 300, refused: str = "", harmless: str = "") -> StringCommand:
        return self.ask(root=root, project=project, window=window, refused=refused, harmless=harmless)

    def parse(self, lines: list[str]) -> dict[str, SeenLog]:
        (line,) = lines
        containers = json.loads(line)
        # one that ends again and again has always just started; nobody notices that but itself
        latest = max((str(one["started"]) for one in containers if one["running"]), default="")
        quiet_until = (datetime.fromisoformat(latest) + GRACE).isoformat() if latest else ""
        logs: dict[str, SeenLog] = {}
        for one in containers:
            log = logs.get(service := str(one["service"]), SeenLog())
            errors = tuple(shown(text) for time, text in one["errors"] if time > quiet_until)
            logs[service] = SeenLog(log.refused + int(one["refused"]), (*log.errors, *errors)[-LAST:])
        return logs
