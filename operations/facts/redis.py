"""Redis as a client on the host finds it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyinfra.api import StringCommand

from ..stack.acl import acl_hashes
from ..stack.snapshot import SeenRedis
from .base import ScriptFact


class Redis(ScriptFact[SeenRedis]):
    """How redis answers: without a password, with the one of the host's password file, its data folder and the hashes it accepts.

    + root: the stack's folder, absolute
    + project: the Compose project's name
    + address: host:port of another host's redis; that of the project's own container when left out
    """

    script = "redis.sh"
    shell = ("timeout", "10", "bash")

    def command(self, root: str, project: str, address: str | None = None) -> StringCommand:
        return self.run(root, project, address or "")

    def parse(self, lines: list[str]) -> SeenRedis:
        answers: list[Any] = list(_replies(iter(lines)))
        if not answers:
            raise ValueError("redis closed the connection without a word")
        anonymous, login, ping, directory, user = [*answers, "", "", "", "", ""][:5]
        return SeenRedis(
            anonymous=str(anonymous),
            login=str(ping) if login == "OK" else str(login),
            directory=str(directory[1] or "") if isinstance(directory, list) and len(directory) == 2 else "",
            hashes=acl_hashes(str(user)) if isinstance(user, list) else (),
            denied=user if isinstance(user, str) and user.startswith("NOPERM") else "",
        )


def _replies(lines: Iterator[str]) -> Iterator[Any]:
    """The replies in redis' own protocol. Source: https://redis.io/docs/latest/develop/reference/protocol-spec/"""
    for line in lines:
        kind, rest = line[:1], line[1:].rstrip("\r")
        if kind in ("+", "-"):
            yield rest
        elif kind == ":":
            yield int(rest)
        elif kind == "$":
            yield None if rest == "-1" else next(lines, "").rstrip("\r")
        elif kind == "*":
            replies = _replies(lines)
            yield [next(replies, None) for _ in range(max(0, int(rest)))]
