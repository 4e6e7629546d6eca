"""Images for hosts that have no way out: saved on this machine or on another host of the run, and loaded where they are missing."""

from __future__ import annotations

import atexit
import io
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from gevent.lock import BoundedSemaphore
from pyinfra.api import StringCommand
from pyinfra.api.arguments import CONNECTOR_ARGUMENT_KEYS, pop_global_arguments
from pyinfra.api.host import Host
from pyinfra.api.state import State
from pyinfra.context import ctx_host

from .. import scripts
from ..facts.bundle import Questions, ask
from ..facts.images import Layers, Saved
from ..stack.pins import ImageChange, Pin, repository
from ..stack.snapshot import UNKNOWN
from .failure import met, note
from .host_plan import HostPlan
from .observe import Fleet
from .progress import waiting

_MB = 1_000_000
_MOST = 4 * _MB  # bytes of an archive's own description


def copy(state: State, host: Host, planned: HostPlan, fleet: Fleet | None, change: ImageChange) -> bool:
    """Bring one image to the host. Fails it, with why, where nobody has the image.

    + planned: what is to be done on the host
    + fleet: the hosts of the run
    + change: the image
    """
    try:
        return _copied(host, planned, fleet, change)
    except Exception as error:  # a connection that breaks would end the run of every other host too
        note(host, f"{change.name}: could not be copied; no service was touched.", *met(error))
        return False


def _copied(host: Host, planned: HostPlan, fleet: Fleet | None, change: ImageChange) -> bool:
    if change.pin is None:
        note(host, f"{change.name}: neither images.lock nor a host of this run tells which image that is. Pull it on one, or here.")
        return False
    with _one_at_a_time(change.name):
        found = _archive(change.name, change.pin, _sources(host, planned, fleet, change.pin))
    if found is None:
        note(
            host,
            f"{change.name} ({change.pin.shown}): neither this machine's Docker nor another host of the run has it; no service was "
            f"touched. Pull it here (docker pull {repository(change.name)}@{change.pin.digest or change.pin.shown}), or run the "
            "deploy together with a host that has it.",
        )
        return False
    archive, image = found
    layers = ask(Questions({"layers": (Layers, {})}))
    there = () if layers is UNKNOWN or layers["layers"] is UNKNOWN else layers["layers"]
    root = planned.stack.settings.stack_dir
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        for path in (without(archive, there, Path(folder)), archive):
            if path and _load(host, root, path, change, image, last=path == archive):
                planned.learn(change.name, image)
                return True
    return False


def _sources(host: Host, planned: HostPlan, fleet: Fleet | None, pin: Pin) -> Iterator[tuple[Host, str]]:
    """The hosts that may have an image, with their stack's folder; those that were seen with it first."""
    others = dict(fleet.hosts) if fleet else {}
    others.pop(host.name, None)

    def has(name: str) -> bool:
        images = others[name].seen.images
        return images is not UNKNOWN and any(map(pin.matches, images.values()))

    for name in sorted(others, key=has, reverse=True):
        if has(name) or others[name].stack.settings.pull != "copy":
            yield host.inventory.hosts[name], others[name].stack.settings.stack_dir


@cache
def _folder() -> Path:
    """Where the archives of a run lie on this machine; nothing of them stays."""
    folder = Path(tempfile.mkdtemp(prefix="pyinfra-compose-images-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _one_at_a_time(name: str) -> BoundedSemaphore:
    return BoundedSemaphore()


_archives: dict[str, tuple[Path, str]] = {}


def _archive(name: str, pin: Pin, sources: Iterator[tuple[Host, str]]) -> tuple[Path, str] | None:
    """An image as `docker save` writes it, and what Docker calls it; fetched once a run."""
    if name not in _archives:
        path = _folder() / f"{len(_archives)}.tar"
        if image := _saved_here(name, pin, path) or next(filter(None, (_saved_on(*one, name, pin, path) for one in sources)), None):
            _archives[name] = path, image
    return _archives.get(name)


def _saved_here(name: str, pin: Pin, path: Path) -> str:
    """By this machine's Docker, where it has one and that has the image."""
    for one in wanted(name, pin):
        try:
            words = ["docker", "image", "inspect", "--format", "{{.Id}}", one]
            told = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
            if told.returncode == 0:
                subprocess.run(["docker", "save", "--output", path, one], capture_output=True, timeout=1800, check=True)
                return told.stdout.strip()
        except (OSError, subprocess.SubprocessError):
            continue
    return ""


def _saved_on(source: Host, root: str, name: str, pin: Pin, path: Path) -> str:
    """By the Docker of another host."""
    with ctx_host.use(source):
        told = ask(Questions({"saved": (Saved, {"root": root, "images": wanted(name, pin)})}))
        if told is UNKNOWN or told["saved"] is UNKNOWN or not told["saved"][0]:
            return ""
        image, size = told["saved"]
        try:
            if (pin.ids and image not in pin.ids) or size > shutil.disk_usage(path.parent).free // 2:
                return ""  # it is another one than the host says, or would fill this machine
            with _Bounded(path, size) as file, waiting(lambda: f"{name} from {source.name}: {_of(file.tell(), size)}"):
                got = source.get_file(f"{root}/.fleet/images/save.tar", file, **_reached(source))
        finally:
            _run(source, scripts.run("images/forget", root=root))
    return str(image) if got else ""


class _Bounded(io.FileIO):
    """A file that takes no more than its host has announced."""

    def __init__(self, path: Path, size: int) -> None:
        super().__init__(path, "w")
        self.size = size

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > self.size:
            raise OSError("a host sends more than it said")
        return super().write(data)


def wanted(name: str, pin: Pin) -> list[str]:
    """What an image is called that has this pin."""
    return [*([f"{repository(name)}@{pin.digest}"] if pin.digest else []), *sorted(pin.ids)]


def without(archive: Path, there: Sequence[Sequence[str]], folder: Path) -> Path | None:
    """The archive without the layers that a host has; None where it has none of them.

    Docker's loader looks for a layer by all that lie below it, and opens its file only where it has none.

    + there: the layers of each image on the host, from the bottom

    Source: https://github.com/moby/moby/blob/v26.1.4/image/tarexport/load.go
    """
    # from a host, so nothing of it is unpacked or read without a bound
    with tarfile.open(archive, "r:") as whole:
        try:
            entries: list[dict[str, Any]] = _document(whole, "manifest.json")
            gone: set[str] = set()
            needed: set[str] = set()
            for entry in entries:
                layers = _document(whole, entry["Config"])["rootfs"]["diff_ids"]
                common = max((_common(layers, one) for one in there), default=0)
                gone |= set(entry["Layers"][:common])
                needed |= set(entry["Layers"][common:])
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
            return None
        if not gone - needed:
            return None
        path = folder / "part.tar"
        with tarfile.open(path, "w") as part:
            for member in whole:
                if member.name not in gone - needed:
                    part.addfile(member, whole.extractfile(member) if member.isfile() else None)
    return path


def _document(whole: tarfile.TarFile, name: str) -> Any:
    file = whole.extractfile(name)
    return json.loads(file.read(_MOST)) if file else None


def _common(layers: Sequence[str], others: Sequence[str]) -> int:
    return next(
        (at for at, (one, other) in enumerate(zip(layers, others, strict=False)) if one != other), min(len(layers), len(others))
    )


def _load(host: Host, root: str, path: Path, change: ImageChange, image: str, last: bool) -> bool:
    """+ last: whether there is no other archive to try when Docker does not take this one"""
    size, there = path.stat().st_size, f"{root}/.fleet/images/load.tar"
    well, said = _run(host, scripts.run("images/room", root=root, size=size))
    if not well:
        note(host, *said.stderr_lines)
        return False
    with path.open("rb") as file, waiting(lambda: f"{change.name}: {_of(file.tell(), size)}"):
        well = host.put_file(file, there, **_reached(host))
    if well:
        well, said = _run(host, scripts.run("images/load", root=root, image=image, name=change.name))
    if well:
        host.log(f"{change.name}: {_of(size)} were copied")
    elif last:
        note(host, f"{change.name}: could not be loaded; no service was touched. Docker says: {' '.join(said.stderr_lines[-2:])}")
    return bool(well)


def _run(host: Host, command: StringCommand) -> Any:
    return command.execute(host.state, host, _reached(host))


def _reached(host: Host) -> Any:
    """How commands are run on a host: with sudo, or as they are."""
    arguments, _ = pop_global_arguments(host.state, host, {})
    return {key: value for key, value in arguments.items() if key in CONNECTOR_ARGUMENT_KEYS}


def _of(done: int, size: int = 0) -> str:
    return f"{done / _MB:,.0f}{f' of {size / _MB:,.0f}' if size else ''} MB"
