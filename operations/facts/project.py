"""The merged Compose project as Compose itself understands it."""

from __future__ import annotations

from pyinfra.api import StringCommand

from ..stack.snapshot import SeenProject
from .base import ScriptFact


class Project(ScriptFact[SeenProject]):
    """The services of the merged project, their definitions' hashes and their dependencies.

    + root: the stack's folder, absolute
    """

    script = "project_seen.sh"

    def command(self, root: str) -> StringCommand:
        return self.run(root)

    def parse(self, lines: list[str]) -> SeenProject:
        definitions: dict[str, str] = {}
        starter = "docker"
        needs: dict[str, list[str]] = {}
        for line in lines:
            kind, service, value = line.split("\t")
            if kind == "hash":
                definitions[service] = value
                needs.setdefault(service, [])
            elif kind == "starts":
                starter = service
            else:
                needs.setdefault(service, []).append(value)
        return SeenProject(definitions, {service: tuple(others) for service, others in needs.items()}, starter)
