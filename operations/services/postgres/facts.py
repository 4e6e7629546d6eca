"""PostgreSQL as a client on the host finds it, and as its superuser does."""

from __future__ import annotations

import json
import re
from typing import Any

from pyinfra.api import StringCommand

from ...facts.base import ScriptFact, decoded, shown, text
from .scram import DIGITS
from .seen import SCRAM, SeenPostgres, SeenRole, SeenSession
from .sql import STATE

_DIGEST = re.compile(r"([0-9a-f]{64})?")
# the answer to a start-up message: its kind, which is R, and the number of the way to log in
_ASKS = {"82 0": "nothing", "82 3": "password", "82 5": "md5", "82 10": SCRAM}


class Postgres(ScriptFact[SeenPostgres]):
    """How PostgreSQL answers: without a password, with the one of the host's password file, and what it tells its superuser.

    + root: the stack's folder, absolute
    + project: the Compose project's name
    + server: the service that is PostgreSQL
    + at: host:port of another host's, which is only asked what it wants; that of the project's own container when left out
    + admin: the superuser
    + owner, db: the role that owns the database, and the database
    + user: the role that logs in
    + password_file: the file with the password, relative to the stack's folder
    + digest: SHA-256 of that file where it is the role's: any other login would be refused, and logged as an error
    """

    script = "services/postgres/ask"

    def command(
        self,
        root: str,
        project: str,
        server: str,
        user: str,
        owner: str,
        db: str,
        admin: str = "postgres",
        at: str | None = None,
        password_file: str = "",
        digest: str = "",
    ) -> StringCommand:
        self.owner = owner
        return self.ask(
            root=root, project=project, server=server, at=at or "", admin=admin, owner=owner, db=db, user=user,
            password_file=password_file, digest=digest, state=STATE,
        )  # fmt: skip

    def parse(self, lines: list[str]) -> SeenPostgres:
        first, *rest = lines
        asks = "" if first == "asks" else _ASKS.get(first.removeprefix("asks "), "error")
        if not rest:
            return SeenPostgres(asks)
        tried, told = rest
        login = shown(decoded(tried.removeprefix("login").strip()).strip())[:300]
        kind, _, answer = told.partition(" ")
        if kind != "told":
            return SeenPostgres(asks, login, denied=shown(decoded(answer).strip())[:300] or "psql failed")
        found = json.loads(decoded(answer))
        return SeenPostgres(
            asks,
            login,
            version=shown(text(found["version"])).split(" ")[0][:20],
            owner=found["owner"] is True,
            database=found["database"] is True,
            roles=tuple(role for one in found["roles"] if (role := self._role(*one))),
            sessions=tuple(
                SeenSession(shown(text(user)), shown(text(address)), int(since)) for user, address, since in found["sessions"]
            ),
        )

    def _role(self, name: Any, login: Any, digest: Any, acts: Any) -> SeenRole | None:
        """One whose name is none of ours is nobody that a statement is to be made for."""
        if not re.fullmatch(rf"{re.escape(self.owner)}(_[0-9a-f]{{{DIGITS}}})?", text(name)):
            return None
        if not _DIGEST.fullmatch(text(digest)):
            raise ValueError("a verifier without a digest")
        return SeenRole(name, login is True, digest, acts is True)
