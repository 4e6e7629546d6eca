"""The images behind names: those on a host, and those that registries have."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from pyinfra.api import StringCommand

from ..stack.pins import domain
from ..stack.snapshot import SeenImage
from .base import ScriptFact, shown, text

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-[0-9T:.Z+-]+")


class Images(ScriptFact[dict[str, SeenImage | None]]):
    """Name → the image that has it on the host; None where there is none.

    + images: their names
    """

    script = "images/seen"
    asked: tuple[str, ...] = ()

    def command(self, images: Sequence[str]) -> StringCommand:
        self.asked = tuple(images)
        return self.ask(images=images)

    def parse(self, lines: list[str]) -> dict[str, SeenImage | None]:
        return {name: _image(line) for name, line in zip(self.asked, lines, strict=True)}


def _image(line: str) -> SeenImage | None:
    told = json.loads(line)
    if told is None:
        return None
    digests = tuple(found for one in told["digests"] if DIGEST.fullmatch(found := text(one).rpartition("@")[2]))
    created = text(told["created"])
    if not DIGEST.fullmatch(told["id"]):
        raise ValueError("no id of an image")
    return SeenImage(told["id"], tuple(dict.fromkeys(digests)), created if _TIME.fullmatch(created) else "")


class Registry(ScriptFact[dict[str, tuple[str, str]]]):
    """Name of an image → its digest, as its registry has it now, and why there is none. Docker on the host asks the registry, with
    its own mirrors and proxies.

    + images: their names
    + logins: registry → a login as Docker's API takes it; those of the host's own docker config for others
    """

    script = "images/registry"

    def command(self, images: Sequence[str], logins: Mapping[str, str]) -> StringCommand:
        return self.ask(asked=[f"{image} {domain(image)} {logins.get(domain(image), '-')}" for image in images])

    def parse(self, lines: list[str]) -> dict[str, tuple[str, str]]:
        return {text(one["image"]): (_digest(one["digest"]), shown(text(one["why"]))[:200]) for one in map(json.loads, lines)}


class Saved(ScriptFact[tuple[str, int]]):
    """The first of some images that the host has, as `docker save` writes it: what Docker calls it, and its bytes. Empty where the
    host has none of them.

    + root: the stack's folder, absolute; below it the archive lies in .fleet/images/save.tar until images/forget.sh is run
    + images: what the image may be called
    """

    script = "images/save"

    def command(self, root: str, images: Sequence[str]) -> StringCommand:
        return self.ask(root=root, images=images)

    def parse(self, lines: list[str]) -> tuple[str, int]:
        (line,) = lines
        image, size = line.split(" ")
        return _digest(image), int(size)


class Layers(ScriptFact[tuple[tuple[str, ...], ...]]):
    """The layers of each image on the host, from the bottom."""

    script = "images/layers"

    def command(self) -> StringCommand:
        return self.ask()

    def parse(self, lines: list[str]) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(map(text, one)) for one in map(json.loads, lines) if one)


def _digest(told: object) -> str:
    return told if isinstance(told, str) and DIGEST.fullmatch(told) else ""
