"""The merged Compose project as Compose itself understands it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyinfra.api import StringCommand

from ..stack.snapshot import Seen
from .base import ScriptFact


@dataclass(frozen=True)
class SeenProject(Seen):
    """`definitions`: service → Compose's hash of its definition (env files are not in it); `needs`: service → its `depends_on`.

    + starter: who can start its containers; `compose` where it runs hooks or copies something into them
    """

    definitions: Mapping[str, str]
    needs: Mapping[str, tuple[str, ...]]
    starter: str = "docker"


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
