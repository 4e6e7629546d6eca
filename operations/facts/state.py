"""What earlier runs left behind, and what the containers are now."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyinfra.api import StringCommand

from ..stack.acl import ACL_PATH, acl_hashes
from ..stack.lock import Owner, owner
from ..stack.snapshot import Applied, Seen, SeenContainer
from .base import ScriptFact, decoded, document, text, texts
from .project import seen_project

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

    script = "state/seen"

    def command(self, root: str, project: str = "", folder: str = "") -> StringCommand:
        label = f"com.docker.compose.project.working_dir={folder or root}"
        return self.ask(root=root, project=project, filters=json.dumps({"label": [label]}))

    def parse(self, lines: list[str]) -> SeenState:
        files: dict[str, str] = {}
        bases: list[str] = []
        projects: tuple[str, ...] = ()
        volume = ""
        for line in lines:
            kind, *rest = line.split(" ")
            if kind == "base":
                bases += rest
            elif kind == "volume":
                volume = decoded(*rest)
            elif kind.startswith("["):
                projects = tuple(map(text, json.loads(line)))
            elif len(rest) == 2 and rest[1] == "." and kind in (_APPLIED, _FRAGMENTS, _LOCK, ACL_PATH):
                files[kind] = decoded(rest[0])
            else:
                raise ValueError("a line of no known kind")
        return SeenState(
            applied=_applied(files.get(_APPLIED, "")),
            fragments=tuple(map(_fragment, files.get(_FRAGMENTS, "").split())),
            acl=tuple(one for line in files.get(ACL_PATH, "").split("\n") for one in acl_hashes(line)),
            lock=owner(files.get(_LOCK, "")),
            bases=tuple(bases),
            projects=projects,
            volume=volume,
        )


_APPLIED, _FRAGMENTS, _LOCK = ".fleet/applied.json", ".fleet/fragments", ".fleet/lock/owner"


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


def _fragment(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise ValueError("no name of a service")
    return name


def _applied(written: str) -> Applied:
    found = document(written)
    try:
        services = {name: texts(entry) for name, entry in found["services"].items()}
        project = seen_project(found["project"]) if found.get("project") else None
        return Applied(text(found["inputs"]), services, text(found.get("compose", "")), project)
    except (ValueError, KeyError, TypeError, AttributeError):
        # missing, cut off by a crash or edited by hand: then every definition is compared anew
        return Applied()


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
