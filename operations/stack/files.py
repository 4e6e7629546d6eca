"""The files that a host should have: whole ones, and env files in which some keys are managed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True)
class File:
    """A file that is written as a whole. `mode`: octal, or keep<octal> to keep an existing file's; `owner`: uid:gid or "-"."""

    path: str
    mode: str
    content: str = field(repr=False)
    owner: str = "-"

    @cached_property  # of hosts that share a stack, each asks for it
    def sha256(self) -> str:
        return hashlib.sha256(self.content.encode()).hexdigest()


@dataclass(frozen=True)
class EnvFile:
    """An env file in which some keys are managed: key → the whole line.

    + uses: key → the credentials that are in its value
    + urls: the keys whose value is a URL with one
    """

    path: str
    mode: str
    lines: Mapping[str, str] = field(repr=False)
    uses: Mapping[str, frozenset[str]] = field(default_factory=dict)
    urls: frozenset[str] = frozenset()

    @cached_property
    def hashes(self) -> Mapping[str, str]:
        """Managed key → SHA-256 of its line."""
        return {key: hashlib.sha256(line.encode()).hexdigest() for key, line in self.lines.items()}


@dataclass(frozen=True)
class Folder:
    """A folder with its mode (octal) and its owner (uid:gid or "-"); what is in it is somebody else's."""

    path: str
    mode: str
    owner: str = "-"


ManagedFile = File | EnvFile
