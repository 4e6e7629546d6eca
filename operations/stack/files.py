"""The files that a host should have: whole ones, and env files in which some keys are managed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

# of plain characters alone, which need no quotes in an env file
_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<login>[^@/?#\s'\"]*@)?(?P<host>[\w.-]+|\[[0-9a-f:]+\])(?P<rest>[\w./:%+,=?&-]{0,200})"
)
_THIS_HOST = ("127.0.0.1", "localhost", "[::1]", "host.docker.internal")


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
    + fixed: of these, those of which all is asked for; of the others a host keeps what stands around the login
    + alternatives: the keys of several ways to log in, of which a service that the project defines keeps those that it has
    + asked: those that are managed whatever a host has: they hold a secret, or a setting names them
    + offered: all keys that could be managed, also those that a host keeps for itself
    + refused: keys that a host must not have → why not
    """

    path: str
    mode: str
    lines: Mapping[str, str] = field(repr=False)
    uses: Mapping[str, frozenset[str]] = field(default_factory=dict)
    urls: frozenset[str] = frozenset()
    fixed: frozenset[str] = frozenset()
    alternatives: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()
    offered: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)

    def without(self, keys: Collection[str]) -> EnvFile:
        """The same without these keys."""
        return replace(self, lines={key: line for key, line in self.lines.items() if key not in keys}) if keys else self

    def around(self, urls: Mapping[str, str]) -> EnvFile:
        """The same with its logins in these URLs: key → a URL without a login, as it stands on a host. One that leads to
        another server does not count; what shares the host's network reaches its server by the host's own name."""
        kept = {key: found for key in self.urls - self.fixed if key in urls and (found := self._with_login(key, urls[key]))}
        return replace(self, lines={**self.lines, **kept}) if kept else self

    def bare_urls(self) -> dict[str, str]:
        """Its URLs without their logins."""
        found = {key: _URL.fullmatch(self.lines[key].partition("=")[2]) for key in self.urls if key in self.lines}
        return {key: f"{url['scheme']}://{url['host']}{url['rest']}" for key, url in found.items() if url}

    def _with_login(self, key: str, url: str) -> str | None:
        mine = _URL.fullmatch(self.lines[key].partition("=")[2])
        theirs = _URL.fullmatch(url)
        if not mine or not theirs or theirs["login"] or theirs["host"] not in (mine["host"], *_THIS_HOST):
            return None
        return f"{key}={theirs['scheme']}://{mine['login']}{theirs['host']}{theirs['rest']}"

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
