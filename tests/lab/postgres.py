"""Debian's PostgreSQL as a stand-in for pgvector/pgvector, and its exporter: few tests need them, so that no `up` builds them."""

from __future__ import annotations

from .hosts import Host
from .images import Images, in_hosts
from .lab import Lab
from .machine import say

NAME = "pgvector-standin"
EXPORTER = "postgres-exporter"


def provide(lab: Lab, host: Host) -> None:
    """Both images are in the host."""
    with lab.checkout.locked():
        for name in (NAME, EXPORTER):
            images = lab.images
            if images.tag(name) not in images.ids():
                images.build_one(name)
            wanted = images.ids()[images.tag(name)]
            if host.run(f"docker images --no-trunc --quiet {in_hosts(name)}").strip() != wanted:
                _load(images, host, name)


def _load(images: Images, host: Host, name: str) -> None:
    say(f"{host.name}: loading {name}")
    archive = images.folder / name  # not *.tar, which a host loads by itself
    images.engine.docker("tag", images.tag(name), in_hosts(name))
    try:
        images.engine.docker("save", "--output", archive, in_hosts(name))
        host.run(f"docker load --quiet --input /lab/{name} && docker image prune --force", timeout=600)
    finally:
        archive.unlink(missing_ok=True)
