"""What earlier runs left behind, and what the containers are now."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyinfra.api import StringCommand

from ..stack.acl import acl_hashes
from ..stack.lock import Owner, owner
from ..stack.snapshot import Applied, Seen, SeenContainer, SeenProject
from .base import ScriptFact

_HEALTH = re.compile(r"\((?:health: )?(healthy|unhealthy|starting)\)")  # in words such as "Up 2 hours (healthy)"


@dataclass(frozen=True)
class SeenState(Seen):
    """What was last started (`applied`), the fragments that were written, the hashes of users.acl on disk, and the lock's owner.

    + bases: Compose files beside compose.yml that Compose would take for it
    + projects: other Compose projects that run from this folder; told until the stack was started once
    + volume: something that lies in redis' data folder
    """

    applied: Applied
    fragments: tuple[str, ...]
    acl: tuple[str, ...]
    lock: Owner | None = None
    bases: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    volume: str = ""


class State(ScriptFact[SeenState]):
    """The files in which this library keeps what it did.

    + root: the stack's folder, absolute
    + project: the Compose project's name
    + folder: the Compose project's folder, absolute; `root` when left out
    """

    script = "state.sh"

    def command(self, root: str, project: str = "", folder: str = "") -> StringCommand:
        return self.run(root, project, folder or root)

    def parse(self, lines: list[str]) -> SeenState:
        found: dict[str, list[str]] = {kind: [] for kind in ("applied", "fragment", "acl", "lock", "base", "project", "volume")}
        for line in lines:
            kind, _, rest = line.partition("\t")
            found[kind].append(rest)
        return SeenState(
            applied=_applied("\n".join(found["applied"])),
            fragments=tuple(found["fragment"]),
            acl=tuple(h for line in found["acl"] for h in acl_hashes(line)),
            lock=owner("\n".join(found["lock"])),
            bases=tuple(found["base"]),
            projects=tuple(found["project"]),
            volume="".join(found["volume"]),
        )


class Containers(ScriptFact[tuple[SeenContainer, ...]]):
    """The containers of a Compose project, running or not.

    + project: the project's name
    """

    script = "containers/list"
    in_place = True

    def command(self, project: str) -> StringCommand:
        return self.ask(project=project)

    def parse(self, lines: list[str]) -> tuple[SeenContainer, ...]:
        _version, listed = lines
        return tuple(_container(one) for one in json.loads(listed))


def _applied(text: str) -> Applied:
    try:
        document = json.loads(text)
        services = {name: dict(entry.items()) for name, entry in document["services"].items()}
        project = _project(document["project"]) if document.get("project") else None
        return Applied(str(document["inputs"]), services, str(document.get("compose", "")), project)
    except (ValueError, KeyError, TypeError, AttributeError):
        # missing, cut off by a crash or edited by hand: then every definition is compared anew
        return Applied()


def _project(told: Mapping[str, Any]) -> SeenProject:
    needs = {name: tuple(others) for name, others in told["needs"].items()}
    return SeenProject(dict(told["definitions"]), needs, str(told["starter"]))


def _container(one: Mapping[str, Any]) -> SeenContainer:
    health = _HEALTH.search(one["status"])
    return SeenContainer(
        id=str(one["id"]),
        service=str(one["service"] or ""),
        state=str(one["state"]),
        health=health[1] if health else "",
        config_hash=str(one["hash"] or ""),
        addresses=tuple(map(str, one["addresses"])),
        created=int(one["created"]),
        mounts={str(target): str(source) for target, source in one["mounts"].items()},
        image=str(one["image"]),
        ports=tuple(map(str, one["ports"])),
    )
