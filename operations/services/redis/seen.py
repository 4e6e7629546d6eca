"""What was observed of a redis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...stack.credential import Login
from ...stack.snapshot import UNKNOWN, Seen, Snapshot, Unknown

REPLACED = 15  # seconds for which an old container may outlive the making of the new one: Compose gives it 10 to stop


@dataclass(frozen=True)
class SeenClient(Seen):
    """A connection that redis holds: where it comes from, as which user, how many channels it listens to, and which port of redis
    it goes to, 0 where that is not told."""

    address: str
    user: str
    channels: int
    port: int = 0


@dataclass(frozen=True)
class SeenCertificate(Seen):
    """What a redis proves itself with.

    + digest: SHA-256 of its certificate
    + end: when that ends, in seconds since 1970; 0 where it does not say
    + words: what openssl says to it, for those who trust what the stack's clients should
    + lacking: there is no openssl on the host to ask with
    """

    digest: str = ""
    end: float = 0
    words: str = ""
    lacking: bool = False

    @property
    def trusted(self) -> bool:
        return self.words.startswith("0 ")


@dataclass(frozen=True)
class SeenNeighbour(Seen):
    """A container that is none of the project, and reaches its redis.

    + project: its own, "" where it has none
    + places: what of it holds the password that redis accepts now: variables, or its command
    + connected: whether it is logged in
    """

    project: str
    name: str
    places: tuple[str, ...] = ()
    connected: bool = False

    def __str__(self) -> str:
        return f"{self.name} of the project {self.project}" if self.project else f"the container {self.name}"


@dataclass(frozen=True)
class SeenServer(Seen):
    """What a server is, and how much it holds; empty where it did not tell.

    + product: redis or valkey
    + role: master, or slave for a replica
    + memory: bytes of its data
    + limit: how many bytes it may have, 0 for as many as there are; policy: what it does then
    + start: a name of its own for each of its starts
    + counted: what went wrong since then, by the names that INFO has for it
    """

    product: str = ""
    version: str = ""
    role: str = ""
    modules: tuple[str, ...] = ()
    keys: int = 0
    memory: int = 0
    limit: int = 0
    policy: str = ""
    start: str = ""
    counted: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class SeenRedis(Seen):
    """How redis answered.

    + anonymous, login: its words to a PING without and with the password
    + directory: where it keeps its data
    + users: each of its users → the SHA-256 of the passwords that it accepts from it
    + denied: why it did not tell them
    + me: the address that this host's own questions come from
    + clients: all other connections
    + listeners: how many listen to Socket.IO's channel
    + refused: address and age in seconds of logins that were refused
    + place: where the password was found that it accepts instead of the desired one
    + nowhere: it accepts none that could be found
    + renamed: the commands of these that it does not know
    + dry: user and command → what it says to whether that user may run it
    + server: what it is
    + plain, secure: the port that it listens on without TLS and with it, 0 for none; None where it does not tell
    """

    anonymous: str = ""
    login: str = ""
    directory: str = ""
    users: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    denied: str = ""
    me: str = ""
    clients: tuple[SeenClient, ...] = ()
    listeners: int = 0
    refused: tuple[tuple[str, float], ...] = ()
    place: str = ""
    nowhere: bool = False
    server: SeenServer = SeenServer()
    dry: Mapping[str, str] = field(default_factory=dict)
    plain: int | None = None
    secure: int | None = None
    renamed: tuple[str, ...] = ()

    @property
    def logins(self) -> tuple[Login, ...]:
        """What it accepts."""
        return tuple(Login(name, digest) for name, digests in self.users.items() for digest in digests)

    @property
    def allowed(self) -> tuple[str, ...]:
        """The users and commands that it would allow."""
        return tuple(asked for asked, said in self.dry.items() if said == "OK")

    @property
    def refuses(self) -> bool:
        """Whether it wants a password, and not this one; redis 8.0 at times leaves out what it says to a wrong one. One that has
        too many clients has not looked at it."""
        wrong = self.login.startswith(("NOAUTH", "WRONGPASS", "ERR")) and "max number of clients" not in self.login
        return self.anonymous.startswith("NOAUTH") and wrong


def redis_of(seen: Snapshot, name: str) -> SeenRedis | Unknown:
    """The redis of the credential with this name."""
    found: SeenRedis | Unknown = seen.answer(name)
    return found


def refused(seen: Snapshot, redis: SeenRedis | Unknown, address: str, made: float) -> int:
    """How many logins redis refused to a container of this address that was made at this time; of equal ones it tells once a
    minute. A new container gets the address of the one that it replaces, which may have been at work for some seconds more.
    """
    if redis is UNKNOWN or seen.machine is UNKNOWN:
        return 0
    now = seen.machine.time
    return sum(1 for refused, age in redis.refused if refused == address and now - age > made + REPLACED)
