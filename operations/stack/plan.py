"""What separates a stack from a snapshot: a pure function, the same answer every time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from . import adoption, secret_file
from .acl import ACL_PATH
from .fingerprint import fingerprint
from .password import others
from .settings import SERVICE_NAME
from .snapshot import MISSING, UNKNOWN, SeenEngine, SeenFile, Snapshot, version
from .stack import OWN_ENVIRONMENT, EnvFile, File, Stack, fragment_path

MIN_COMPOSE = (2, 24, 4)  # the first that knows !override and !reset, with which a fragment takes what an existing file has out


@dataclass(frozen=True)
class Difference:
    """A key of an env file, or the whole content of a file: the fingerprints on the host and as wanted; None: it is not there."""

    key: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Change:
    """A file that differs, and in what: "is missing", "mode is 0644, expected 0600", "WEBSOCKET_MANAGER differs" …

    `content` is False where only its mode or owner differs: then no service notices. `differences`: what changes, masked.
    """

    path: str
    reasons: tuple[str, ...]
    content: bool = True
    differences: tuple[Difference, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        return f"{self.path}: {', '.join(self.reasons)}"


@dataclass(frozen=True)
class Plan:
    """What is to be done on one host, in the order of `deploy.py`.

    + problems: why nothing may be done at all, as sentences
    + engine: what Docker lacks
    + project: compose.yml, .env and fragments that differ
    + env: env files that differ
    + accept: the hashes that users.acl gets first; empty when nothing changes
    + secrets: the password file differs; or, where there has never been a redis, its ACL file is still to be written
    + start: service → why its container is started or replaced
    + recheck: definitions may have changed: Compose must be asked
    + remove: services whose containers and fragments go
    + retire: redis accepts passwords besides the wanted one, on disk or in memory
    + unlock: the run whose lock was left behind
    + readers: services that are made anew, for the file of their secret changes
    + restarts: redis is restarted, for it reads its password only then, or has another one in memory that is nowhere else
    + adopt: what becomes of services that somebody else started, as sentences
    + waiting: services that still use a former password, which is not retired until they do no longer
    + restart: what redis said when it did not let its ACL be read: then it reads a changed one only when it starts
    """

    problems: tuple[str, ...] = ()
    engine: tuple[str, ...] = ()
    project: tuple[Change, ...] = ()
    env: tuple[Change, ...] = ()
    accept: tuple[str, ...] = ()
    secrets: tuple[Change, ...] = ()
    start: tuple[tuple[str, str], ...] = ()
    recheck: bool = False
    remove: tuple[str, ...] = ()
    retire: bool = False
    unlock: str = ""
    readers: tuple[str, ...] = ()
    restarts: bool = False
    adopt: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    restart: str = ""

    @property
    def files(self) -> tuple[Change, ...]:
        """Every file that will be written."""
        return (*self.project, *self.env, *self.secrets)

    @property
    def due(self) -> bool:
        """Whether anything is to be done."""
        changes = (
            self.engine or self.files or self.accept or self.start or self.remove or self.retire or self.readers or self.restarts
        )
        return bool(changes or self.recheck or self.unlock)

    def sentences(self) -> Iterator[str]:
        """The plan for a person, a line each."""
        yield from self.problems
        if self.unlock:
            yield f"take away the lock of run {self.unlock}, which did not come to its end"
        if self.retire:
            switched = (*(service for service, _ in self.start), *self.readers)
            switch = f"switch {' and '.join(switched)}" if switched else ""
            yield f"password: {', '.join(filter(None, ('accept' if self.accept else '', switch, 'retire')))}"
        if self.restarts or (self.restart and (self.accept or self.retire)):
            why = (
                f"it does not let its ACL be changed ({self.restart})"
                if self.restart
                else "it takes no password that is on this host"
            )
            yield f"redis is restarted, which takes some seconds: {why}"
        if self.waiting and not self.retire:
            yield f"password: the former one stays accepted, for {' and '.join(self.waiting)} may use it"
        yield from (f"adopt {sentence}" for sentence in self.adopt)
        for need in self.engine:
            yield f"engine: {need}"
        for change in self.project:
            yield f"write {change}"
        if self.accept and not self.retire and not self.readers:
            yield "write secrets/redis/users.acl: the wanted password is not in it as it should be"
        for change in (*self.env, *self.secrets):
            yield f"write {change}"
        for service in self.remove:
            yield f"remove {service}: no longer in `services`"
        for service, reason in self.start:
            yield f"start {service}: {reason}"
        for service in self.readers:
            yield f"start {service}: the file of its secret changes"
        if self.recheck and not (self.start or self.readers):
            yield "ask Compose which definitions changed"


def plan(stack: Stack, seen: Snapshot) -> Plan:
    """The plan for a host that shows `seen`."""
    problems = tuple(_problems(stack, seen))
    if problems or seen.files is UNKNOWN or seen.engine is UNKNOWN or seen.applied is UNKNOWN or seen.acl is UNKNOWN:
        return Plan(problems=problems)
    files, engine = seen.files, tuple(engine_needs(seen.engine))
    remove = tuple(_removed(stack, seen))
    project = tuple(
        change
        for file in (*_base(stack, files), *stack.fragments(_start_interval(seen)), stack.manifest())
        if (change := _file_change(file, files.get(file.path, MISSING)))
    )
    project += tuple(env_changes(stack.dotenv, seen)) + tuple(_own_environment(stack, files))
    project += tuple(Change(fragment_path(name), ("is no longer wanted",)) for name in _stale_fragments(stack, seen))
    env = tuple(change for file in stack.env_files for change in env_changes(file, seen))
    first = seen.redis is UNKNOWN and files.get(ACL_PATH, MISSING).kind == "missing"
    secrets = tuple(
        change
        for file in stack.secret_files()
        if (file.path == stack.password_file or first) and (change := _file_change(file, files.get(file.path, MISSING)))
    )
    written = {change.path for change in (*project, *env) if change.content}
    start = tuple(_starts(stack, seen, written))
    waiting = adoption.unmanaged(stack, seen) if stack.settings.retire == "when_unused" and others(stack, seen) else ()
    rewritten = any(change.content for change in project) or inputs_digest(stack, seen) != seen.applied.inputs
    return Plan(
        engine=engine,
        project=project,
        env=env,
        accept=() if first else _accept(stack, seen),
        secrets=secrets,
        start=start,
        # after a run that was killed, for it may have left another actor at rest
        recheck=rewritten or stack.settings.pull == "always" or bool(seen.left),
        remove=remove,
        retire=(stack.has_redis or stack.own_redis) and bool(others(stack, seen)) and not waiting,
        readers=secret_file.stale(stack, seen) if stack.own_redis else (),
        restarts=secret_file.restarts(stack, seen) or (_locked_out(stack, seen) and "redis" not in dict(start)),
        adopt=tuple(adoption.sentences(stack, seen)),
        waiting=waiting,
        unlock=seen.left,
        restart="" if seen.redis is UNKNOWN else seen.redis.denied,
    )


def engine_needs(engine: SeenEngine) -> Iterator[str]:
    """What Docker lacks on a host, as sentences."""
    if not engine.cli:
        yield "Docker Engine is missing"
    elif engine.server is None:
        yield "Docker does not answer"
    if engine.compose is None:
        yield "the Compose v2 plugin is missing"
    elif version(engine.compose) < MIN_COMPOSE:
        yield f"Compose {engine.compose} is too old, expected {'.'.join(map(str, MIN_COMPOSE))} or later"
    for name, there in (("curl", engine.curl), ("jq", engine.jq)):
        if not there:
            yield f"{name} is missing"


def unobserved(stack: Stack, seen: Snapshot) -> tuple[str, ...]:
    """The parts without which nothing may be planned, as far as they are missing on this host.

    A host whose Docker does not run has no containers to show, nor has one without the curl and jq to ask it with, and one
    whose redis does not run no answer of it.
    """
    parts = list(seen.unknown())
    if (
        seen.engine is not UNKNOWN
        and seen.engine.server is not None
        and seen.engine.curl
        and seen.engine.jq
        and seen.containers is UNKNOWN
    ):
        parts.append("containers")
    if (stack.has_redis or stack.own_redis) and seen.redis is UNKNOWN and any(container.up for container in seen.of("redis")):
        parts.append("redis")
    return tuple(parts)


def inputs_digest(stack: Stack, seen: Snapshot) -> str:
    """One digest over all files that Compose reads, as `scripts/up.sh` computes it on the host."""
    files = {} if seen.files is UNKNOWN else seen.files
    lines = [f"{files.get(path, MISSING).sha256}  {path}\n" for path in stack.inputs()]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _start_interval(seen: Snapshot) -> bool:
    # where no engine answers yet, the one that will be installed is a current one
    return seen.engine is UNKNOWN or seen.engine.server is None or seen.engine.start_interval


def _problems(stack: Stack, seen: Snapshot) -> Iterator[str]:
    """What must be put right by a person before anything is touched."""
    for part in unobserved(stack, seen):
        yield f"{part}: could not be observed. Nothing is changed on a host that cannot be seen; run again with -vv."
    if seen.files is UNKNOWN or seen.env is UNKNOWN:
        return
    root = stack.settings.stack_dir
    for path, file in seen.files.items():
        if file.kind not in ("file", "missing"):
            yield (
                f"{root}/{path}: is a {_KINDS.get(file.kind, file.kind)}, expected a regular file. Nothing was changed. "
                "Move it away, or set stack_dir to another folder."
            )
    yield from adoption.problems(stack, seen)
    for path, keys in seen.env.items():
        if keys is None:
            yield f"{root}/{path}: a quote is opened and never closed, so its keys cannot be told apart. Close it."


_KINDS = {"dir": "folder", "symlink": "symbolic link (or lies behind one)", "denied": "path that may not be read"}


def _base(stack: Stack, files: Mapping[str, SeenFile]) -> tuple[File, ...]:
    # an existing one is somebody else's
    return tuple(file for file in stack.base() if files.get(file.path, MISSING).kind != "file")


def _own_environment(stack: Stack, files: Mapping[str, SeenFile]) -> Iterator[Change]:
    """It is made from the project's own files, so it must not be older than they are."""
    made = files.get(OWN_ENVIRONMENT, MISSING)
    if made.kind == "missing":
        yield Change(OWN_ENVIRONMENT, ("is missing",))
    elif newer := [path for path in stack.settings.compose_files if files.get(path, MISSING).changed > made.changed]:
        yield Change(OWN_ENVIRONMENT, (f"{newer[0]} was changed after it was made",))


def _file_change(file: File, seen: SeenFile) -> Change | None:
    difference = _difference("content", seen.sha256, file.sha256)
    if seen.kind == "missing":
        return Change(file.path, ("is missing",), differences=difference)
    reasons = ["content differs"] if difference else []
    return _with_mode(file.path, file.mode, file.owner, seen, reasons, difference)


def _difference(key: str, before: str | None, after: str) -> tuple[Difference, ...]:
    return () if before == after else (Difference(key, fingerprint(before) if before else None, fingerprint(after)),)


def env_changes(file: EnvFile, seen: Snapshot) -> Iterator[Change]:
    """The managed keys of an env file that are not as wanted, and its mode; nothing when all is well."""
    if seen.files is UNKNOWN or seen.env is UNKNOWN:
        return
    found = seen.files.get(file.path, MISSING)
    keys = seen.env.get(file.path) or {}
    differences = tuple(one for key, wanted in file.hashes.items() for one in _difference(key, keys.get(key), wanted))
    if found.kind == "missing":
        yield Change(file.path, ("is missing",), differences=differences)
        return
    reasons = [f"{one.key} differs" if one.key in keys else f"{one.key} is missing" for one in differences]
    if change := _with_mode(file.path, file.mode, "-", found, reasons, differences):
        yield change


def _with_mode(
    path: str, mode: str, owner: str, seen: SeenFile, reasons: list[str], differences: tuple[Difference, ...]
) -> Change | None:
    content = bool(reasons)
    if not mode.startswith("keep") and seen.mode != mode:
        reasons.append(f"mode is {seen.mode}, expected {mode}")
    if owner != "-" and seen.owner != owner:
        reasons.append(f"owner is {seen.owner}, expected {owner}")
    return Change(path, tuple(reasons), content, differences) if reasons else None


def _accept(stack: Stack, seen: Snapshot) -> tuple[str, ...]:
    """The hashes for users.acl before any client is switched: the wanted one, then those that clients may still use."""
    if stack.own_redis:
        return (stack.password_hash,) if secret_file.to_accept(stack, seen) else ()
    if not stack.has_redis or seen.acl is UNKNOWN or seen.files is UNKNOWN:
        return ()
    loaded = () if seen.redis is UNKNOWN else seen.redis.hashes
    wanted = (stack.password_hash, *others(stack, seen))
    file = next(f for f in stack.secret_files(seen.acl or wanted) if f.path == ACL_PATH)
    intact = _file_change(file, seen.files.get(ACL_PATH, MISSING)) is None
    unloaded = bool(loaded) and stack.password_hash not in loaded
    return () if intact and stack.password_hash in seen.acl and not unloaded else wanted


def _locked_out(stack: Stack, seen: Snapshot) -> bool:
    """Whether redis takes no password that is on the host, though its ACL file has the wanted one."""
    nowhere = seen.redis is not UNKNOWN and seen.redis.nowhere
    return stack.has_redis and nowhere and seen.acl is not UNKNOWN and stack.password_hash in seen.acl


def _starts(stack: Stack, seen: Snapshot, written: set[str]) -> Iterator[tuple[str, str]]:
    if seen.applied is UNKNOWN or seen.files is UNKNOWN:
        return
    for service in stack.services:
        containers = seen.of(service.name)
        applied = seen.applied.services.get(service.name, {})
        env = seen.files.get(service.env_path, MISSING).sha256
        down = next((c for c in containers if not c.up), None)
        if not containers:
            yield service.name, "it has no container"
        elif down:
            yield service.name, f"its container is {down.state}{f' and {down.health}' if down.health else ''}"
        elif fragment_path(service.name) in written:
            yield service.name, "its fragment changes"
        elif service.reads_env and service.env_path in written:
            yield service.name, "its env file changes"
        elif service.reads_env and env != applied.get("env"):
            yield service.name, "its env file was changed since it was started"
        elif any(c.config_hash != applied.get("label") for c in containers):
            yield service.name, "it was started by something else"


def _removed(stack: Stack, seen: Snapshot) -> Iterator[str]:
    if seen.applied is UNKNOWN:
        return
    # one whose first start failed was written but never applied
    known = (*seen.applied.services, *(name for name in _stale_fragments(stack, seen) if seen.of(name)))
    wanted = {service.name for service in stack.services}
    yield from (name for name in dict.fromkeys(known) if name not in wanted and SERVICE_NAME.fullmatch(name))


def _stale_fragments(stack: Stack, seen: Snapshot) -> Iterator[str]:
    wanted = {service.name for service in stack.services}
    names = () if seen.fragments is UNKNOWN else seen.fragments
    # a name that is none would lead to a file that is not ours
    yield from (name for name in dict.fromkeys(names) if name not in wanted and SERVICE_NAME.fullmatch(name))
