"""How a file on a host differs from the desired one. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .files import EnvFile, File, Folder
from .fingerprint import fingerprint
from .snapshot import UNKNOWN, SeenFile, Snapshot


@dataclass(frozen=True)
class Difference:
    """A key of an env file, or the whole content of a file: the fingerprints on the host and as desired; None: it is not there."""

    key: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Change:
    """A file that differs, and in what: "is missing", "mode is 0644, expected 0600", "WEBSOCKET_MANAGER differs" …

    `content` is False where only its mode or owner differs: then no service notices. `differences`: what changes, masked.
    """

    path: str
    reasons: tuple[str, ...]
    content: bool = True
    differences: tuple[Difference, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        return f"{self.path}: {', '.join(self.reasons)}"


def file_change(file: File, seen: SeenFile) -> Change | None:
    """What is to be changed of a whole file; None where it is as desired."""
    difference = _difference("content", seen.sha256, file.sha256)
    if seen.kind == "missing":
        return Change(file.path, ("is missing",), differences=difference)
    reasons = ["content differs"] if difference else []
    return _with_mode(file.path, file.mode, file.owner, seen, reasons, difference)


def folder_change(folder: Folder, seen: SeenFile) -> Change | None:
    """What is to be changed of a folder; what is in it does not count."""
    if seen.kind == "missing":
        return Change(folder.path, ("is missing",), content=False)
    return _with_mode(folder.path, folder.mode, folder.owner, seen, [], ())


def env_changes(file: EnvFile, seen: Snapshot) -> Iterator[Change]:
    """The managed keys of an env file that are not as desired, and its mode; nothing when all is well."""
    if seen.files is UNKNOWN or seen.env is UNKNOWN:
        return
    found = seen.file(file.path)
    keys = seen.env.get(file.path) or {}
    differences = tuple(one for key, desired in file.hashes.items() for one in _difference(key, keys.get(key), desired))
    if found.kind == "missing":
        yield Change(file.path, ("is missing",), differences=differences)
        return
    reasons = [f"{one.key} differs" if one.key in keys else f"{one.key} is missing" for one in differences]
    if change := _with_mode(file.path, file.mode, "-", found, reasons, differences):
        yield change


def _difference(key: str, before: str | None, after: str) -> tuple[Difference, ...]:
    return () if before == after else (Difference(key, fingerprint(before) if before else None, fingerprint(after)),)


def _with_mode(
    path: str, mode: str, owner: str, seen: SeenFile, reasons: list[str], differences: tuple[Difference, ...]
) -> Change | None:
    content = bool(reasons)
    if not mode.startswith("keep") and seen.mode != mode:
        reasons.append(f"mode is {seen.mode}, expected {mode}")
    if owner != "-" and seen.owner != owner:
        reasons.append(f"owner is {seen.owner}, expected {owner}")
    return Change(path, tuple(reasons), content, differences) if reasons else None
