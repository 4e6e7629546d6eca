"""What separates a stack from a snapshot: a pure function, the same answer every time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from . import adoption, overlay, pins, ports
from .changes import Change, env_changes, file_change
from .credential import CredentialPlan, credentials_of
from .files import File
from .pins import ImageChange
from .settings import SERVICE_NAME
from .snapshot import UNKNOWN, SeenDefinition, SeenEngine, Snapshot, version
from .stack import OVERLAY, Stack, fragment_path
from .text import listed

MIN_COMPOSE = (2, 24, 4)  # the first that knows !override and !reset, with which a fragment takes what an existing file has out


class Action(NamedTuple):
    """Something that a run does to a host: what it does, to what, and where it matters with which part or value."""

    verb: str
    to: str
    part: str = ""

    def __str__(self) -> str:
        return f"{self.verb} {self.to}{f' ({self.part})' if self.part else ''}"


GONE = ("is no longer in the stack",)


@dataclass(frozen=True)
class Plan:
    """What is to be done on one host, in the order of `deploy.py`.

    + problems: why nothing may be done at all, as sentences
    + engine: what Docker lacks
    + images: those that are to be brought there
    + project: compose.yml, .env and fragments that differ
    + env: env files that differ
    + credentials: what is to be done about each
    + start: service → why its container is started or replaced
    + recheck: definitions may have changed: Compose must be asked
    + remove: services whose containers and fragments go
    + unlock: the run whose lock was left behind
    + adopt: what becomes of services that somebody else started, as sentences
    """

    problems: tuple[str, ...] = ()
    engine: tuple[str, ...] = ()
    images: tuple[ImageChange, ...] = ()
    project: tuple[Change, ...] = ()
    env: tuple[Change, ...] = ()
    credentials: tuple[CredentialPlan, ...] = ()
    start: tuple[tuple[str, str], ...] = ()
    recheck: bool = False
    remove: tuple[str, ...] = ()
    unlock: str = ""
    adopt: tuple[str, ...] = ()

    @property
    def accept(self) -> tuple[CredentialPlan, ...]:
        """The credentials of which a server is told something before clients are switched."""
        return tuple(one for one in self.credentials if one.accept or one.first)

    @property
    def retire(self) -> tuple[CredentialPlan, ...]:
        """Those of which one is told something when all clients have been verified, such as to refuse all but the desired one."""
        return tuple(one for one in self.credentials if one.retire or one.last)

    @property
    def secrets(self) -> tuple[Change, ...]:
        """Their files that differ."""
        return tuple(change for one in self.credentials for change in one.files)

    @property
    def readers(self) -> tuple[str, ...]:
        """Services that are recreated because their secret file changes."""
        return tuple(dict.fromkeys(name for one in self.credentials for name in one.readers))

    @property
    def restarts(self) -> tuple[CredentialPlan, ...]:
        """The credentials whose server is restarted."""
        return tuple(one for one in self.credentials if one.restarts)

    @property
    def files(self) -> tuple[Change, ...]:
        """Every file that will be written."""
        return (*self.project, *self.env, *self.secrets)

    @property
    def due(self) -> bool:
        """Whether anything is to be done."""
        changes = (
            self.engine
            or self.images
            or self.files
            or self.accept
            or self.start
            or self.remove
            or self.retire
            or self.readers
            or self.restarts
        )
        return bool(changes or self.recheck or self.unlock)

    @property
    def actions(self) -> frozenset[Action]:
        """What will be done, to be compared with what another plan for the same stack would do. Why, and in which words, does not
        count; nor does a file's new content, which is the stack's."""
        return frozenset(self._actions())

    def _actions(self) -> Iterator[Action]:
        yield from (Action("put right:", need) for need in self.engine)
        yield from (Action("bring", image.name, image.pin.shown if image.pin else "") for image in self.images)
        for change in self.files:
            yield Action("write", change.path, "mode and owner")
            if change.content:
                yield from (Action("write", change.path, one.key) for one in change.differences)
                yield Action("write", change.path)
        for one in self.credentials:
            yield from (Action("accept", f"{one.name}'s password", str(login)) for login in one.accept)
            yield from (Action("refuse", f"{one.name}'s password", str(login)) for login in one.refuse if one.retire)
            yield from (Action("tell", f"the server of {one.name}", what) for what in (*one.first, *one.last))
            if one.restarts:
                yield Action("restart", f"the server of {one.name}")
        yield from (Action("start", service) for service in (*dict(self.start), *self.readers))
        yield from (Action("remove", service) for service in self.remove)
        if self.recheck:
            yield Action("ask", "Compose which definitions changed")

    def sentences(self) -> Iterator[str]:
        """The plan for a person, a line each."""
        yield from self.problems
        if self.unlock:
            yield f"remove the lock of run {self.unlock}, which did not end"
        for one in self.credentials:
            yield from self._credential(one)
        yield from (f"adopt {sentence}" for sentence in self.adopt)
        for need in self.engine:
            yield f"engine: {need}"
        for image in self.images:
            yield f"image {image}"
        for change in self.project:
            yield f"write {change}" if change.reasons != GONE else f"remove {change}"
        for one in self.accept:
            if one.accept and not one.retire and not one.readers:
                yield f"have the server of {one.name} accept the desired password"
        for change in (*self.env, *self.secrets):
            yield f"write {change}"
        for service in self.remove:
            yield f"remove {service}: no longer in `services`"
        for service, reason in self.start:
            yield f"start {service}: {reason}"
        for service in self.readers:
            yield f"start {service}: its secret file changes"
        if self.recheck and not (self.start or self.readers):
            yield "ask Compose which definitions changed"

    def _credential(self, one: CredentialPlan) -> Iterator[str]:
        yield from one.effects
        if one.retire:
            switched = (*(service for service, _ in self.start), *one.readers)
            switch = f"switch {listed(switched)}" if switched else ""
            yield f"{one.name}: {', '.join(filter(None, ('accept' if one.accept else '', switch, 'retire')))}"
        yield from (f"{one.name}: its server {what} before clients are switched" for what in one.first)
        yield from (f"{one.name}: its server {what} when every client has been verified" for what in one.last)
        if one.restarts or (one.denied and (one.accept or one.retire)):
            why = (
                f"it does not let what it accepts be changed ({one.denied})"
                if one.denied
                else "it accepts no password that is on this host"
            )
            yield f"{one.name}: its server is restarted, which takes some seconds: {why}"
        if one.waiting and not one.retire:
            yield f"{one.name}: the previous password stays accepted, because {listed(one.waiting)} may use it"


def plan(stack: Stack, seen: Snapshot) -> Plan:
    """The plan for a host that shows `seen`."""
    problems = tuple(_problems(stack, seen))
    if problems or seen.files is UNKNOWN or seen.engine is UNKNOWN or seen.applied is UNKNOWN or seen.texts is UNKNOWN:
        return Plan(problems=problems)
    project = tuple(
        change
        for file in (*_base(stack, seen), *stack.fragments(_start_interval(seen), _own(seen)), stack.manifest())
        if (change := file_change(file, seen.file(file.path)))
    )
    project += tuple(env_changes(stack.dotenv, seen)) + tuple(_overlay(stack, seen))
    project += tuple(Change(fragment_path(name), GONE) for name in _stale_fragments(stack, seen))
    env = tuple(change for file in stack.env_files for change in env_changes(file, seen))
    written = {change.path for change in (*project, *env) if change.content}
    images = tuple(pins.changes(stack, seen))
    start = tuple(_starts(stack, seen, written, {service for one in images for service in one.services}))
    rewritten = any(change.content for change in project) or inputs_digest(stack, seen) != seen.applied.inputs
    return Plan(
        engine=tuple(engine_needs(seen.engine)),
        images=images,
        project=project,
        env=env,
        credentials=tuple(one.plan(stack, seen, [service for service, _ in start]) for one in credentials_of(stack)),
        start=start,
        # after a run that was killed: it may have left another actor at rest
        recheck=rewritten or (stack.settings.pull == "always" and pins.unpinned(stack, seen)) or bool(seen.left),
        remove=tuple(_removed(stack, seen)),
        adopt=tuple(adoption.sentences(stack, seen)),
        unlock=seen.left,
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
    for name, there in (("bash", engine.bash), ("curl", engine.curl), ("jq", engine.jq)):
        if not there:
            yield f"{name} is missing"


def unobserved(stack: Stack, seen: Snapshot) -> tuple[str, ...]:
    """The parts without which nothing may be planned, as far as they are missing on this host.

    A host whose Docker does not run has no containers to show, nor has one without the curl and jq to ask it with, and a
    server that does not run gives no answer.
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
    if seen.own is UNKNOWN and not adoption.unreadable(seen):
        parts.append("own")
    parts += [one.name for one in credentials_of(stack) if not one.observed(seen)]
    return tuple(parts)


def inputs_digest(stack: Stack, seen: Snapshot) -> str:
    """One digest over all files that Compose reads, as scripts/containers/up.sh computes it on the host."""
    lines = [f"{seen.file(path).sha256}  {path}\n" for path in stack.inputs()]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _start_interval(seen: Snapshot) -> bool:
    # where no engine answers yet, the one that will be installed is a current one
    return seen.engine is UNKNOWN or seen.engine.server is None or seen.engine.start_interval


def _problems(stack: Stack, seen: Snapshot) -> Iterator[str]:
    """What must be put right by a person before anything is touched."""
    if why := seen.met.get(""):
        yield f"The host could not be observed: {why}. Nothing is changed on a host that cannot be seen; run again with -vv."
        return
    if seen.engine is not UNKNOWN and seen.engine.podman:
        yield (
            "Podman answers in Docker's place on this host. It is not supported: what is done here relies on Docker Engine. "
            "Nothing was changed. Install Docker Engine, or let DOCKER_HOST of this login name its socket (unix:///…)."
        )
        return
    for part in unobserved(stack, seen):
        name = _PARTS.get(part, part)
        why = f" ({seen.met[part]})" if part in seen.met else ""
        yield f"{name}: could not be observed{why}. Nothing is changed on a host that cannot be seen; run again with -vv."
    if seen.files is UNKNOWN or seen.env is UNKNOWN:
        return
    root = stack.settings.stack_dir
    folders = {folder.path for folder in stack.folders()}
    for path in stack.managed_paths():
        file = seen.file(path)
        expected, words = ("dir", "folder") if path in folders else ("file", "regular file")
        if file.kind not in (expected, "missing"):
            yield (
                f"{root}/{path}: is a {_KINDS.get(file.kind, file.kind)}, expected a {words}. Nothing was changed. "
                "Move it away, or set stack_dir to another folder."
            )
    yield from adoption.problems(stack, seen)
    yield from ports.problems(stack, seen)
    if stack.settings.pull == "always":
        yield from (
            f"{image}: its registry was not asked which image that is now ({pin.why}). Nothing was changed. Look at `registries`, "
            f"or run without pull=always to keep {pin.shown}."
            for image, pin in stack.pins.items()
            if pin.why and image in stack.images(seen).values()
        )
    yield from _refused(stack, seen)
    for path, keys in seen.env.items():
        if keys is None:
            yield f"{root}/{path}: a quote is opened and never closed, so its keys cannot be told apart. Close it."


def _refused(stack: Stack, seen: Snapshot) -> Iterator[str]:
    """Keys with which a service would not be what the stack takes it for."""
    for service in stack.services:
        file, own = stack.env_file(service), _own(seen).get(service.name)
        there = {} if seen.env is UNKNOWN else seen.env.get(service.env_path) or {}
        for key, why in file.refused.items() if file else ():
            if key in there or (own and key in own.keys):
                yield f"{service.name}: has {key}. {why} Nothing was changed."


_PARTS = {"own": "the project's own Compose files"}
_KINDS = {"dir": "folder", "symlink": "symbolic link (or lies behind one)", "denied": "path that may not be read"}


def _base(stack: Stack, seen: Snapshot) -> tuple[File, ...]:
    # an existing one is somebody else's
    return tuple(file for file in stack.base() if not seen.exists(file.path))


def _own(seen: Snapshot) -> Mapping[str, SeenDefinition]:
    return {} if seen.own is UNKNOWN else seen.own.services


def _overlay(stack: Stack, seen: Snapshot) -> Iterator[Change]:
    """It is made from the project's own files, so it must not be older than they are."""
    made = seen.file(OVERLAY)
    if made.kind == "missing":
        yield Change(OVERLAY, ("is missing",))
    elif newer := [path for path in (*stack.files, *_dotenv(seen)) if seen.file(path).changed > made.changed]:
        yield Change(OVERLAY, (f"{newer[0]} was changed after it was made",))


def _dotenv(seen: Snapshot) -> tuple[str, ...]:
    return (".env",) if _own(seen) else ()


def _starts(stack: Stack, seen: Snapshot, written: set[str], brought: set[str]) -> Iterator[tuple[str, str]]:
    if seen.applied is UNKNOWN or seen.files is UNKNOWN:
        return
    another = pins.another(stack, seen)
    for service in stack.services:
        containers = seen.of(service.name)
        applied = seen.applied.services.get(service.name, {})
        env = seen.file(service.env_path).sha256
        down = next((c for c in containers if not c.up), None)
        if not containers:
            yield service.name, "it has no container"
        elif down:
            yield service.name, f"its container is {down.state}{f' and {down.health}' if down.health else ''}"
        elif service.name in brought:
            yield service.name, "its image changes"
        elif service.name in another:
            yield service.name, f"it runs another image than {another[service.name]}"
        elif service.name in _own(seen) and overlay.leaves(service, stack.settings):
            continue
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
