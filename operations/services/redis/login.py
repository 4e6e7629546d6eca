"""What is known of a redis' login: where its files lie, what is asked of it, and which passwords its users accept.

A user of redis accepts any number of passwords, each known by its SHA-256: from its ACL file, or from a Compose secret of the
project's own redis.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, ClassVar

from ...stack.credential import Asked, Credential
from ...stack.files import File, Folder
from ...stack.password import plain
from ...stack.settings import Settings
from ...stack.snapshot import UNKNOWN, SeenDefinition, Snapshot
from ...stack.stack import Stack
from . import acl
from .facts import Image, Overrides, Redis, TriedRedis
from .seen import SeenRedis, redis_of
from .settings import OWNERS, STARTS, flavour

DEFAULT_USER = "default"
_NUMBERS = re.compile(r"\d{1,9}:\d{1,9}")


class RedisLogin(Credential):
    refused: ClassVar[str] = "AuthenticationError|WRONGPASS|NOAUTH|invalid username-password"
    in_env: ClassVar[str] = r"""(redis|valkey)s?://[^:/@ ]*:[^@$ {*<]+@|^[^=]*(REDIS|VALKEY)[^=]*PASS[^=]*=["']?[^$"' ]"""
    in_files: ClassVar[str] = (
        r"""redis-cli [^;&|]*-a +[\\"']*[^ $\\"']|--requirepass[\\"', =]+[^ $\\"',]|(redis|valkey)s?://[^:/@ ]*:[^@$ {*<]+@"""
        r"""|(REDIS|VALKEY)[A-Z_]*PASSWORD[A-Z_]*[:=] *["']?[^ ${"']"""
    )

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        # `-`, which leaves what is there as it is, until the image itself was asked
        self.owner = OWNERS.get(flavour(self.settings, self.server) or "", "-")

    @classmethod
    def in_use(cls, settings: Settings, server: str) -> bool:
        return super().in_use(settings, server) or bool(settings.of(server, "password_file"))

    def setting(self, name: str) -> Any:
        """A setting of its server, such as `host` for redis_host."""
        return self.settings.of(self.server, name)

    @property
    def own(self) -> bool:
        """Whether the project's own redis is left as the project defines it, with its password in a file of a Compose secret."""
        return bool(self.setting("password_file"))

    @property
    def here(self) -> bool:
        """Whether redis runs on this host."""
        return self.local or self.own

    @property
    def folder(self) -> str:
        return f"secrets/{self.name}"

    @property
    def acl_path(self) -> str:
        return f"{self.folder}/users.acl"

    @property
    def data(self) -> str:
        """Where redis keeps its data, relative to the stack's folder."""
        return f"data/{self.server}"

    @property
    def password_file(self) -> str:
        """The file that the password is read from, relative to the stack's folder."""
        return self.setting("password_file") or f"{self.folder}/password"

    @property
    def user(self) -> str:
        """Who logs in to redis to look at it, and to change what it accepts."""
        return str(self.setting("user")) if self.own else DEFAULT_USER

    @classmethod
    def rule(cls, value: str, setting: str) -> Sequence[str]:
        return plain(value, setting, "Open WebUI's Redis client takes the URL as it stands, so this would break the login.")

    def login(self, service: str) -> Mapping[str, str]:
        at = self.at or f"{self.server}:{self.provided.port}"
        host, _, port = at.rpartition(":")
        db, password = str((self.setting("dbs") or {}).get(service, 0)), self.value or ""
        # an IPv6 address stands in brackets before a port alone
        return {"password": password, "url": f"redis://:{password}@{at}/{db}", "host": host.strip("[]"), "port": port, "db": db}

    def fixes(self, service: str) -> bool:
        return service in (self.setting("dbs") or {})

    def adapted(self, own: Mapping[str, SeenDefinition]) -> RedisLogin:
        # the file is read by whom the project has its server run as
        user = own[self.server].user if self.local and self.server in own else ""
        owner = f"{user}:{user}" if user.isdigit() else user
        if not _NUMBERS.fullmatch(owner) or owner == self.owner:
            return self
        mine = copy(self)
        mine.owner = owner
        return mine

    def on(self, seen: Snapshot) -> RedisLogin:
        if not self.local or self.owner != "-":
            return self
        # where Docker does not answer, the files there say whose they are
        there = seen.file(self.acl_path).owner if seen.answer(f"{self.name}.image") is UNKNOWN else ""
        mine = copy(self)
        mine.owner = OWNERS.get(self.told(seen), there or "-")
        return mine

    def told(self, seen: Snapshot) -> str:
        """How its image is started, as that itself says; "" where it says nothing, or something else."""
        words = seen.answer(f"{self.name}.image")
        return "" if words is UNKNOWN else STARTS.get(tuple(map(posixpath.basename, words[:2])), "")

    def files(self) -> Sequence[File]:
        if not self.local:
            return (self.password(),)
        return (self.acl([self.digest]), self.password())

    def password(self) -> File:
        if self.own:
            # without a line break, which a reader might take for a part of it
            return File(self.password_file, "keep0600", self.value or "")
        return File(self.password_file, "0600", f"{self.value}\n", self.owner if self.local else "-")

    def acl(self, digests: Sequence[str]) -> File:
        """The ACL file with these passwords."""
        return File(self.acl_path, "0600", acl.acl_file(digests), self.owner)

    def passwords(self) -> Sequence[str]:
        return (self.password_file,)

    def texts(self) -> Sequence[str]:
        return (self.acl_path,) if self.local else ()

    def folders(self) -> Sequence[Folder]:
        return (Folder(self.data, "0700", self.owner),) if self.local else ()

    def asked(self, stack: Stack) -> Asked:
        found: dict[str, Any] = {self.name: (Redis, self._login(stack))}
        if self.local and flavour(self.settings, self.server) is None:
            image = {"project": stack.settings.stack_name, "image": self.setting("image") or "", "server": self.server}
            found[f"{self.name}.image"] = (Image, image)
        if self.own:
            overrides = {"project": stack.settings.stack_name, "path": stack.path(self.password_file), "server": self.server}
            found[f"{self.name}.overrides"] = (Overrides, overrides)
        return found

    def asked_again(self, stack: Stack, answers: Mapping[str, Any]) -> Asked:
        redis = answers.get(self.name, UNKNOWN)
        if redis is not UNKNOWN and redis.refuses and self.at is None:
            return {self.name: (TriedRedis, self._login(stack))}
        return {}

    def _login(self, stack: Stack) -> dict[str, Any]:
        return {
            "root": stack.settings.stack_dir, "project": stack.settings.stack_name, "server": self.server, "at": self.at,
            "user": self.user, "password_file": self.password_file,
        }  # fmt: skip

    def redis(self, seen: Snapshot) -> SeenRedis | Any:
        return redis_of(seen, self.name)

    def observed(self, seen: Snapshot) -> bool:
        up = any(container.up for container in seen.of(self.server))
        return not (self.here and self.redis(seen) is UNKNOWN and up)

    def on_disk(self, seen: Snapshot) -> tuple[str, ...]:
        """The digests in the ACL file."""
        return () if seen.texts is UNKNOWN else acl.acl_hashes(seen.texts.get(self.acl_path, ""))

    def accepted(self, seen: Snapshot) -> tuple[str, ...]:
        redis = self.redis(seen)
        if self.own:
            return tuple(dict.fromkeys(one for digests in self.users(seen).values() for one in sorted(digests)))
        return tuple(dict.fromkeys((*self.on_disk(seen), *(() if redis is UNKNOWN else redis.hashes))))

    def others(self, seen: Snapshot) -> tuple[str, ...]:
        """The passwords besides the desired one that redis accepts."""
        return tuple(one for one in self.accepted(seen) if one != self.digest)

    def users(self, seen: Snapshot) -> Mapping[str, frozenset[str]]:
        """The users of the project's own redis that share the password → all passwords that it takes from them."""
        redis = self.redis(seen)
        if not self.own or redis is UNKNOWN:
            return {}
        shared = {self.digest, *redis.users.get(self.user, ())}
        return {name: frozenset(digests) for name, digests in redis.users.items() if shared & set(digests)}

    def to_accept(self, seen: Snapshot) -> tuple[str, ...]:
        """The users from which it does not take the desired password yet."""
        return tuple(name for name, digests in self.users(seen).items() if self.digest not in digests)

    def to_retire(self, seen: Snapshot) -> Mapping[str, tuple[str, ...]]:
        """Those users → the other passwords that it takes from them."""
        found = {name: tuple(sorted(digests - {self.digest})) for name, digests in self.users(seen).items()}
        return {name: digests for name, digests in found.items() if digests}

    def in_place(self, seen: Snapshot) -> bool:
        """Whether the password's file is as desired."""
        return seen.file(self.password_file).sha256 == self.password().sha256

    def readers(self, stack: Stack, seen: Snapshot) -> tuple[str, ...]:
        """The services that have the secret's file, told by their mounts."""
        if not self.own or seen.containers is UNKNOWN:
            return ()
        path = stack.path(self.password_file)
        return tuple(sorted({one.service for one in seen.containers if path in one.mounts.values()} - {self.server}))

    def stale(self, stack: Stack, seen: Snapshot) -> tuple[str, ...]:
        """The readers that have another password: all where the file will be written, else those older than it.

        The file is mounted by itself, so a reader sees another one only when its container is started again, unnoticed by Compose.
        """
        if self.in_place(seen):
            changed = seen.file(self.password_file).changed
            return tuple(name for name in self.readers(stack, seen) if any(one.created < changed for one in seen.of(name)))
        return self.readers(stack, seen)
