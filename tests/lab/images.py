"""The lab's images: a Debian, what is built on it, and the archive that brings the services' images into the hosts.

An image's tag is a digest of all that it is made from, so it is built once and found again.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from . import packages
from .engine import Engine
from .machine import Checkout, in_parallel, run, say

if TYPE_CHECKING:
    from .hosts import Host

# a Debian without anything on it → its release
BASES = {"base": "trixie", "base-python311": "bookworm"}
HERE = Path(__file__).parent / "images"
MAKE_BASE = Path(__file__).parent / "scripts/make_base.sh"

# image → the one that it is built on, in the order of building
BUILT_ON = {
    "host-bare": "base",
    "host": "host-bare",
    "service": "base",
    "watchtower-standin": "service",
    "redis-stack-standin": "service",
    "redis-exporter": "service",
    "openwebui-standin": "service",
}
# what no `up` builds (openwebui.py and postgres.py do)
ON_REQUEST = {"openwebui-real": "base-python311", "pgvector-standin": "service", "postgres-exporter": "service", "nginx": "service"}
HOSTS = ("host-bare", "host")
# a setting of the project → the image that stands in for it
SERVICES = {
    "watchtower_image": "watchtower-standin",
    "redis_image": "redis-stack-standin",
    "redis_exporter_image": "redis-exporter",
    "openwebui_image": "openwebui-standin",
}


class Images:
    """The images of one checkout on one engine."""

    def __init__(self, checkout: Checkout, engine: Engine) -> None:
        self.checkout = checkout
        self.engine = engine
        self._saving = threading.Lock()

    def tag(self, name: str) -> str:
        return f"lab/{name}:{self.checkout.digest[:8]}-{self._digests[name][:12]}"

    @property
    def archive(self) -> Path:
        """The services' images as `docker load` takes them."""
        digest = hashlib.sha256("".join(self._digests[name] for name in SERVICES.values()).encode()).hexdigest()
        return self.folder / f"services-{digest[:12]}.tar"

    @property
    def folder(self) -> Path:
        return self.checkout.lab / "images"

    def build(self) -> None:
        """Build what is missing: the hosts' images beside the services'."""
        there = self.ids()
        missing = [name for name in ("base", *BUILT_ON) if self.tag(name) not in there]
        if "base" in missing:
            self.make_base("base")
        hosts = [name for name in missing if name in HOSTS]
        services = [name for name in missing if name not in (*HOSTS, "base")]
        in_parallel(self._build, [hosts, services])
        if missing:
            self.forget(there)

    def save(self) -> None:
        """Write the archive, if it is not there."""
        with self._saving:
            if self.archive.exists():
                return
            say("images: writing the archive that the hosts load")
            self.folder.mkdir(exist_ok=True)  # never removed: it is mounted in the hosts
            for old in self.folder.iterdir():
                old.unlink()
            for name in SERVICES.values():
                self.engine.docker("tag", self.tag(name), in_hosts(name))
            unfinished = self.folder / "unfinished"
            self.engine.docker("save", "--output", unfinished, *map(in_hosts, SERVICES.values()))
            unfinished.rename(self.archive)

    def ids(self) -> dict[str, str]:
        """The engine's images: name → id."""
        lines = self.engine.docker("images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}").splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def loaded(self) -> Mapping[str, str]:
        """What a host's `docker images` must show: name → id."""
        ids = self.ids()
        return {in_hosts(name): ids[self.tag(name)] for name in SERVICES.values()}

    def make_base(self, name: str) -> None:
        """Debian from a registry, where the machine's engine reaches one; else made with debootstrap."""
        suite = BASES[name]
        if not self.engine.own:
            say(f"images: pulling debian:{suite}-slim")
            slim = f"FROM debian:{suite}-slim\n"
            words = ("build", "--quiet", "--label", self.checkout.label, "--tag", self.tag(name), "-")
            if self.engine.docker(*words, stdin=slim, check=False, timeout=120):
                return
            say("images: no registry answers")
        say(f"images: making Debian {suite} with debootstrap")
        packages.fetch_tools(self.checkout)
        tar = self.checkout.lab / f"{name}.tar"
        make = ("sh", MAKE_BASE, suite, packages.mirror(), tar, packages.settings())
        run(*packages.with_tools(self.checkout, *make), timeout=900)
        changes = ("--change", f"LABEL {self.checkout.label}", "--change", 'CMD ["bash"]')
        self.engine.docker("import", *changes, tar, self.tag(name))
        tar.unlink()

    def forget(self, before: Iterable[str]) -> None:
        """Remove what this checkout built from other inputs, as far as no host is made of it."""
        wanted = {self.tag(name) for name in self._digests}
        mine = {tag for tag in before if f":{self.checkout.digest[:8]}-" in tag}
        if mine - wanted:
            self.engine.docker("rmi", *sorted(mine - wanted), check=False)

    def remove(self) -> None:
        ids = self.engine.docker("images", "--all", "--quiet", "--filter", f"label={self.checkout.label}").split()
        if ids:
            self.engine.docker("rmi", "--force", *dict.fromkeys(ids), check=False)

    def _build(self, names: list[str]) -> None:
        for name in names:
            self.build_one(name)

    def build_one(self, name: str) -> None:
        say(f"images: building {name}")
        parent = {**BUILT_ON, **ON_REQUEST}[name]
        self.engine.docker(
            *("build", "--quiet", "--force-rm", "--network", "host", "--label", self.checkout.label, "--tag", self.tag(name)),
            *("--build-arg", f"FROM={self.tag(parent)}", HERE / name),
            timeout=900,
        )

    def bring(self, host: Host, name: str) -> None:
        """The host has this image; one that no `up` builds must have been built."""
        wanted = self.ids()[self.tag(name)]
        if host.run(f"docker images --no-trunc --quiet {in_hosts(name)}").strip() == wanted:
            return
        say(f"{host.name}: loading {name}")
        archive = self.folder / name  # not *.tar, which a host loads by itself
        self.engine.docker("tag", self.tag(name), in_hosts(name))
        try:
            self.engine.docker("save", "--output", archive, in_hosts(name))
            host.run(f"docker load --quiet --input /lab/{name} && docker image prune --force", timeout=600)
        finally:
            archive.unlink(missing_ok=True)

    @cached_property
    def _digests(self) -> dict[str, str]:
        """Image → digest of its folder and of the image that it is built on."""
        digests = {}
        for name, suite in BASES.items():
            base = [MAKE_BASE.read_text(), suite, packages.mirror(), packages.settings()]
            digests[name] = hashlib.sha256("\0".join(base).encode()).hexdigest()
        for name, parent in {**BUILT_ON, **ON_REQUEST}.items():
            seen = hashlib.sha256(digests[parent].encode())
            for path in sorted((HERE / name).iterdir()):
                seen.update(f"\0{path.name}\0".encode() + path.read_bytes())
            digests[name] = seen.hexdigest()
        return digests


def in_hosts(name: str) -> str:
    """The name of a service's image in a host."""
    return f"lab/{name}:1"
