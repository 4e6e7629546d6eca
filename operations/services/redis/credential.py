"""The password of a redis as a credential: what is to be done about it, and the commands that do it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import ClassVar

from pyinfra.api import StringCommand

from ... import scripts
from ...controller.files import put
from ...scripts import Script
from ...stack.changes import file_change, folder_change
from ...stack.check import Check
from ...stack.credential import CredentialPlan
from ...stack.snapshot import UNKNOWN, Snapshot
from ...stack.stack import Stack
from . import acl, adoption, checks
from .login import RedisLogin


class RedisAcl(RedisLogin):
    kind: ClassVar[str] = "redis-acl"
    about_retired: ClassVar[tuple[str, ...]] = checks.RETIRED
    about_desired: ClassVar[tuple[str, ...]] = ("password.consistent", "url.form")
    about_adopted: ClassVar[tuple[str, ...]] = ("redis.ping", "redis.data_on_volume", "redis.anonymous_refused")

    def problems(self, stack: Stack, seen: Snapshot) -> Iterator[str]:
        return adoption.problems(self, stack, seen)

    def adopted(self, stack: Stack, seen: Snapshot) -> Iterator[str]:
        return adoption.sentences(self, stack, seen)

    def plan(self, stack: Stack, seen: Snapshot, starting: Collection[str]) -> CredentialPlan:
        redis = self.redis(seen)
        first = redis is UNKNOWN and seen.file(self.acl_path).kind == "missing"
        others = self.others(seen)
        waiting = adoption.unmanaged(self, stack, seen) if stack.settings.retire == "when_unused" and others else ()
        changes = (file_change(file, seen.file(file.path)) for file in self.files() if file.path == self.password_file or first)
        folders = (folder_change(folder, seen.file(folder.path)) for folder in self.folders())
        return CredentialPlan(
            name=self.name,
            accept=() if first else self._accept(seen),
            retire=self.here and bool(others) and not waiting,
            refuse=others,
            files=tuple(filter(None, (*changes, *folders))),
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
        intact = file_change(self.acl(on_disk or due), seen.file(self.acl_path)) is None
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

    def again(self, stack: Stack, seen: Snapshot, due: CredentialPlan) -> Iterator[StringCommand]:
        if not self.own:
            yield from self._write(stack, (self.digest, *due.refuse))

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
        load = Script("services/redis/load_acl", {**self._where(stack), "folder": self.folder, "retired": retired})
        yield put(stack.settings.stack_dir, [self.acl(digests)], then=load)

    def _where(self, stack: Stack) -> dict[str, str]:
        return {"root": stack.settings.stack_dir, "project": stack.settings.stack_name, "server": self.server}

    def before_replacing(self, stack: Stack, seen: Snapshot, doubt: bool) -> str:
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
                owner=self.owner,
                seconds=settings.start_timeout,
                doubt=doubt,
                command=acl.redis_command(),
                args=acl.redis_args(settings),
            )
        )

    def changed(self, seen: Snapshot) -> float | None:
        return float(seen.file(self.acl_path).changed) or None
