"""The logins of a redis as a credential: what is to be done about them, and the commands that do it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from pyinfra.api import StringCommand

from ... import scripts
from ...controller.files import put_list
from ...scripts import Script
from ...stack.changes import file_change, folder_change
from ...stack.check import Check
from ...stack.credential import CredentialPlan, Login
from ...stack.snapshot import UNKNOWN, Snapshot
from ...stack.stack import Stack
from . import acl, adoption, checks, moving, tls, tls_checks
from .login import RedisLogin


class RedisAcl(RedisLogin):
    kind: ClassVar[str] = "redis-acl"
    about_retired: ClassVar[tuple[str, ...]] = (*checks.RETIRED, *tls_checks.RETIRED)
    about_desired: ClassVar[tuple[str, ...]] = ("password.consistent", "url.form", "redis.client_login")
    about_adopted: ClassVar[tuple[str, ...]] = ("redis.ping", "redis.data_on_volume", "redis.anonymous_refused")
    meanings: ClassVar[Mapping[str, str]] = checks.MEANINGS

    def problems(self, stack: Stack, seen: Snapshot) -> Iterator[str]:
        return adoption.problems(self, stack, seen)

    def adopted(self, stack: Stack, seen: Snapshot) -> Iterator[str]:
        return adoption.sentences(self, stack, seen)

    def plan(self, stack: Stack, seen: Snapshot, starting: Collection[str]) -> CredentialPlan:
        redis = self.redis(seen)
        first = redis is UNKNOWN and seen.file(self.acl_path).kind == "missing"
        others = self.others(seen)
        waiting = adoption.unmanaged(self, stack, seen) if stack.settings.retire == "when_unused" and others else ()
        # what redis goes on with is replaced when clients are no longer in the way
        later = [*(() if first else (self.acl_path,)), *tls.later(self, seen)]
        changes = (file_change(file, seen.file(file.path)) for file in self.files() if file.path not in later)
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
            first=tuple(tls.first(self, seen)),
            last=() if waiting else tuple(tls.last(self, seen)),
        )

    def _accept(self, seen: Snapshot) -> tuple[Login, ...]:
        """What is accepted before any client is switched: the desired logins, then those that clients may still use."""
        redis, desired = self.redis(seen), self.desired(seen)
        if self.own:
            return tuple(one for one in desired if one not in self.accepted(seen))
        if not self.local or seen.texts is UNKNOWN or seen.files is UNKNOWN:
            return ()
        on_disk, loaded = self.on_disk(seen), () if redis is UNKNOWN else redis.logins
        due = (*desired, *self.others(seen))
        intact = file_change(self.acl(on_disk or due, self.rights_now(seen)), seen.file(self.acl_path)) is None
        as_loaded = not loaded or (set(desired) <= set(loaded) and not redis.allowed)
        return () if intact and set(desired) <= set(on_disk) and as_loaded else due

    def _restarts(self, seen: Snapshot) -> bool:
        """Whether the project's own redis must be restarted to take the password: it lets nobody change what it accepts."""
        redis = self.redis(seen)
        if not self.own or redis is UNKNOWN or not (redis.denied or redis.nowhere):
            return False
        return not self.in_place(seen) or redis.login != "PONG"

    def _locked_out(self, seen: Snapshot) -> bool:
        """Whether redis takes no password that is on the host, though its ACL file has the desired ones."""
        redis = self.redis(seen)
        return self.local and redis is not UNKNOWN and redis.nowhere and set(self.logins) <= set(self.on_disk(seen))

    def checks(self, stack: Stack, seen: Snapshot) -> Iterator[Check]:
        return checks.checks(self, stack, seen)

    def accept(self, stack: Stack, seen: Snapshot, due: CredentialPlan) -> Iterator[StringCommand]:
        if due.accept:
            yield from self._take(stack, seen, due.accept)
        if due.first:
            yield scripts.command(tls.told(self, self._who(stack), plain=True))

    def retire(self, stack: Stack, seen: Snapshot) -> Iterator[StringCommand]:
        if due := tuple(tls.last(self, seen)):
            optional = self.setting("tls") == "optional"
            yield scripts.command(tls.told(self, self._who(stack), plain=optional, renews=tls.RENEWS in due))
        if self.others(seen) or not due:
            yield from self._take(stack, seen, self.desired(seen), only=True, retired=not self.own)

    def again(self, stack: Stack, seen: Snapshot, due: CredentialPlan) -> Iterator[StringCommand]:
        if due.last:
            plain = tls.CLOSES in due.last or self.setting("tls") == "optional"
            yield scripts.command(tls.told(self, self._who(stack), plain=plain, back=tls.RENEWS in due.last))
        if due.refuse and not self.own:
            yield from self._take(stack, seen, (*self.desired(seen), *due.refuse))

    def back(self, stack: Stack, before: Snapshot, seen: Snapshot) -> Iterator[StringCommand]:
        previous = self.accepted(before)
        if previous and (set(self.accepted(seen)) - set(previous) or self.rights_on_disk(seen) != self.rights_on_disk(before)):
            yield from self._take(stack, seen, previous, self.rights_on_disk(before), only=True)
        if tuple(tls.first(self, before)) and not tuple(tls.first(self, seen)):
            yield scripts.command(tls.told(self, self._who(stack), plain=False))

    def _take(
        self,
        stack: Stack,
        seen: Snapshot,
        logins: Sequence[Login],
        rights: Mapping[str, str] | None = None,
        only: bool = False,
        retired: bool = False,
    ) -> Iterator[StringCommand]:
        """Redis accepts these logins, beside others or alone, at once and after its next start.

        + rights: user → what it may do, where that is not as desired
        + retired: the login of the newest backup must be refused then
        """
        if self.own:  # it reads them from the secret when it starts
            others = [one for one in self.accepted(seen) if one not in logins]
            changes = [f"{one.user} !{one.digest}" for one in others] if only else [f"{one.user} #{one.digest}" for one in logins]
            yield scripts.run("services/redis/set_users", **self._parameters(stack, changes))
            return
        rights = {**self.rights_now(seen), **(rights or {})}
        changes = [f"{user} reset {rules}" for user, rules in acl.rules(logins, rights)]
        redis = self.redis(seen)
        denied = redis is not UNKNOWN and bool(redis.denied)
        told = Script("services/redis/set_users", self._parameters(stack, changes, only, retired, restart=denied))
        written = Script("files/put", {"root": stack.settings.stack_dir, "files": put_list([self.acl(logins, rights)])})
        # a file that redis cannot read would keep it from starting, so what it does not take is not written
        yield scripts.command(*((written, told) if denied else (told, written)))

    def _parameters(
        self, stack: Stack, changes: Sequence[str], only: bool = False, retired: bool = False, restart: bool = False
    ) -> dict[str, Any]:
        return {**self._who(stack), "changes": changes, "only": only, "retired": retired, "restart": restart}

    def _who(self, stack: Stack) -> dict[str, Any]:
        """Which redis it is, and who logs in."""
        return {**self._where(stack), "users": self.operators, "password_file": self.password_file, "ca": self.ca}

    def _where(self, stack: Stack) -> dict[str, str]:
        return {"root": stack.settings.stack_dir, "project": stack.settings.stack_name, "server": self.server}

    def before_replacing(self, stack: Stack, seen: Snapshot, doubt: bool) -> str:
        """What redis holds must be where the new one finds it, and in a form that it reads."""
        if not self.local or not seen.of(self.server):
            return ""
        settings = stack.settings
        return scripts.words(
            scripts.run(
                "services/redis/move",
                **self._where(stack),
                way=str(self.setting("move")),
                folder=self.folder,
                volume="" if moving.of_project(self, seen) else self.data,
                image=self.setting("image") or "",
                pull=stack.compose_pull,
                owner=self.owner,
                seconds=settings.start_timeout,
                doubt=doubt,
                command=acl.redis_command(),
                args=acl.redis_args(settings),
            )
        )

    def counters(self, seen: Snapshot) -> Mapping[str, str]:
        redis = self.redis(seen)
        if redis is UNKNOWN or not self.here or not redis.server.start:
            return {}
        return {"start": redis.server.start, **{name: str(value) for name, value in redis.server.counted.items()}}

    def changed(self, seen: Snapshot) -> float | None:
        return float(seen.file(self.acl_path).changed) or None
