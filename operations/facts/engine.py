"""Docker on the host."""

from __future__ import annotations

from pyinfra.api import StringCommand

from ..stack.snapshot import SeenEngine
from .base import ScriptFact


class Engine(ScriptFact[SeenEngine]):
    """Docker's command line, its server, the Compose v2 plugin and curl: which are there, in which version.

    **Example:** ``pyinfra inventory fact operations.facts.engine.Engine``
    """

    script = "engine.sh"

    def command(self) -> StringCommand:
        return self.run()

    def parse(self, lines: list[str]) -> SeenEngine:
        found = dict(line.split("=", 1) for line in lines)
        return SeenEngine(
            cli=found["docker"] == "yes",
            server=found["server"] or None,
            compose=found["compose"] or None,
            curl=found["curl"] == "yes",
        )
