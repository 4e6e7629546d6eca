"""The host itself, and what lies open on it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from pyinfra.api import StringCommand

from ..stack.snapshot import SeenMachine
from .base import ScriptFact


class Machine(ScriptFact[SeenMachine]):
    """How far the host's clock is from this machine's, and the free space where the stack and Docker keep what they have.

    + root: the stack's folder, absolute
    """

    script = "machine.sh"

    def command(self, root: str) -> StringCommand:
        return self.run(root)

    def parse(self, lines: list[str]) -> SeenMachine:
        (kind, clock), *words = [line.split("\t") for line in lines]
        free = {mount: int(blocks) * 1024 for _, mount, blocks in words}
        if kind != "time" or not free:
            raise ValueError("the clock or the free space was not told")
        return SeenMachine(float(clock), float(clock) - time.time(), free)


class Literals(ScriptFact[tuple[tuple[str, int], ...]]):
    """Where a password is written out in Compose files: file and line number, never the text.

    + root: the stack's folder, absolute
    + paths: the files, relative to it
    """

    script = "literal.sh"

    def command(self, root: str, paths: Sequence[str]) -> StringCommand:
        return self.run(root, *paths)

    def parse(self, lines: list[str]) -> tuple[tuple[str, int], ...]:
        return tuple((path, int(line)) for path, line in (line.split("\t") for line in lines))


class Metrics(ScriptFact[dict[str, float]]):
    """Values on a page of Prometheus metrics: name with its labels → value.

    + url: of the page
    + names: of the metrics, without labels
    + patience: seconds for which it is asked again when there is no answer, as from a service that has just started
    """

    script = "metrics.sh"
    shell = ("timeout", "60", "sh")

    def command(self, url: str, names: Sequence[str], patience: int = 0) -> StringCommand:
        return self.run(str(patience), url, *names)

    def parse(self, lines: list[str]) -> dict[str, float]:
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}
