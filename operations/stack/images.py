"""Images whose end is known: the rows of `images.yml` of services. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from .catalogue import IMAGES

_SERVICES = Path(__file__).parent.parent / "services"


@dataclass(frozen=True)
class Ended:
    """What is known of some images.

    + images: their names, without registry and tag
    + ended: the month of the last release, such as 2025-12
    + reason: what became of them, as a sentence
    + successor: the image to take instead
    + move: what becomes of the service's data on the way, as sentences
    + source: where it is known from, and when that was read
    """

    images: tuple[str, ...]
    ended: str
    reason: str
    successor: str
    source: str
    move: str = ""


@cache
def table() -> tuple[Ended, ...]:
    """All rows."""
    rows = [row for path in sorted(_SERVICES.glob(f"*/{IMAGES}")) for row in yaml.safe_load(path.read_text(encoding="utf-8"))]
    return tuple(Ended(**{**row, "images": tuple(row["images"])}) for row in rows)


def ended(image: str) -> Ended | None:
    """What is known of the end of an image, whichever registry or mirror it comes from."""
    return next((row for row in table() if repository(image) in row.images), None)


def repository(image: str) -> str:
    """The name of an image without registry, tag and digest: `team/app` of `mirror:5000/team/app:latest`."""
    folder, slash, name = image.partition("@")[0].rpartition("/")
    first, _, rest = folder.partition("/")
    if "." in first or ":" in first or first == "localhost":
        folder, slash = rest, "/" if rest else ""
    return f"{folder}{slash}{name.partition(':')[0]}".removeprefix("library/")
