"""What is known of a PostgreSQL's login: which role it is, where its files lie, what is asked, and which roles are accepted.

A role has one password, so each password has a role of its own (scram.py). They are members of one owner, and are that owner from
their login on: what one of them makes is the owner's, and the next one's too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from ...stack.credential import Asked, Credential, Login, sha256
from ...stack.files import File, Folder
from ...stack.password import plain
from ...stack.settings import Settings
from ...stack.snapshot import UNKNOWN, Snapshot, Unknown
from ...stack.stack import Stack
from . import scram
from .facts import Postgres
from .seen import SeenPostgres, SeenRole


class PostgresLogin(Credential):
    refused: ClassVar[str] = "[Pp]assword authentication failed for user|role .* is not permitted to log in"
    # a session that ends with its password, what a healthcheck hears while the server starts, and in the server's own log somebody
    # who is not let in
    harmless: ClassVar[str] = (
        "terminating connection due to administrator command"
        "|the database system is (starting up|shutting down|not yet accepting connections)"
        r"|\[[0-9]+\] FATAL:  (password authentication failed|no pg_hba.conf entry|role .* (is not permitted|does not exist))"
    )
    in_env: ClassVar[str] = r"""postgres(ql)?([+][a-z0-9]+)?://[^:/@ ]*:[^@$ {*<]+@|^[^=]*PGPASSWORD=["']?[^$"' ]"""
    in_files: ClassVar[str] = r"""PGPASSWORD[=:] *["']?[^ $"']"""

    @classmethod
    def in_use(cls, settings: Settings, server: str) -> bool:
        return super().in_use(settings, server) or bool(settings.of(server, "service"))

    def setting(self, name: str, default: str) -> str:
        """A setting of its service, such as `user` for postgres_user."""
        return str(self.settings.of(self.entry, name) or default)

    @property
    def own(self) -> bool:
        """Whether the server is the project's own, which is left as the project defines it."""
        return self.server != self.entry or bool(self.settings.of(self.entry, "service"))

    @property
    def here(self) -> bool:
        """Whether the server runs on this host."""
        return self.local or self.own

    @property
    def owner(self) -> str:
        return self.setting("user", self.name)

    @property
    def database(self) -> str:
        return self.setting("db", self.owner)

    @property
    def admin(self) -> str:
        return self.setting("admin", "postgres")

    @property
    def role(self) -> str:
        """The role that logs in with the desired password."""
        return scram.login_role(self.owner, self.value or "")

    @property
    def verifier(self) -> str:
        return scram.verifier(self.role, self.value or "")

    @property
    def digest(self) -> str:
        return sha256(self.verifier)

    @property
    def logins(self) -> tuple[Login, ...]:
        return (Login(self.role, self.digest),)

    @property
    def data(self) -> str:
        """Where the server keeps its data, relative to the stack's folder."""
        return f"data/{self.server}"

    @property
    def password_file(self) -> str:
        return f"secrets/{self.name}/password"

    @classmethod
    def rule(cls, value: str, setting: str) -> Sequence[str]:
        return plain(value, setting, "It stands in URLs, so some clients would take it for another password.")

    def login(self, service: str) -> Mapping[str, str]:
        at = self.at or f"{self.server}:{self.provided.port}"
        host, _, port = at.rpartition(":")
        password = self.value or ""
        return {
            "user": self.role,
            "password": password,
            "url": f"postgresql://{self.role}:{password}@{at}/{self.database}",
            "host": host.strip("[]"),  # an IPv6 address stands in brackets before a port alone
            "port": port,
            "db": self.database,
        }

    def files(self) -> Sequence[File]:
        """The password, for the questions; who uses another host's server asks it none that needs one."""
        return (File(self.password_file, "0600", f"{self.value}\n"),) if self.here else ()

    def passwords(self) -> Sequence[str]:
        return (self.password_file,) if self.here else ()

    def folders(self) -> Sequence[Folder]:
        # as the user `postgres` of the image has it
        owner = "70:70" if "alpine" in self.setting("image", "") else "999:999"
        return (Folder(self.data, "0700", owner),) if self.local else ()

    def asked(self, stack: Stack) -> Asked:
        return {
            self.name: (
                Postgres,
                {
                    "root": stack.settings.stack_dir, "project": stack.settings.stack_name, "server": self.server, "at": self.at,
                    "admin": self.admin, "owner": self.owner, "user": self.role, "db": self.database,
                    "password_file": self.password_file, "digest": self.files()[0].sha256 if self.here else "",
                },
            )
        }  # fmt: skip

    def postgres(self, seen: Snapshot) -> SeenPostgres | Unknown:
        found: SeenPostgres | Unknown = seen.answer(self.name)
        return found

    def observed(self, seen: Snapshot) -> bool:
        up = any(container.up for container in seen.of(self.server))
        return not (self.here and self.postgres(seen) is UNKNOWN and up)

    def roles(self, seen: Snapshot) -> tuple[SeenRole, ...]:
        """The owner and its login roles, as far as somebody can log in as them."""
        found = self.postgres(seen)
        return () if found is UNKNOWN else tuple(role for role in found.roles if role.accepted)

    def accepted(self, seen: Snapshot) -> tuple[Login, ...]:
        return tuple(Login(role.name, role.digest) for role in self.roles(seen))

    def others(self, seen: Snapshot) -> tuple[SeenRole, ...]:
        """The roles besides the desired one that somebody can log in as."""
        return tuple(role for role in self.roles(seen) if role.name != self.role)

    def takes(self, seen: Snapshot) -> bool:
        """Whether the desired login is taken, for the owner."""
        found = self.postgres(seen)
        role = None if found is UNKNOWN else found.role(self.role)
        return role is not None and role.accepted and role.acts and role.digest == self.digest

    def in_place(self, seen: Snapshot) -> bool:
        """Whether the password's file is as desired."""
        return seen.file(self.password_file).sha256 == self.files()[0].sha256

    def kept(self, seen: Snapshot) -> Mapping[str, bool]:
        return {self.password_file: self.in_place(seen)} if self.here else {}

    def sessions(self, seen: Snapshot, service: str) -> tuple[str, ...]:
        """The roles that the containers of a service of this host are logged in as."""
        found = self.postgres(seen)
        if found is UNKNOWN:
            return ()
        # a new container may get the address of the one that it replaces, whose sessions are older
        return tuple(
            session.user
            for one in seen.of(service)
            for session in found.sessions
            if session.address in one.addresses and session.since >= one.created
        )
