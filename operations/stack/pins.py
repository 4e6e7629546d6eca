"""The image behind each name, the same on every host: pins, how they are chosen, and what a host lacks of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .snapshot import UNKNOWN, SeenImage, Snapshot
from .text import listed

if TYPE_CHECKING:
    from .stack import Stack


@dataclass(frozen=True)
class Pin:
    """The image that a name stands for.

    + digest: as registries know it, whatever the platform; "" for an image that no registry has, which is only copied
    + ids: what Docker calls it on hosts, one for each platform; a copied image has nothing else to be told by
    + why: why a registry that was to be asked about it did not answer
    """

    digest: str = ""
    ids: frozenset[str] = frozenset()
    why: str = field(default="", compare=False)

    def matches(self, seen: SeenImage | None) -> bool:
        """Whether an image of a host is this one."""
        return seen is not None and (self.digest in seen.digests or seen.id in self.ids)

    @property
    def shown(self) -> str:
        return short(self.digest or min(self.ids, default=""))


@dataclass(frozen=True)
class ImageChange:
    """An image to be brought to a host.

    + name: as the definition of its services has it
    + services: those that run it
    + pin: which one; None: whichever the registry has
    + before: the one that has the name there now, shortened; "" for none
    """

    name: str
    services: tuple[str, ...]
    pin: Pin | None
    before: str = ""

    def __str__(self) -> str:
        after = f"{self.before or 'none'} → {self.pin.shown}" if self.pin else "as its registry has it now"
        return f"{self.name} for {listed(self.services)}: {after}"


def short(digest: str) -> str:
    """A digest as a person compares it."""
    return digest.removeprefix("sha256:")[:12]


def domain(image: str) -> str:
    """The registry of an image's name."""
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"


def repository(image: str) -> str:
    """An image's name without its tag."""
    folder, slash, name = image.rpartition("/")
    return f"{folder}{slash}{name.partition(':')[0]}"


def changes(stack: Stack, seen: Snapshot) -> Iterator[ImageChange]:
    """The images that are to be brought to a host before its services start; what else is missing is pulled by Compose."""
    if seen.images is UNKNOWN or stack.settings.pull == "never":
        return
    users: dict[str, list[str]] = {}
    for service, image in stack.images(seen).items():
        users.setdefault(image, []).append(service)
    for image, services in users.items():
        pin, there = stack.pins.get(image), seen.images.get(image)
        if pin and not pin.matches(there):
            yield ImageChange(image, tuple(services), pin, _shown(there))
        elif not pin and _is_ours_to_pull(image, stack, there):
            yield ImageChange(image, tuple(services), None)


def _is_ours_to_pull(image: str, stack: Stack, there: SeenImage | None) -> bool:
    """Whether Compose could not pull an image without a pin: its registry wants a login, or the host has no way to any."""
    pull = stack.settings.pull
    if there is None:
        return pull == "copy" or domain(image) in stack.registries
    return pull == "always" and domain(image) in stack.registries


def _shown(there: SeenImage | None) -> str:
    return short(next(iter(there.digests), there.id)) if there else ""


def another(stack: Stack, seen: Snapshot) -> dict[str, str]:
    """Service → the image it is pinned to, where a container of it runs another one than has that name on the host."""
    if seen.images is UNKNOWN:
        return {}
    return {
        service: image
        for service, image in stack.images(seen).items()
        if image in stack.pins
        and (there := seen.images.get(image))
        and any(one.image_id and one.image_id != there.id for one in seen.of(service))
    }


def unpinned(stack: Stack, seen: Snapshot) -> bool:
    """Whether a service runs an image that has no pin: whether it is the newest one only its registry knows."""
    images = stack.images(seen)
    return any(images.get(service.name) not in stack.pins for service in stack.services)


def chosen(hosts: Iterable[tuple[Stack, Snapshot]], locked: Mapping[str, Pin]) -> dict[str, Pin]:
    """The pins for these hosts: those that are locked; else the newest image that one of them has, so that no host goes back.

    An image that no registry has, built on a host or loaded there, gets a pin only where hosts are to have it by copy.
    """
    newest: dict[str, SeenImage] = {}
    pins, copied = dict(locked), set[str]()
    for stack, seen in hosts:
        if not stack.settings.pin or seen.images is UNKNOWN:
            continue
        for image in stack.images(seen).values():
            if stack.settings.pull == "copy":
                copied.add(image)
            there = seen.images.get(image)
            if there and image not in locked and (image not in newest or there.order > newest[image].order):
                newest[image] = there
    for image, there in newest.items():
        if there.digests or image in copied:
            pins[image] = Pin(next(iter(there.digests), ""), frozenset([there.id]))
    return pins


def learnt(pins: Mapping[str, Pin], seen: Snapshot) -> dict[str, Pin]:
    """The same, with what Docker calls these images on a host: those that its services run there, and that are the pinned ones."""
    images = {} if seen.images is UNKNOWN else seen.images
    running = set[str]() if seen.containers is UNKNOWN else {one.image_id for one in seen.containers}
    return {
        name: Pin(pin.digest, pin.ids | {there.id})
        for name, pin in pins.items()
        if (there := images.get(name)) and pin.matches(there) and there.id in running
    }
