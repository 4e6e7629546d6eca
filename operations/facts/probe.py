"""The checks that the catalogue declares."""

from __future__ import annotations

import re
import shlex

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

    script = "probe/ask"

    def command(self, probe: Declared, project: str, window: int = 300, patience: int = 0) -> StringCommand:
        target = shlex.join(probe.target) if probe.kind == "command" else probe.target[0]
        return self.ask(
            kind=probe.kind, target=target, port=probe.port or "", project=project, service=probe.service, window=window,
            patience=patience,
        )  # fmt: skip

    def parse(self, lines: list[str]) -> str:
        (answer,) = lines or [""]
        if not _ANSWER.fullmatch(answer):
            raise ValueError("no answer to a check")
        return answer


_ANSWER = re.compile(r"[a-z0-9 ]{0,40}")
