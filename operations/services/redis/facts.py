"""Redis as a client on the host finds it."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import Any

from pyinfra.api import StringCommand

from ...facts.base import ScriptFact, decoded, shown, text
from ...stack.certificate import digest
from ...stack.text import clean
from . import acl, limits
from .protocol import replies
from .seen import SeenCertificate, SeenClient, SeenNeighbour, SeenRedis, SeenServer
from .users import DEFAULT

_HASH = re.compile(r"[0-9a-f]{64}")
_UNKNOWN = "ERR unknown command"
_DATABASE = re.compile(r"db\d+")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")  # whatever language is set here


class Redis(ScriptFact[SeenRedis]):
    """How redis answers: without a password, with the login of the host's password file, its data folder, who is connected, which
    logins it refused, its users with the hashes that it accepts from them, and whether they may do what they must not.

    + root: the stack's folder, absolute
    + project: the Compose project's name
    + server: the service that is redis
    + at: host:port of another host's redis; that of the project's own container when left out
    + users: who may log in; the first of them does where the file names none
    + password_file: the file with the password, relative to the stack's folder
    + dry: user and command, each to be asked about without being run
    + ca: the file of what is trusted where redis wants TLS, relative to the stack's folder
    + secure: whether the one at `at` is asked with TLS
    """

    script = "services/redis/ask"
    dry: tuple[str, ...] = ()

    def command(
        self,
        root: str,
        project: str,
        server: str = "redis",
        at: str | None = None,
        users: Sequence[str] = (DEFAULT,),
        password_file: str = "secrets/redis/password",
        dry: Sequence[str] = (),
        ca: str = "",
        secure: bool = False,
    ) -> StringCommand:
        self.dry = tuple(dry)
        login = {"users": users, "password_file": password_file, "ca": ca}
        return self.ask(root=root, project=project, server=server, at=at or "", **login, secure=secure, dry=self.dry)

    def parse(self, lines: list[str]) -> SeenRedis:
        # a redis that refuses the password was asked with others: which one it takes, or that there is none
        tried = lines.pop(0).split(" ") if len(lines) == 2 else []
        place, found = (b64decode(tried[1]).decode(errors="replace"), tried[2]) if tried[:1] == ["found"] else ("", "")
        if found and not _HASH.fullmatch(found):
            raise ValueError("the password that was found has no digest")
        (answered,) = lines
        answers = replies(b64decode(answered, validate=True))
        if not answers:
            raise ValueError("redis closed the connection without a word")
        said = [*answers, *[""] * (12 + len(self.dry))]
        anonymous, login, ping, directory, listed, mine, clients, channel, refused = said[:9]
        info, modules, ports = said[9 + len(self.dry) :][:3]
        told = {name: user.digests for name, user in acl.users(map(str, listed))} if isinstance(listed, list) else {}
        told_with = {"CONFIG": directory, "ACL": listed, "CLIENT": clients, "INFO": info}
        me = _fields(mine) if isinstance(mine, str) else {}
        return SeenRedis(
            anonymous=str(anonymous),
            login="WRONGPASS" if place or str(login).startswith("NOAUTH") else str(ping) if login == "OK" else str(login),
            directory=str(directory[1] or "") if isinstance(directory, list) and len(directory) == 2 else "",
            users=told or ({DEFAULT: (found,)} if found else {}),
            denied=listed if isinstance(listed, str) and listed.startswith(("NOPERM", _UNKNOWN)) else "",
            me=_address(me),
            clients=tuple(_clients(clients, me.get("id"))) if isinstance(clients, str) else (),
            listeners=_count(channel[1]) if isinstance(channel, list) and len(channel) == 2 else 0,
            refused=tuple(_refused(refused)) if isinstance(refused, list) else (),
            place=place,
            nowhere=tried[:1] == ["nowhere"],
            dry={asked: str(answer) for asked, answer in zip(self.dry, said[9:], strict=False)},
            server=_server(str(info), modules),
            plain=_port(ports, "port"),
            secure=_port(ports, "tls-port"),
            renamed=tuple(name for name, said in told_with.items() if isinstance(said, str) and said.startswith(_UNKNOWN)),
        )


class TriedRedis(Redis):
    """The same of a redis that refuses that password: each that the host's files, and Docker, call redis' is tried, on the host.

    It may be one that this library did not start, or whose password was changed by hand.
    """

    script = "services/redis/try"


class Certificate(ScriptFact[SeenCertificate]):
    """What a redis that speaks TLS proves itself with.

    + root: the stack's folder, absolute
    + project: the Compose project's name
    + trusted: the authorities that clients should trust, in PEM
    + server: the service that is redis
    + at: host:port of another host's redis; that of the project's own container when left out
    """

    script = "services/redis/certificate"

    def command(self, root: str, project: str, trusted: str, server: str = "redis", at: str | None = None) -> StringCommand:
        return self.ask(root=root, project=project, trusted=trusted, server=server, at=at or "", secure=bool(at))

    def parse(self, lines: list[str]) -> SeenCertificate:
        if lines == ["lacking"]:
            return SeenCertificate(lacking=True)
        words, end, own = map(decoded, lines)
        return SeenCertificate(digest(own), _time(end), clean(words)[:200])


class Image(ScriptFact[tuple[str, ...]]):
    """The words that an image is started with: its entrypoint and its command; none where it is not on the host.

    + project: the Compose project's name
    + image: its name; that of the server's container when left out
    + server: the service that is redis
    """

    script = "services/redis/image"

    def command(self, project: str, image: str = "", server: str = "redis") -> StringCommand:
        return self.ask(project=project, image=image, server=server)

    def parse(self, lines: list[str]) -> tuple[str, ...]:
        (told,) = lines
        return tuple(map(text, json.loads(told)))


class Servers(ScriptFact[tuple[str, ...]]):
    """The services of a Compose project that answer as redis does, whatever they are called.

    + project: the Compose project's name
    + server: one that is not asked
    """

    script = "services/redis/servers"

    def command(self, project: str, server: str = "redis") -> StringCommand:
        return self.ask(project=project, server=server)

    def parse(self, lines: list[str]) -> tuple[str, ...]:
        return tuple(lines)


class Neighbours(ScriptFact[tuple[SeenNeighbour, ...]]):
    """Containers of other projects of this host that reach a project's redis and hold its password, or are logged in to it.

    + root: the stack's folder, absolute
    + project: the Compose project's name
    + server: the service that is redis
    + users, password_file, ca: see `Redis`
    """

    script = "services/redis/neighbours"

    def command(
        self,
        root: str,
        project: str,
        server: str = "redis",
        users: Sequence[str] = (DEFAULT,),
        password_file: str = "secrets/redis/password",
        ca: str = "",
    ) -> StringCommand:
        return self.ask(root=root, project=project, server=server, users=users, password_file=password_file, ca=ca)

    def parse(self, lines: list[str]) -> tuple[SeenNeighbour, ...]:
        return tuple(_neighbour(*json.loads(line)) for line in lines)


def _neighbour(project: str, name: str, places: list[str], connected: bool) -> SeenNeighbour:
    return SeenNeighbour(shown(text(project)), shown(text(name)), tuple(shown(text(one)) for one in places), connected is True)


class Overrides(ScriptFact[tuple[tuple[str, str], ...]]):
    """Environment variables that override the secret which their containers have as a file: service and name.

    + project: the Compose project's name
    + server: the service that is redis
    + path: the file's path, absolute
    """

    script = "services/redis/overrides"

    def command(self, project: str, path: str, server: str = "redis") -> StringCommand:
        return self.ask(project=project, path=path, server=server)

    def parse(self, lines: list[str]) -> tuple[tuple[str, str], ...]:
        return tuple((str(service), str(name)) for service, name in map(json.loads, lines))


def _server(info: str, modules: Any) -> SeenServer:
    """What INFO and MODULE LIST tell."""
    found = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
    product = "valkey" if "valkey_version" in found else "redis" if "redis_version" in found else ""
    keys = sum(_count(_fields(value.replace(",", " ")).get("keys")) for name, value in found.items() if _DATABASE.fullmatch(name))
    named = (
        [dict(zip(one[::2], one[1::2], strict=False)) for one in modules if isinstance(one, list)]
        if isinstance(modules, list)
        else []
    )
    return SeenServer(
        product=product,
        version=found.get(f"{product}_version", ""),
        role=found.get("role", ""),
        modules=tuple(sorted(str(one["name"]) for one in named if "name" in one)),
        keys=keys,
        memory=_count(found.get("used_memory")),
        limit=_count(found.get("maxmemory")),
        policy=found.get("maxmemory_policy", ""),
        start=found.get("run_id", ""),
        counted={name: _count(found[name]) for name in limits.COUNTERS if name in found},
    )


def _clients(text: str, me: str | None) -> Iterator[SeenClient]:
    for line in text.splitlines():
        found = _fields(line)
        if found and found.get("id") != me:
            channels, port = _count(found.get("sub")) + _count(found.get("psub")), _count(found.get("laddr", "").rpartition(":")[2])
            yield SeenClient(_address(found), found.get("user", ""), channels, port)


def _refused(entries: list[Any]) -> Iterator[tuple[str, float]]:
    """The logins in redis' ACL log, which also holds commands that were refused."""
    for entry in entries:
        if not isinstance(entry, list):
            continue
        found = {name: value for name, value in zip(entry[::2], entry[1::2], strict=False) if isinstance(name, str)}
        if found.get("reason") == "auth":
            yield _address(_fields(str(found.get("client-info", "")))), float(found.get("age-seconds") or 0)


def _port(found: Any, name: str) -> int | None:
    """A port of redis, as CONFIG GET tells it."""
    told = dict(zip(found[::2], found[1::2], strict=False)) if isinstance(found, list) else {}
    return int(told[name]) if str(told.get(name, "")).isdigit() else None


def _time(text: str) -> float:
    """A time as openssl writes it, such as `Nov 28 06:03:02 2027 GMT`; 0 for anything else."""
    month, day, clock, year = (*text.split(), *[""] * 4)[:4]
    try:
        found = datetime.strptime(f"{_MONTHS.index(month) + 1} {day} {clock} {year}", "%m %d %H:%M:%S %Y")
    except ValueError:
        return 0
    return found.replace(tzinfo=timezone.utc).timestamp()


def _count(value: Any) -> int:
    return int(value) if str(value).isdigit() else 0


def _fields(line: str) -> dict[str, str]:
    """A line of CLIENT LIST: name=value separated by blanks."""
    return dict(word.split("=", 1) for word in line.split(" ") if "=" in word)


def _address(client: dict[str, str]) -> str:
    return client.get("addr", "").rpartition(":")[0]
