"""What was observed of a PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass

from ...stack.snapshot import Seen

SCRAM = "scram"


@dataclass(frozen=True)
class SeenRole(Seen):
    """The owner, or one of its login roles.

    + login: whether it may log in
    + digest: SHA-256 of the verifier of its password; "" where it has none
    + acts: whether it is the owner from its login on
    """

    name: str
    login: bool
    digest: str
    acts: bool

    @property
    def accepted(self) -> bool:
        return self.login and bool(self.digest)


@dataclass(frozen=True)
class SeenSession(Seen):
    """Somebody who is logged in over the network: as whom, where from, and since when, in seconds since 1970."""

    user: str
    address: str
    since: int


@dataclass(frozen=True)
class SeenPostgres(Seen):
    """How PostgreSQL answered.

    + asks: what it wants of somebody who says no password: `scram`, `nothing`, `md5` or `password`; `error`, or "" for no answer
    + login: who it takes the desired login for, or its words where it refuses it; "" where that was not tried
    + version: its own words
    + owner, database: whether they are there
    + roles: the owner and its login roles
    + sessions: who is logged in over the network
    + denied: why it did not tell the last five
    """

    asks: str = ""
    login: str = ""
    version: str = ""
    owner: bool = False
    database: bool = False
    roles: tuple[SeenRole, ...] = ()
    sessions: tuple[SeenSession, ...] = ()
    denied: str = ""

    def role(self, name: str) -> SeenRole | None:
        return next((one for one in self.roles if one.name == name), None)
