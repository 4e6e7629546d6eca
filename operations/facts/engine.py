"""Docker on the host."""

from __future__ import annotations

from pyinfra.api import StringCommand

from ..stack.snapshot import SeenEngine
from .base import ScriptFact


class Engine(ScriptFact[SeenEngine]):
    """Docker's command line, its server, the Compose v2 plugin, bash, curl and jq: which are there, in which version.

    + root: a stack's folder, which may know Compose's version from when it was last started

    **Example:** ``pyinfra inventory fact operations.facts.engine.Engine``
    """

    script = "engine/seen"

    def command(self, root: str = "/nowhere") -> StringCommand:
        return self.ask(root=root)

    def parse(self, lines: list[str]) -> SeenEngine:
        found = dict(line.split("=", 1) for line in lines)
        return SeenEngine(
            cli=found["docker"] == "yes",
            server=found["server"] or None,
            compose=found["compose"] or None,
            curl=found["curl"] == "yes",
            jq=found["jq"] == "yes",
            bash=found["bash"] == "yes",
            podman=found["podman"] == "yes",
        )
