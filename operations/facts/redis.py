"""Redis as a client on the host finds it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyinfra.api import StringCommand

from ..stack.acl import PASSWORD_PATH, acl_hashes
from ..stack.snapshot import SeenClient, SeenRedis
from .base import ScriptFact


class Redis(ScriptFact[SeenRedis]):
    """How redis answers: without a password, with the one of the host's password file, its data folder, the hashes it accepts,
    who is connected, and which logins it refused.

    + root: the stack's folder, absolute
    + project: the Compose project's name
    + address: host:port of another host's redis; that of the project's own container when left out
    + user: the user that logs in
    + password_file: the file with the password, relative to the stack's folder
    """

    script = "redis.sh"

    def command(
        self, root: str, project: str, address: str | None = None, user: str = "default", password_file: str = PASSWORD_PATH
    ) -> StringCommand:
        return self.run(root, project, address or "", user, password_file)

    def parse(self, lines: list[str]) -> SeenRedis:
        former, found = "", ""
        if lines and lines[0].startswith("former\t"):
            _, former, found = lines.pop(0).split("\t")
        nowhere = lines[:1] == ["nowhere"]
        lines = lines[nowhere:]
        answers: list[Any] = list(_replies(iter(lines)))
        if not answers:
            raise ValueError("redis closed the connection without a word")
        anonymous, login, ping, directory, user, mine, clients, channel, refused, users = [*answers, *[""] * 10][:10]
        me = _fields(mine) if isinstance(mine, str) else {}
        return SeenRedis(
            anonymous=str(anonymous),
            login="WRONGPASS" if former or str(login).startswith("NOAUTH") else str(ping) if login == "OK" else str(login),
            directory=str(directory[1] or "") if isinstance(directory, list) and len(directory) == 2 else "",
            hashes=acl_hashes(str(user)) if isinstance(user, list) else (found,) if found else (),
            denied=user if isinstance(user, str) and user.startswith("NOPERM") else "",
            me=_address(me),
            clients=tuple(_clients(clients, me.get("id"))) if isinstance(clients, str) else (),
            listeners=int(channel[1]) if isinstance(channel, list) and len(channel) == 2 else 0,
            refused=tuple(_refused(refused)) if isinstance(refused, list) else (),
            users={name: acl_hashes(rest) for name, rest in _users(users)},
            former=former,
            nowhere=nowhere,
        )


class FormerRedis(Redis):
    """The same of a redis that refuses that password: each that the host's files, and Docker, hold is tried, on the host.

    It may be one that this library did not start, or whose password was changed by hand.
    """

    script = "redis_former.sh"


class Beaten(ScriptFact[tuple[tuple[str, str], ...]]):
    """Environment variables that beat the secret which their containers have as a file: service and name.

    + project: the Compose project's name
    + path: the file's path, absolute
    """

    script = "beaten.sh"

    def command(self, project: str, path: str) -> StringCommand:
        return self.run(project, path)

    def parse(self, lines: list[str]) -> tuple[tuple[str, str], ...]:
        return tuple((service, name) for service, name in (line.split("\t") for line in lines))


def _users(lines: Any) -> Iterator[tuple[str, str]]:
    """The lines of ACL LIST: `user <name> …` and what is written of it."""
    for line in lines if isinstance(lines, list) else ():
        _, _, rest = str(line).partition(" ")
        name, _, rules = rest.partition(" ")
        yield name, rules


def _clients(text: str, me: str | None) -> Iterator[SeenClient]:
    for line in text.splitlines():
        found = _fields(line)
        if found and found.get("id") != me:
            yield SeenClient(_address(found), found.get("user", ""), int(found.get("sub", 0)) + int(found.get("psub", 0)))


def _refused(entries: list[Any]) -> Iterator[tuple[str, float]]:
    """The logins in redis' ACL log, which also holds commands that were refused."""
    for entry in entries:
        if not isinstance(entry, list):
            continue
        found = {str(name): value for name, value in zip(entry[::2], entry[1::2], strict=False)}
        if found.get("reason") == "auth":
            yield _address(_fields(str(found.get("client-info", "")))), float(found.get("age-seconds") or 0)


def _fields(line: str) -> dict[str, str]:
    """A line of CLIENT LIST: name=value parted by blanks."""
    return dict(word.split("=", 1) for word in line.split(" ") if "=" in word)


def _address(client: dict[str, str]) -> str:
    return client.get("addr", "").rpartition(":")[0]


def _replies(lines: Iterator[str]) -> Iterator[Any]:
    """The replies in redis' own protocol. Source: https://redis.io/docs/latest/develop/reference/protocol-spec/"""
    for line in lines:
        kind, rest = line[:1], line[1:].rstrip("\r")
        if kind in ("+", "-"):
            yield rest
        elif kind == ":":
            yield int(rest)
        elif kind == "$":
            yield None if rest == "-1" else _text(lines, int(rest))
        elif kind == "*":
            replies = _replies(lines)
            yield [next(replies, None) for _ in range(max(0, int(rest)))]


def _text(lines: Iterator[str], length: int) -> str:
    """A text of so many bytes, which may hold line breaks of its own."""
    text = next(lines, "")
    for line in lines if len(text.encode()) < length else ():
        text += f"\n{line}"
        if len(text.encode()) >= length:
            break
    return text.encode()[:length].decode(errors="replace")
