"""The merged Compose project as Compose itself understands it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pyinfra.api import StringCommand

from ..stack.overlay import hidden
from ..stack.snapshot import Difference, SeenDefinition, SeenOwn, SeenProject
from ..stack.text import clean
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


class Own(ScriptFact[SeenOwn]):
    """What the project's own files define, and what our files would change of it, told by Compose.

    + root: the stack's folder, absolute
    + project: the Compose project's name
    + compose_files: the project's own files, relative to `root`
    + overlays: service → what is laid over it where the project defines it: see `Stack.overlays`
    + written: what is written into .env: key → value
    """

    script = "project/own"

    def command(
        self,
        root: str,
        project: str,
        compose_files: Sequence[str],
        overlays: Mapping[str, Any],
        written: Mapping[str, str] | None = None,
    ) -> StringCommand:
        given = {"overlays": json.dumps(overlays), "written": json.dumps(written or {})}
        return self.ask(root=root, project=project, compose_files=compose_files, masks="", **given)

    def parse(self, lines: list[str]) -> SeenOwn:
        (line,) = lines
        told = json.loads(line)
        return seen_own(
            told["services"],
            tuple(_difference(*map(text, one)) for one in told.get("differences") or ()),
            clean(text(told.get("refused", "")))[:_SHOWN],
        )


_SHOWN = 300  # characters of what a host says


def seen_own(services: Mapping[str, Any], differences: tuple[Difference, ...] | None = None, refused: str = "") -> SeenOwn:
    """The answer as it was told, or noted by an earlier run; raises ValueError, TypeError, AttributeError or KeyError otherwise."""
    return SeenOwn({text(name): _definition(one) for name, one in services.items()}, differences, refused)


def _definition(told: Mapping[str, Any]) -> SeenDefinition:
    return SeenDefinition(
        user=text(told["user"]),
        # what an earlier version noted has them not
        keys=tuple(map(text, told.get("keys", ()))),
        urls=texts(told.get("urls", {})),
        named=bool(told.get("named")),
        image=text(told.get("image", "")),
        profiles=tuple(map(text, told.get("profiles", ()))),
        network=text(told.get("network", "")),
    )


def _difference(service: str, path: str, before: str, after: str) -> Difference:
    """+ before, after: only whether there is something, where a secret may stand"""
    if hidden(path):
        before, after = ("one" if before else "", "another" if after else "")
    return Difference(*(clean(one)[:_SHOWN] for one in (service, path, before, after)))
