"""The merged Compose project as Compose itself understands it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pyinfra.api import StringCommand

from ..stack.snapshot import SeenProject
from .base import ScriptFact, text, texts


class Project(ScriptFact[SeenProject]):
    """The services of the merged project, their definitions' hashes and their dependencies.

    + root: the stack's folder, absolute
    """

    script = "project/seen"

    def command(self, root: str) -> StringCommand:
        return self.ask(root=root)

    def parse(self, lines: list[str]) -> SeenProject:
        (line,) = lines
        return seen_project(json.loads(line))


def seen_project(told: Mapping[str, Any]) -> SeenProject:
    """Compose's answer as it was told, or noted by an earlier run; raises ValueError, TypeError or KeyError where it is none."""
    needs = {name: tuple(map(text, others)) for name, others in told["needs"].items()}
    return SeenProject(texts(told["definitions"]), needs, text(told["starter"]))
