"""Debian's PostgreSQL as a stand-in for pgvector/pgvector, and its exporter: few tests need them, so that no `up` builds them."""

from __future__ import annotations

from .hosts import Host
from .lab import Lab

NAME = "pgvector-standin"
EXPORTER = "postgres-exporter"


def provide(lab: Lab, host: Host, *names: str) -> None:
    """These images are in the host, or both where none is named."""
    with lab.checkout.locked():
        for name in names or (NAME, EXPORTER):
            images = lab.images
            if images.tag(name) not in images.ids():
                images.build_one(name)
            images.bring(host, name)
