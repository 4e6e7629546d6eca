"""What earlier runs left behind, and what the containers are now."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

from dotenv import dotenv_values
from pyinfra.api import StringCommand

from ..stack.lock import Owner, owner
from ..stack.snapshot import Applied, Seen, SeenContainer
from ..stack.stack import APPLIED, FRAGMENTS
from .base import ScriptFact, decoded, document, text, texts
from .project import seen_own, seen_project

_HEALTH = re.compile(r"\((?:health: )?(healthy|unhealthy|starting)\)")  # in words such as "Up 2 hours (healthy)"


@dataclass(frozen=True)
class SeenState(Seen):
    """What was last started (`applied`), the fragments that were written, and the lock's owner.

    + called: name in the catalogue → the fragment's, where they differ

    + started_with: the project's own Compose files: those that .env names, else an earlier run or its containers, else those that
      Compose finds by itself; empty where there are none
    + projects: other Compose projects that run from this folder; told until the stack was started once
    + texts: path → content of further small files
    + entries: folder → something that lies in it
    + counted: credential → what its server had counted when a run last noted it
    """

    applied: Applied
    fragments: tuple[str, ...]
    lock: Owner | None = None
    started_with: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    entries: Mapping[str, str] = field(default_factory=dict)
    counted: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    called: Mapping[str, str] = field(default_factory=dict)


class State(ScriptFact[SeenState]):
    """The files in which this library keeps what it did.

    + root: the stack's folder, absolute
    + project: the Compose project's name
    + folder: the Compose project's folder, absolute; `root` when left out
    + texts: further small files whose content is told, relative to `root`
    + folders: those of which one entry is told
    """

    script = "state/seen"
    known: tuple[str, ...] = ()
    folder = ""

    def command(
        self, root: str, project: str = "", folder: str = "", texts: Sequence[str] = (), folders: Sequence[str] = ()
    ) -> StringCommand:
        self.known, self.folder = (*_OURS, *texts), root
        label = f"com.docker.compose.project.working_dir={folder or root}"
        return self.ask(root=root, project=project, texts=texts, folders=folders, filters=json.dumps({"label": [label]}))

    def parse(self, lines: list[str]) -> SeenState:
        files: dict[str, str] = {}
        usual: list[str] = []
        dotenv = started = ""
        entries: dict[str, str] = {}
        projects: tuple[str, ...] = ()
        for line in lines:
            kind, *rest = line.split(" ")
            if kind == "usual":
                usual += rest
            elif kind == "dotenv":
                dotenv = decoded(rest[0])
            elif kind == "entry":
                entries[rest[0]] = decoded(rest[1])
            elif kind.startswith("{"):
                told = json.loads(line)
                projects, started = tuple(map(text, told["projects"])), text(told["files"])
            elif len(rest) == 2 and rest[1] == "." and kind in self.known:
                files[kind] = decoded(rest[0])
            else:
                raise ValueError("a line of no known kind")
        applied = _applied(files.get(APPLIED, ""))
        # what is no name of a service, or no two of them, is not ours
        pairs = (line.split(" ") for line in files.get(FRAGMENTS, "").splitlines())
        written = [words for words in pairs if len(words) <= 2 and all(map(_SERVICE.fullmatch, words))]
        noted = ",".join(applied.own[1]) if applied.own else ""
        return SeenState(
            applied=applied,
            fragments=tuple(words[0] for words in written),
            called={words[1]: words[0] for words in written if len(words) == 2},
            lock=owner(files.get(_LOCK, "")),
            started_with=_own_files(self.folder, dotenv, noted or started) or _found_by_compose(usual),
            projects=projects,
            texts={path: content for path, content in files.items() if path not in _OURS},
            entries=entries,
            counted=_counted(files.get(_COUNTERS, "")),
        )


_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LOCK, _COUNTERS = ".fleet/lock/owner", ".fleet/counters.json"
_OURS = (APPLIED, FRAGMENTS, _LOCK, _COUNTERS)


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


def _own_files(folder: str, dotenv: str, started: str) -> tuple[str, ...]:
    """What COMPOSE_FILE names, else what Compose's label of a container says, without ours; relative to the stack's folder."""
    # Compose takes a byte order mark, and `KEY: value`, too
    said = dotenv_values(stream=StringIO(_COLON.sub(r"\1=", dotenv.replace("\ufeff", ""))), interpolate=False)
    named = (said.get("COMPOSE_FILE") or "").split(said.get("COMPOSE_PATH_SEPARATOR") or ":")
    paths = named if any(named) else started.split(",")
    inside = [posixpath.relpath(posixpath.join(folder, path.strip()), folder) for path in paths if path.strip()]
    return tuple(dict.fromkeys(path for path in inside if not path.startswith("compose.d/")))


def _found_by_compose(there: Sequence[str]) -> tuple[str, ...]:
    """Source: https://docs.docker.com/compose/intro/compose-application-model/#the-compose-file"""
    names = [name for name in _USUAL if name in there][:1]
    return (*names, *[name for name in _OVERRIDES if name in there][:1]) if names else ()


_COLON = re.compile(r"^(\s*(?:export\s+)?COMPOSE_\w+)\s*:", re.MULTILINE)
_USUAL = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
_OVERRIDES = ("compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml")


def _applied(written: str) -> Applied:
    found = document(written)
    try:
        services = {name: texts(entry) for name, entry in found["services"].items()}
        project = seen_project(found["project"]) if found.get("project") else None
        own = found.get("own") and (seen_own(found["own"]["services"]), texts(found["own"]["files"]))
        return Applied(text(found["inputs"]), services, text(found.get("compose", "")), project, own or None)
    except (ValueError, KeyError, TypeError, AttributeError):
        # missing, cut off by a crash or edited by hand: then every definition is compared again
        return Applied()


def _counted(written: str) -> Mapping[str, Mapping[str, str]]:
    try:
        return {name: texts(entry) for name, entry in document(written).items()}
    except (ValueError, TypeError, AttributeError):  # missing, cut off or edited by hand: then all counts since the servers' starts
        return {}


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
        image_id=str(one.get("image_id") or ""),
        ports=tuple(map(str, one["ports"])),
    )
