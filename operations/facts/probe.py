"""The checks that the catalogue declares."""

from __future__ import annotations

from pyinfra.api import StringCommand

from ..stack.probes import Probe as Declared
from .base import ScriptFact


class Probe(ScriptFact[str]):
    """What a declared check is answered on the host: "" for no answer.

    + probe: the check
    + project: the Compose project's name
    + window: seconds of a log that count
    + patience: seconds for which it is asked again when there is no answer, as from a service that has just started
    """

    script = "probe.sh"

    def command(self, probe: Declared, project: str, window: int = 300, patience: int = 0) -> StringCommand:
        words = {
            "command": (project, probe.service, *probe.target),
            "log": (project, probe.service, str(window), *probe.target),
        }.get(probe.kind, probe.target)
        return self.run(str(patience), probe.kind, *words)

    def parse(self, lines: list[str]) -> str:
        return lines[0] if lines else ""
