"""Where a stack's one password lies on a host, told by fingerprints. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from . import secret_file
from .snapshot import MISSING, UNKNOWN, Snapshot
from .stack import Stack

RULE = re.compile(r"[A-Za-z0-9_-]{20,}")  # the one form that every reader of a URL takes as it stands


def places(stack: Stack, seen: Snapshot) -> Mapping[str, bool]:
    """Each place that clients take the password from → whether the wanted one is there. Empty where that was not observed."""
    if seen.env is UNKNOWN or seen.files is UNKNOWN or stack.password is None:
        return {}
    found = {
        f"{key} in {file.path}": (seen.env.get(file.path) or {}).get(key) == file.hashes[key]
        for file in stack.env_files
        for key, line in file.lines.items()
        if stack.password in line
    }
    for file in stack.secret_files():
        if file.path == stack.password_file:
            found[file.path] = seen.files.get(file.path, MISSING).sha256 == file.sha256
    return found


def urls(stack: Stack) -> tuple[str, ...]:
    """Those places that hold it as part of a URL."""
    return tuple(f"{key} in {f.path}" for f in stack.env_files for key, line in f.lines.items() if f":{stack.password}@" in line)


def accepted(stack: Stack, seen: Snapshot) -> bool:
    """Whether redis accepts the wanted password, by its ACL file or in memory."""
    return stack.password_hash in _accepted(seen)


def others(stack: Stack, seen: Snapshot) -> tuple[str, ...]:
    """The SHA-256 of the passwords besides the wanted one that redis accepts, by its ACL file or in memory."""
    if stack.own_redis:
        return tuple(dict.fromkeys(one for hashes in secret_file.to_retire(stack, seen).values() for one in hashes))
    return tuple(one for one in _accepted(seen) if one != stack.password_hash)


def _accepted(seen: Snapshot) -> tuple[str, ...]:
    on_disk = () if seen.acl is UNKNOWN else seen.acl
    loaded = () if seen.redis is UNKNOWN else seen.redis.hashes
    return tuple(dict.fromkeys((*on_disk, *loaded)))
