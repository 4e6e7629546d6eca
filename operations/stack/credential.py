"""A credential: a login that a server takes and clients use. All that the general machinery knows of any password. Pure.

A kind of credential is a class below, in the folder of the service that gives the login; it is found by the name of its kind.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from .certificate import Certificate
from .changes import Change
from .check import Check
from .files import File, Folder
from .fingerprint import fingerprint
from .service import Provided, setting_of
from .settings import Settings, before_port
from .snapshot import UNKNOWN, Snapshot
from .stack import Stack

if TYPE_CHECKING:
    from pyinfra.api import StringCommand

# name in the snapshot → (fact, its arguments)
Asked = Mapping[str, tuple[type[Any], Mapping[str, Any]]]


def sha256(secret: str) -> str:
    """What a server's file holds of a secret, and what a host may answer."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Login(NamedTuple):
    """Something that a server accepts: a user, empty where the kind knows none, and the SHA-256 of a secret."""

    user: str
    digest: str

    def __str__(self) -> str:
        return f"{self.user} {fingerprint(self.digest)}".lstrip()


@dataclass(frozen=True)
class CredentialPlan:
    """What is to be done about one credential on one host.

    + accept: the logins that its server accepts first, the desired ones among them; empty when nothing changes
    + retire: the server accepts others besides the desired ones
    + refuse: those
    + files: those of its files that differ
    + readers: services that are recreated because their secret file changes
    + restarts: its server is restarted, because it reads what it accepts only then, or accepts nothing that is on the host
    + denied: what the server said when it did not let itself be changed: then it reads a changed file only when it starts
    + waiting: services that still use a previous one, which is not retired until they no longer do
    + effects: what people will notice of it, as sentences
    + first, last: what else its server is told before clients are switched, and when all of them have been verified; as sentences
    """

    name: str
    accept: tuple[Login, ...] = ()
    retire: bool = False
    refuse: tuple[Login, ...] = field(default=(), compare=False)
    files: tuple[Change, ...] = ()
    readers: tuple[str, ...] = ()
    restarts: bool = False
    denied: str = ""
    waiting: tuple[str, ...] = ()
    effects: tuple[str, ...] = field(default=(), compare=False)
    first: tuple[str, ...] = ()
    last: tuple[str, ...] = ()


class Credential(ABC):
    """One credential of a stack.

    + name: as templates say it: {<name>.password}
    + entry: the service of the catalogue that takes it, whose settings count
    + server: what the project calls that service
    + local: whether that service runs in this stack
    + value: the secret, where it is known
    + at: host:port of another host's server
    + further: its other secrets, where they are known: the name of the setting → the value
    + certificate: what its server proves itself with, and what its clients trust; None where it speaks no TLS
    """

    kind: ClassVar[str]
    served: ClassVar[bool] = True  # whether a server takes it, on a port
    # ids of its checks: what is meant to be so during a rollout; what compares the host with the desired state; what a server need
    # not be that somebody else started
    about_retired: ClassVar[tuple[str, ...]] = ()
    about_desired: ClassVar[tuple[str, ...]] = ()
    about_adopted: ClassVar[tuple[str, ...]] = ()
    meanings: ClassVar[Mapping[str, str]] = {}  # what each of its checks says when it is ok, by its id

    # regular expressions (POSIX, extended): log lines of a client that was refused, and of its server that are no error; where a
    # password is written out, in env files and in Compose files
    refused: ClassVar[str] = ""
    harmless: ClassVar[str] = ""
    in_env: ClassVar[str] = ""
    in_files: ClassVar[str] = ""

    def __init__(
        self,
        name: str,
        provided: Provided,
        entry: str,
        settings: Settings,
        local: bool,
        value: str | None,
        at: str | None,
        further: Mapping[str, str | None] | None = None,
        certificate: Certificate | None = None,
    ) -> None:
        self.name, self.provided, self.entry, self.settings = name, provided, entry, settings
        self.server: str = settings.of(entry, "service") or entry
        self.local, self.value, self.at, self.further, self.certificate = local, value, at, further or {}, certificate

    @classmethod
    def further_secrets(cls, provided: Provided, server: str, data: Mapping[str, Any]) -> Sequence[str]:
        """The settings with its secrets besides `provided.secret`, where all settings are `data` (name → value, unchecked)."""
        return ()

    @classmethod
    def certified(cls, server: str, data: Mapping[str, Any]) -> Sequence[str] | None:
        """The names that its server proves to have with a certificate, where all settings are `data` (name → value, unchecked):
        none where that is another host's, and clients trust it alone; None where it speaks no TLS."""
        return None

    @classmethod
    def reached_at(cls, provided: Provided, server: str, data: Mapping[str, Any]) -> str:
        """Where other hosts reach its server, host:port, on a host whose settings are `data`."""
        address = str(data.get(setting_of(server, "publish")))
        return f"{before_port(address)}:{data.get(setting_of(server, 'port'), provided.port)}"

    @classmethod
    def in_use(cls, settings: Settings, server: str) -> bool:
        """Whether a stack with these settings has to do with it, though its server is none of its services."""
        return bool(cls.host_of(settings, server))

    @staticmethod
    def host_of(settings: Settings, server: str) -> str | None:
        """The host of the inventory whose server this one uses; None for its own."""
        host: str | None = settings.of(server, "host")
        return host

    @property
    def host(self) -> str | None:
        return self.host_of(self.settings, self.entry)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), self.name, self.server, self.value, self.at))

    @property
    def digest(self) -> str:
        """SHA-256 of the secret, or of what its server keeps of it: what a host may answer."""
        return sha256(self.value or "")

    @property
    def logins(self) -> tuple[Login, ...]:
        """The desired ones."""
        return (Login("", self.digest),)

    def wrong(self, stack: Stack) -> Iterator[str]:
        """What is wrong with its settings, or with who uses it, as sentences."""
        return iter(())

    @classmethod
    @abstractmethod
    def rule(cls, value: str, setting: str) -> Sequence[str]:
        """What is wrong with a value, as sentences; `setting`: the name of its secret."""

    @abstractmethod
    def login(self, service: str) -> Mapping[str, str]:
        """The names for templates of a service; one that holds a secret is `password`, `url` or `value`."""

    @abstractmethod
    def files(self) -> Sequence[File]:
        """What lies on the host."""

    def on(self, seen: Snapshot) -> Credential:
        """The same where something of it depends on the host, such as whose its files are."""
        return self

    def passwords(self) -> Sequence[str]:
        """Those of its files whose first line is the secret."""
        return ()

    def texts(self) -> Sequence[str]:
        """Those whose content a snapshot wants."""
        return ()

    def folders(self) -> Sequence[Folder]:
        """The folders that its server alone may enter; a snapshot tells one entry of each."""
        return ()

    @abstractmethod
    def asked(self, stack: Stack) -> Asked:
        """The facts that a snapshot asks for it."""

    def asked_again(self, stack: Stack, answers: Mapping[str, Any]) -> Asked:
        """Those that are asked because of what the first ones said."""
        return {}

    @abstractmethod
    def observed(self, seen: Snapshot) -> bool:
        """Whether its server answered, or there is nothing that could."""

    def told(self, seen: Snapshot) -> Mapping[str, str]:
        """Settings that the host tells where the operator does not."""
        return {}

    @abstractmethod
    def accepted(self, seen: Snapshot) -> tuple[Login, ...]:
        """What its server accepts, by its file or in memory; empty where it does not tell."""

    def unready(self, seen: Snapshot) -> str:
        """Why clients cannot be switched as long as another host's server stays as it is, as the end of a sentence, or nothing."""
        return ""

    @abstractmethod
    def problems(self, stack: Stack, seen: Snapshot) -> Iterator[str]:
        """What must be put right by a person first."""

    @abstractmethod
    def adopted(self, stack: Stack, seen: Snapshot) -> Iterator[str]:
        """What becomes of a server that somebody else started, as sentences."""

    @abstractmethod
    def plan(self, stack: Stack, seen: Snapshot, starting: Collection[str]) -> CredentialPlan:
        """What is to be done, where these services are started anyway."""

    @abstractmethod
    def checks(self, stack: Stack, seen: Snapshot) -> Iterator[Check]:
        """What a person would ask about it."""

    @abstractmethod
    def accept(self, stack: Stack, seen: Snapshot, due: CredentialPlan) -> Iterator[StringCommand]:
        """The commands that have the server accept what is due."""

    @abstractmethod
    def retire(self, stack: Stack, seen: Snapshot) -> Iterator[StringCommand]:
        """Those that have it refuse all but the desired ones, and prove that."""

    def again(self, stack: Stack, seen: Snapshot, due: CredentialPlan) -> Iterator[StringCommand]:
        """Those that have it accept what was just retired once more, because a client turned out to need it."""
        return iter(())

    def back(self, stack: Stack, before: Snapshot, seen: Snapshot) -> Iterator[StringCommand]:
        """Those that have it accept what it accepted before this run alone, after a roll back; `seen`: the host as it is now."""
        return iter(())

    def before_replacing(self, stack: Stack, seen: Snapshot, doubt: bool) -> str:
        """A line of shell to be run just before its server's container is replaced, or nothing.

        + doubt: services that are not to be started could be recreated together with it
        """
        return ""

    def after_starting(self, stack: Stack, seen: Snapshot) -> str:
        """A line of shell to be run when its server has come up, before the services that depend on it start, or nothing."""
        return ""

    def fixes(self, service: str) -> bool:
        """Whether a setting says all that a service's URL holds; else a host keeps what stands around the login there."""
        return False

    def places(self, stack: Stack, seen: Snapshot) -> Mapping[str, bool]:
        """Each place that clients take it from → whether the desired one is there. Empty where that was not observed."""
        if seen.env is UNKNOWN or seen.files is UNKNOWN or self.value is None:
            return {}
        found = {
            f"{key} in {file.path}": (seen.env.get(file.path) or {}).get(key) == file.hashes[key]
            for file in stack.env_files
            for key in file.lines
            if self.name in file.uses.get(key, ())
        }
        return {**found, **self.kept(seen)}

    def kept(self, seen: Snapshot) -> Mapping[str, bool]:
        """The same of its own files."""
        return {}

    def readers(self, stack: Stack, seen: Snapshot) -> tuple[str, ...]:
        """The services of the project that read it from a file, beside the stack's own."""
        return ()

    def counters(self, seen: Snapshot) -> Mapping[str, str]:
        """What its server counts: noted by a run that changes something, so that later ones tell what has come since."""
        return {}

    def changed(self, seen: Snapshot) -> float | None:
        """When what its server accepts was last changed, in seconds since 1970."""
        return None


def credentials_of(stack: Stack) -> tuple[Credential, ...]:
    """Those that the services of a stack take or use."""
    return stack.credentials
