"""What was observed on a host: plain values, filled by the facts, read by the plan and the checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any

from .lock import Owner


class Unknown(Enum):
    """The answer of a fact that could not ask. It is never taken for "empty" or "no"."""

    UNKNOWN = "unknown"

    def to_json(self) -> str:
        """What `pyinfra fact` shows."""
        return self.value


UNKNOWN = Unknown.UNKNOWN


class Seen:
    """A part of a snapshot, which `pyinfra fact` shows as its fields."""

    def to_json(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]  # each is a dataclass


@dataclass(frozen=True)
class SeenEngine(Seen):
    """Docker on the host. `server` is None while the daemon does not answer; versions as Docker prints them. `podman`: it is what
    answers in Docker's place."""

    cli: bool
    server: str | None
    compose: str | None
    curl: bool
    jq: bool = True
    bash: bool = True
    podman: bool = False

    @property
    def start_interval(self) -> bool:
        """Whether the engine knows `healthcheck.start_interval` (Docker Engine 25, API 1.44)."""
        return version(self.server) >= (25,)


@dataclass(frozen=True)
class SeenFile(Seen):
    """A path below the stack's folder. `kind`: file, dir, symlink, other, missing or denied; only files and folders have the
    rest, a folder without a digest. `changed`: when it was last changed, in seconds since 1970."""

    kind: str
    mode: str = ""
    owner: str = ""
    sha256: str = ""
    changed: int = field(default=0, compare=False)


MISSING = SeenFile("missing")


@dataclass(frozen=True)
class SeenContainer(Seen):
    """One container of the Compose project.

    + addresses: on each of its networks
    + mounts: a folder or file in it → its source on the host
    + image: as it was named when the container was made
    + image_id: what Docker calls it
    + ports: the host's addresses and ports that it is published on
    """

    id: str
    service: str
    state: str
    health: str
    config_hash: str
    addresses: tuple[str, ...]
    mounts: Mapping[str, str]
    created: int = 0
    image: str = ""
    image_id: str = ""
    ports: tuple[str, ...] = ()

    @property
    def up(self) -> bool:
        """Running, and healthy where a healthcheck is defined."""
        return self.state == "running" and self.health in ("healthy", "")


@dataclass(frozen=True)
class SeenImage(Seen):
    """An image on the host.

    + id: what Docker calls it
    + digests: what registries call it; none where it was built or loaded there
    + created: when it was made, as Docker prints it
    """

    id: str
    digests: tuple[str, ...] = ()
    created: str = ""

    @property
    def order(self) -> tuple[bool, str, str]:
        """What tells the newest of several: one of a registry comes before one of this host alone."""
        return bool(self.digests), self.created, self.id


@dataclass(frozen=True)
class SeenProject(Seen):
    """The merged project as Compose reads it.

    + definitions: service → Compose's hash of its definition; env files are not in it
    + needs: service → its `depends_on`
    + starter: who can start its containers: `docker`, or `compose` where it runs hooks or copies something into them
    """

    definitions: Mapping[str, str]
    needs: Mapping[str, tuple[str, ...]]
    starter: str = "docker"


@dataclass(frozen=True)
class Difference(Seen):
    """A place in the definition of a service of the project ("" for what belongs to none) that our files change: what it is without
    them and with them, masked."""

    service: str
    path: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class SeenDefinition(Seen):
    """How the project's own files define a service.

    + user: who it runs as, where they say so
    + keys: the managed keys of its env file that it has already
    + urls: of these, key → its URL without the login
    + named: whether its container has a name of its own, so that there can be only one
    + image: as they name it
    + profiles: those that it is in, where none of them is active
    + network: whose network it shares (`host`, `service:<name>` …); empty for one of its own
    """

    user: str = ""
    keys: tuple[str, ...] = ()
    urls: Mapping[str, str] = field(default_factory=dict)
    named: bool = False
    image: str = ""
    profiles: tuple[str, ...] = ()
    network: str = ""


@dataclass(frozen=True)
class SeenOwn(Seen):
    """The project's own files, as Compose reads them.

    + services: what they define
    + differences: what our files would change of it; None: as they are on the host, and not asked
    + refused: why Compose, or what makes our files, does not take them
    """

    services: Mapping[str, SeenDefinition] = field(default_factory=dict)
    differences: tuple[Difference, ...] | None = None
    refused: str = ""


@dataclass(frozen=True)
class Applied(Seen):
    """What .fleet/applied.json says: what was last started, with which inputs.

    + compose: the version of Compose that was asked about the project
    + project: its answer; None where files that are no inputs have a part in it
    + own: what it said of the project's own files, and their digests then
    """

    inputs: str = ""
    services: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    compose: str = ""
    project: SeenProject | None = None
    own: tuple[SeenOwn, Mapping[str, str]] | None = None


@dataclass(frozen=True)
class SeenLog(Seen):
    """What a service complained about: how often a login was refused to it since its start, and its last lines that tell of an
    error."""

    refused: int = 0
    errors: tuple[str, ...] = ()


@dataclass(frozen=True)
class SeenMachine(Seen):
    """The host: its clock, how many seconds that is ahead of the controller's, and mount point → free bytes."""

    time: float
    ahead: float
    free: Mapping[str, int]


@dataclass(frozen=True)
class SeenLiteral(Seen):
    """A line of a Compose or env file on which a password is written out. `previous`: it is a credential's, and not the desired
    one; else it may be anything's."""

    path: str
    line: int
    previous: bool = False


def places(literals: Iterable[SeenLiteral]) -> str:
    """The files and lines, for a person."""
    lines: dict[str, list[str]] = {}
    for one in literals:
        lines.setdefault(one.path, []).append(str(one.line))
    return "; ".join(f"{path}: line {', '.join(numbers)}" for path, numbers in lines.items())


@dataclass(frozen=True)
class Snapshot:
    """All of a host that the plan and the checks need. A part that could not be observed is UNKNOWN.

    + files: path relative to the stack's folder → what lies there
    + env: path of an env file → managed key → SHA-256 of its line; None where the file cannot be parsed
    + texts: path → what stands in a small file that a credential has, such as the digests that its server reads
    + fragments: names in compose.d that an earlier run wrote
    + called: of these, the name in the catalogue → the project's own, where they differ
    + lock: who holds the stack's lock
    + images: name of an image of the stack → the one that has this name on the host; None: there is none
    + own: what the project's own files say
    + urls: path of an env file → managed key → its URL without the login
    + started_with, projects: see `SeenState`: what keeps the stack from being taken over
    + entries: folder → something that lies in it
    + counted: credential → what its server had counted when a run last noted it
    + left: the run whose lock was left behind: it is dead, or was to be taken for dead
    + logs: service → what it complained about
    + answers: what the facts of credentials and services found, by their names
    + literals: where passwords are written out
    + probes: id of a catalogue check → the value that was answered
    + met: why a part could not be observed; "": why nothing could be
    """

    engine: SeenEngine | Unknown = UNKNOWN
    files: Mapping[str, SeenFile] | Unknown = UNKNOWN
    env: Mapping[str, Mapping[str, str] | None] | Unknown = UNKNOWN
    containers: tuple[SeenContainer, ...] | Unknown = UNKNOWN
    applied: Applied | Unknown = UNKNOWN
    texts: Mapping[str, str] | Unknown = UNKNOWN
    fragments: tuple[str, ...] | Unknown = UNKNOWN
    images: Mapping[str, SeenImage | None] | Unknown = field(default_factory=dict)
    called: Mapping[str, str] = field(default_factory=dict)
    own: SeenOwn | Unknown = field(default_factory=SeenOwn)
    urls: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    lock: Owner | None = None
    left: str = ""
    started_with: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    entries: Mapping[str, str] = field(default_factory=dict)
    counted: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    logs: Mapping[str, SeenLog] | Unknown = UNKNOWN
    machine: SeenMachine | Unknown = UNKNOWN
    literals: tuple[SeenLiteral, ...] | Unknown = UNKNOWN
    probes: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, Any] = field(default_factory=dict)
    met: Mapping[str, str] = field(default_factory=dict)

    def answer(self, name: str) -> Any:
        """What a fact of a credential or a service found; UNKNOWN where it was not asked or could not."""
        return self.answers.get(name, UNKNOWN)

    @property
    def project(self) -> SeenProject | None:
        """What this Compose said of the project when it was last asked, which holds as long as the project's files do."""
        if self.applied is UNKNOWN or self.engine is UNKNOWN or self.applied.compose != self.engine.compose:
            return None
        return self.applied.project

    def unknown(self) -> tuple[str, ...]:
        """The parts without which nothing may be planned, as far as they are missing."""
        needed = ("engine", "files", "env", "applied", "texts", "fragments")
        return tuple(name for name in needed if getattr(self, name) is UNKNOWN)

    def exists(self, path: str) -> bool:
        """Whether a file lies at this path below the stack's folder."""
        return self.file(path).kind == "file"

    def file(self, path: str) -> SeenFile:
        """What lies at this path; MISSING also where that was not observed."""
        return MISSING if self.files is UNKNOWN else self.files.get(path, MISSING)

    def of(self, service: str) -> tuple[SeenContainer, ...]:
        """The containers of a service."""
        return () if self.containers is UNKNOWN else tuple(c for c in self.containers if c.service == service)


def version(text: str | None) -> tuple[int, ...]:
    """A version as numbers that compare: "2.26.1-4" → (2, 26, 1)."""
    digits = (text or "").removeprefix("v").split("+")[0].split("-")[0].split(".")
    return tuple(int(part) for part in digits if part.isdigit())
