"""The login of a PostgreSQL as a credential: what is to be done about it, and the commands that do it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import ClassVar

from pyinfra.api import StringCommand

from ... import scripts
from ...stack.changes import file_change, folder_change
from ...stack.check import Check
from ...stack.credential import CredentialPlan
from ...stack.files import Folder
from ...stack.snapshot import UNKNOWN, Snapshot
from ...stack.stack import Stack
from . import adoption, checks, sql
from .login import PostgresLogin


class PostgresRole(PostgresLogin):
    """The login of those who use the database: the owner's."""

    kind: ClassVar[str] = "postgres-role"
    groups: ClassVar[Sequence[str]] = ()
    meanings: ClassVar[Mapping[str, str]] = checks.MEANINGS
    about_retired: ClassVar[tuple[str, ...]] = ("postgres.single_login",)
    about_desired: ClassVar[tuple[str, ...]] = ("postgres.consistent", "postgres.ready", "postgres.client_login")

    def problems(self, stack: Stack, seen: Snapshot) -> Iterator[str]:
        return adoption.problems(self, stack, seen)

    def adopted(self, stack: Stack, seen: Snapshot) -> Iterator[str]:
        return adoption.sentences(self, seen)

    def plan(self, stack: Stack, seen: Snapshot, starting: Collection[str]) -> CredentialPlan:
        others = tuple(one for one in self.accepted(seen) if one.user != self.role)
        waiting = adoption.unmanaged(self, stack, seen) if stack.settings.retire == "when_unused" and others else ()
        unaccepted = self.here and self.postgres(seen) is not UNKNOWN and not self.takes(seen)
        files = (file_change(file, seen.file(file.path)) for file in self.files())
        folders = (folder_change(folder, seen.file(folder.path)) for folder in self.folders())
        return CredentialPlan(
            name=self.name,
            accept=(*self.logins, *others) if unaccepted else (),
            retire=self.here and bool(others) and not waiting,
            refuse=others,
            files=tuple(filter(None, (*files, *folders))),
            waiting=waiting,
        )

    def checks(self, stack: Stack, seen: Snapshot) -> Iterator[Check]:
        return checks.checks(self, stack, seen)

    def accept(self, stack: Stack, seen: Snapshot, due: CredentialPlan) -> Iterator[StringCommand]:
        yield self._change(stack, self._accepting)

    def retire(self, stack: Stack, seen: Snapshot) -> Iterator[StringCommand]:
        yield self._change(stack, sql.retire(self.owner, [role.name for role in self.others(seen)]))

    def again(self, stack: Stack, seen: Snapshot, due: CredentialPlan) -> Iterator[StringCommand]:
        yield self._change(stack, sql.again(self.owner, [one.user for one in due.refuse]))

    def back(self, stack: Stack, before: Snapshot, seen: Snapshot) -> Iterator[StringCommand]:
        previous = self.accepted(before)
        if previous and (new := [one.user for one in self.accepted(seen) if one not in previous]):
            yield self._change(stack, sql.retire(self.owner, new))

    def after_starting(self, stack: Stack, seen: Snapshot) -> str:
        """One that could not be asked is told all the same; where it had no container, nobody was logged in."""
        if not self.local or self.postgres(seen) is not UNKNOWN:
            return ""
        alone = "" if seen.of(self.server) else sql.alone(self.owner, self.role)
        return scripts.words(self._change(stack, self._accepting + alone))

    @property
    def _accepting(self) -> str:
        vectors = bool(self.folders()) and bool(self.settings.of(self.entry, "vectors"))
        return sql.accept(self.owner, self.database, self.role, self.verifier, self.groups, vectors)

    def _change(self, stack: Stack, statements: str) -> StringCommand:
        return scripts.run(
            "services/postgres/change",
            root=stack.settings.stack_dir,
            project=stack.settings.stack_name,
            server=self.server,
            admin=self.admin,
            statements=statements,
        )


class PostgresMonitor(PostgresRole):
    """A login beside it, of an owner of its own name that owns nothing and may read all statistics."""

    kind: ClassVar[str] = "postgres-monitor"
    groups: ClassVar[Sequence[str]] = ("pg_monitor",)
    about_retired: ClassVar[tuple[str, ...]] = ("postgres.single_login",)
    about_desired: ClassVar[tuple[str, ...]] = ("postgres.consistent", "postgres.ready")

    @property
    def owner(self) -> str:
        return self.name

    @property
    def database(self) -> str:
        return "postgres"

    def folders(self) -> Sequence[Folder]:
        return ()

    def problems(self, stack: Stack, seen: Snapshot) -> Iterator[str]:
        return adoption.own_problems(self, stack, seen)

    def checks(self, stack: Stack, seen: Snapshot) -> Iterator[Check]:
        # it logs in when somebody wants metrics
        return (one for one in super().checks(stack, seen) if not one.id.startswith(f"{checks.CLIENT}@"))
