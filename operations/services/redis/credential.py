"""The password of a redis: in its ACL file, which it reads again while it serves, or in a Compose secret of the project's own.

Either way a user of redis accepts any number of passwords, each known by its SHA-256.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from pyinfra.api import StringCommand

from ... import scripts
from ...stack.changes import file_change
from ...stack.check import Check
from ...stack.credential import Asked, Credential, CredentialPlan
from ...stack.files import File
from ...stack.password import plain
from ...stack.settings import Settings
from ...stack.snapshot import MISSING, UNKNOWN, Snapshot
from ...stack.stack import Stack
from . import acl, adoption, checks
from .facts import Overrides, Redis, TriedRedis
from .seen import SeenRedis, redis_of

DEFAULT_USER = "default"


class RedisAcl(Credential):
    kind: ClassVar[str] = "redis-acl"
    about_retired: ClassVar[tuple[str, ...]] = checks.RETIRED
    about_desired: ClassVar[tuple[str, ...]] = ("password.consistent", "url.form")
    about_adopted: ClassVar[tuple[str, ...]] = ("redis.ping", "redis.data_on_volume", "redis.anonymous_refused")

    refused: ClassVar[str] = "AuthenticationError|WRONGPASS|NOAUTH|invalid username-password"
    in_env: ClassVar[str] = r"""(redis|valkey)s?://[^:/@ ]*:[^@$ {*<]+@|^[^=]*(REDIS|VALKEY)[^=]*PASS[^=]*=["']?[^$"' ]"""
    in_files: ClassVar[str] = r"""redis-cli .*-a +[\\"']*[^ $\\"']|--requirepass[ =]+[^ $"']"""

    @classmethod
    def in_use(cls, settings: Settings, server: str) -> bool:
        return super().in_use(settings, server) or bool(settings.more.get(f"{server.replace('-', '_')}_password_file"))

    def setting(self, name: str) -> Any:
        """A setting of its server, such as `host` for redis_host."""
        return self.settings.more.get(f"{self.server.replace('-', '_')}_{name}")

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

    def files(self) -> Sequence[File]:
        if not self.local:
            return (self._password(),)
        return (self.acl([self.digest]), self._password())

    def _password(self) -> File:
        if self.own:
            # without a line break, which a reader might take for a part of it
            return File(self.password_file, "keep0600", self.value or "")
        owner = acl.redis_owner(self.settings) if self.local else "-"
        return File(self.password_file, "0600", f"{self.value}\n", owner)

    def acl(self, digests: Sequence[str]) -> File:
        """The ACL file with these passwords."""
        return File(self.acl_path, "0600", acl.acl_file(digests), acl.redis_owner(self.settings))

    def passwords(self) -> Sequence[str]:
        return (self.password_file,)

    def texts(self) -> Sequence[str]:
        return (self.acl_path,) if self.local else ()

    def folders(self) -> Sequence[str]:
        return (self.data,) if self.local else ()

    def asked(self, stack: Stack) -> Asked:
        found: dict[str, Any] = {self.name: (Redis, self._login(stack))}
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
        return seen.files is not UNKNOWN and seen.files.get(self.password_file, MISSING).sha256 == self._password().sha256

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
            changed = 0 if seen.files is UNKNOWN else seen.files.get(self.password_file, MISSING).changed
            return tuple(name for name in self.readers(stack, seen) if any(one.created < changed for one in seen.of(name)))
        return self.readers(stack, seen)

    def problems(self, stack: Stack, seen: Snapshot) -> Iterator[str]:
        return adoption.problems(self, stack, seen)

    def adopted(self, stack: Stack, seen: Snapshot) -> Iterator[str]:
        return adoption.sentences(self, stack, seen)

    def plan(self, stack: Stack, seen: Snapshot, starting: Collection[str]) -> CredentialPlan:
        files = {} if seen.files is UNKNOWN else seen.files
        redis = self.redis(seen)
        first = redis is UNKNOWN and files.get(self.acl_path, MISSING).kind == "missing"
        others = self.others(seen)
        waiting = adoption.unmanaged(self, stack, seen) if stack.settings.retire == "when_unused" and others else ()
        changes = (
            file_change(file, files.get(file.path, MISSING)) for file in self.files() if file.path == self.password_file or first
        )
        return CredentialPlan(
            name=self.name,
            accept=() if first else self._accept(seen),
            retire=self.here and bool(others) and not waiting,
            refuse=others,
            files=tuple(filter(None, changes)),
            readers=self.stale(stack, seen) if self.own else (),
            restarts=self._restarts(seen) or (self._locked_out(seen) and self.server not in starting),
            denied="" if redis is UNKNOWN else redis.denied,
            waiting=waiting,
        )

    def _accept(self, seen: Snapshot) -> tuple[str, ...]:
        """The digests before any client is switched: the desired one, then those that clients may still use."""
        redis = self.redis(seen)
        if self.own:
            return (self.digest,) if self.to_accept(seen) else ()
        if not self.local or seen.texts is UNKNOWN or seen.files is UNKNOWN:
            return ()
        on_disk, loaded = self.on_disk(seen), () if redis is UNKNOWN else redis.hashes
        due = (self.digest, *self.others(seen))
        intact = file_change(self.acl(on_disk or due), seen.files.get(self.acl_path, MISSING)) is None
        unloaded = bool(loaded) and self.digest not in loaded
        return () if intact and self.digest in on_disk and not unloaded else due

    def _restarts(self, seen: Snapshot) -> bool:
        """Whether the project's own redis must be restarted to take the password: it lets nobody change what it accepts."""
        redis = self.redis(seen)
        if not self.own or redis is UNKNOWN or not (redis.denied or redis.nowhere):
            return False
        return not self.in_place(seen) or redis.login != "PONG"

    def _locked_out(self, seen: Snapshot) -> bool:
        """Whether redis takes no password that is on the host, though its ACL file has the desired one."""
        redis = self.redis(seen)
        return self.local and redis is not UNKNOWN and redis.nowhere and self.digest in self.on_disk(seen)

    def checks(self, stack: Stack, seen: Snapshot) -> Iterator[Check]:
        return checks.checks(self, stack, seen)

    def accept(self, stack: Stack, seen: Snapshot, due: CredentialPlan) -> Iterator[StringCommand]:
        if self.own:
            yield self._change(stack, [f"{user} +{one}" for user in self.to_accept(seen) for one in due.accept])
        else:
            yield from self._write(stack, due.accept)

    def retire(self, stack: Stack, seen: Snapshot) -> Iterator[StringCommand]:
        if self.own:
            yield self._change(stack, [f"{user} -{one}" for user, digests in self.to_retire(seen).items() for one in digests])
        else:
            yield from self._write(stack, [self.digest], retired=True)

    def back(self, stack: Stack, seen: Snapshot) -> Iterator[StringCommand]:
        # where a killed run had switched some files before, they are in the backup: then clients still need the new one
        if (previous := self.others(seen)) and not any(checks.places(self, stack, seen).values()):
            yield from self._write(stack, previous)

    def _change(self, stack: Stack, changes: Sequence[str]) -> StringCommand:
        """What the project's own redis takes from its users changes in memory; it reads it from the secret when it starts."""
        return scripts.run("services/redis/change_users", **self._where(stack), user=self.user, password_file=self.password_file,
            changes=changes)  # fmt: skip

    def _write(self, stack: Stack, digests: Sequence[str], retired: bool = False) -> Iterator[StringCommand]:
        """The ACL file has these, and redis reads it again; + retired: the password of the newest backup must be refused then."""
        from ...controller.files import put

        yield put(stack.settings.stack_dir, [self.acl(digests)])
        yield scripts.run("services/redis/load_acl", **self._where(stack), folder=self.folder, retired=retired)

    def _where(self, stack: Stack) -> dict[str, str]:
        return {"root": stack.settings.stack_dir, "project": stack.settings.stack_name, "server": self.server}

    def before_replacing(self, stack: Stack, seen: Snapshot, doubt: str) -> str:
        """What redis holds must be where the new one finds it, and in a form that it reads."""
        if not self.local or not seen.of(self.server):
            return ""
        settings = stack.settings
        return scripts.words(
            scripts.run(
                "services/redis/migrate",
                **self._where(stack),
                folder=self.folder,
                volume=self.data,
                image=self.setting("image") or "",
                pull=settings.pull,
                owner=acl.redis_owner(settings),
                seconds=settings.start_timeout,
                doubt=doubt,
                command=acl.redis_command(settings),
                args=acl.redis_args(settings),
            )
        )

    def changed(self, seen: Snapshot) -> float | None:
        file = MISSING if seen.files is UNKNOWN else seen.files.get(self.acl_path, MISSING)
        return float(file.changed) or None
