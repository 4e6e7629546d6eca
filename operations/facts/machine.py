"""The host itself, and what lies open on it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from pyinfra.api import StringCommand

from ..stack.acl import PASSWORD_PATH
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
    """Where a password is written out: in Compose files, and in env files one of redis that is not managed. File and line number,
    never the text.

    + root: the stack's folder, absolute
    + paths: the Compose files, relative to it
    + env: env files of the stack → their managed keys
    + password_file: the file with redis' password
    """

    script = "literal.sh"

    def command(
        self, root: str, paths: Sequence[str], env: Mapping[str, Sequence[str]] | None = None, password_file: str = PASSWORD_PATH
    ) -> StringCommand:
        return self.run(root, password_file, *paths, "--", *(f"{path}={','.join(keys)}" for path, keys in (env or {}).items()))

    def parse(self, lines: list[str]) -> tuple[tuple[str, int], ...]:
        return tuple((path, int(line)) for path, line in (line.split("\t") for line in lines))


class Metrics(ScriptFact[dict[str, float]]):
    """Values on a page of Prometheus metrics: name with its labels → value.

    + url: of the page
    + names: of the metrics, without labels
    + patience: seconds for which it is asked again when there is no answer, as from a service that has just started
    """

    script = "metrics.sh"

    def command(self, url: str, names: Sequence[str], patience: int = 0) -> StringCommand:
        return self.run(str(patience), url, *names)

    def parse(self, lines: list[str]) -> dict[str, float]:
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}
