"""A redis that the project defines itself, with its password in the file of a Compose secret: who reads it, who shares it. Pure.

Such a file is mounted by itself, so a reader sees another one only when its container is started anew, and Compose does not notice.
"""

from __future__ import annotations

from collections.abc import Mapping

from .snapshot import MISSING, UNKNOWN, Snapshot
from .stack import Stack


def readers(stack: Stack, seen: Snapshot) -> tuple[str, ...]:
    """The services that have the file, told by their mounts; redis is none of them."""
    path = stack.settings.redis_password_file
    if path is None or seen.containers is UNKNOWN:
        return ()
    return tuple(sorted({one.service for one in seen.containers if stack.path(path) in one.mounts.values()} - {"redis"}))


def stale(stack: Stack, seen: Snapshot) -> tuple[str, ...]:
    """The readers that have another password than the wanted one: all where the file will be written, else those older than it."""
    if in_place(stack, seen):
        changed = 0 if seen.files is UNKNOWN else seen.files.get(stack.password_file, MISSING).changed
        return tuple(name for name in readers(stack, seen) if any(one.created < changed for one in seen.of(name)))
    return readers(stack, seen)


def in_place(stack: Stack, seen: Snapshot) -> bool:
    """Whether the file has the wanted password."""
    wanted = {file.path: file.sha256 for file in stack.secret_files()}
    return seen.files is not UNKNOWN and seen.files.get(stack.password_file, MISSING).sha256 == wanted.get(stack.password_file)


def users(stack: Stack, seen: Snapshot) -> Mapping[str, frozenset[str]]:
    """The users of redis that share the password → the SHA-256 of all passwords that it takes from them."""
    if not stack.own_redis or seen.redis is UNKNOWN:
        return {}
    shared = {stack.password_hash, *seen.redis.users.get(stack.redis_user, ())}
    return {name: frozenset(hashes) for name, hashes in seen.redis.users.items() if shared & set(hashes)}


def to_accept(stack: Stack, seen: Snapshot) -> tuple[str, ...]:
    """The users from which redis does not take the wanted password yet."""
    return tuple(name for name, hashes in users(stack, seen).items() if stack.password_hash not in hashes)


def to_retire(stack: Stack, seen: Snapshot) -> Mapping[str, tuple[str, ...]]:
    """Those users → the SHA-256 of the other passwords that it takes from them."""
    found = {name: tuple(sorted(hashes - {stack.password_hash})) for name, hashes in users(stack, seen).items()}
    return {name: hashes for name, hashes in found.items() if hashes}


def restarts(stack: Stack, seen: Snapshot) -> bool:
    """Whether redis must be started anew to take the wanted password: it lets nobody change what it accepts."""
    if not stack.own_redis or seen.redis is UNKNOWN or not (seen.redis.denied or seen.redis.nowhere):
        return False
    return not in_place(stack, seen) or seen.redis.login != "PONG"
