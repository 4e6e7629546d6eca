"""The stand-in for pgvector/pgvector: Debian's PostgreSQL, which few tests need, so that no `up` builds it."""

from __future__ import annotations

from .hosts import Host
from .images import Images, in_hosts
from .lab import Lab
from .machine import say

NAME = "pgvector-standin"


def provide(lab: Lab, host: Host) -> str:
    """The image is in the host; returns its name there."""
    with lab.checkout.locked():
        images = lab.images
        if images.tag(NAME) not in images.ids():
            images.build_one(NAME)
        wanted = images.ids()[images.tag(NAME)]
        if host.run(f"docker images --no-trunc --quiet {in_hosts(NAME)}").strip() != wanted:
            _load(images, host)
    return in_hosts(NAME)


def _load(images: Images, host: Host) -> None:
    say(f"{host.name}: loading {NAME}")
    archive = images.folder / NAME  # not *.tar, which a host loads by itself
    images.engine.docker("tag", images.tag(NAME), in_hosts(NAME))
    try:
        images.engine.docker("save", "--output", archive, in_hosts(NAME))
        host.run(f"docker load --quiet --input /lab/{NAME} && docker image prune --force", timeout=600)
    finally:
        archive.unlink(missing_ok=True)
