"""The Compose project on a host: its files, and its services brought up in the order of their dependencies."""

from __future__ import annotations

import json
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from typing import Any

from pyinfra import host
from pyinfra.api import QuoteString, StringCommand
from pyinfra.api.command import PyinfraCommand

from . import scripts
from .controller.failure import fail, operation
from .controller.files import put_list
from .controller.host_plan import HostPlan
from .controller.observe import plan_host
from .controller.progress import waiting
from .facts.engine import Engine
from .facts.project import Project
from .stack.credential import Credential, credentials_of
from .stack.files import ManagedFile
from .stack.graph import tiers
from .stack.plan import Plan
from .stack.snapshot import UNKNOWN, SeenProject, Snapshot
from .stack.stack import OVERLAY, Stack


@operation()
def project(planned: HostPlan | None = None) -> Generator[StringCommand, None, None]:
    """compose.yml where there is none, .env and the fragments. Compose must accept them merged before anything is replaced.

    + planned: what is to be done on the host; observed and planned when left out
    """
    planned = planned or plan_host()
    stack, seen = planned.stack, planned.seen
    changes = {change.path for change in planned.plan.project}
    if not changes:
        host.noop("compose.yml, .env and fragments are as desired")
        return
    # the engine may have been installed since the snapshot
    engine = host.get_fact(Engine, _ignore_errors=True) if seen.engine is UNKNOWN or seen.engine.server is None else seen.engine
    own = {} if seen.own is UNKNOWN else seen.own.services
    fragments = stack.fragments(engine is UNKNOWN or engine.start_interval, own)
    base = [file for file in stack.base() if file.path in changes]
    written: list[ManagedFile] = [*base, stack.dotenv, *fragments, stack.manifest()]
    stale = changes - {file.path for file in written} - {OVERLAY}
    yield scripts.run(
        "project/write",
        root=stack.settings.stack_dir,
        files=put_list(written, sorted(stale)),
        compose_files=stack.files,
        env_files=list(dict.fromkeys(one.env_path for one in stack.services if one.reads_env)),
        overlays=json.dumps(stack.overlays(own)),
    )


@operation()
def up(planned: HostPlan | None = None) -> Generator[PyinfraCommand, None, None]:
    """The stack's services run, each after those that it depends on is healthy; only what changed is recreated.

    + planned: what is to be done on the host, as it was before its files were written; observed and planned when left out

    On failure the error holds the service, its state, its last health output and its last log lines, with secrets masked.
    """
    planned = planned or plan_host()
    stack, seen, due = planned.stack, planned.seen, planned.plan
    if not (due.start or due.recheck or due.remove or due.readers or due.restarts):
        host.noop("every service runs as it is defined")
        return
    if not host.state.is_executing:
        # a preview: the files that Compose would be asked about are not written yet
        yield StringCommand(
            "docker", "compose", "up", *(QuoteString(service) for service in (*(name for name, _ in due.start), *due.readers))
        )
        return
    yield from start(stack, seen, due, known=None if due.recheck else seen.project)


def start(
    stack: Stack,
    seen: Snapshot,
    due: Plan,
    back: Sequence[str] = (),
    came: Sequence[str] = (),
    known: SeenProject | None = None,
) -> Generator[PyinfraCommand, None, None]:
    """Start what is due, and what Compose finds to be defined otherwise than when it was last started.

    + back: services of the project that the stack no longer has, and that are started all the same
    + came: services that go without a trace of them in the project; an env file stays: it may have been there before them
    + known: what Compose said of the project before this run, if that holds; else it is asked
    """
    found = known or host.get_fact(Project, root=stack.settings.stack_dir, _ignore_errors=True)
    if found is UNKNOWN:
        yield fail(f"{stack.settings.stack_dir}: Compose could not read the project; it says why in the lines above.")
        return
    if absent := [name for name in (*(service.name for service in stack.services), *due.readers) if name not in found.definitions]:
        yield fail(
            f"{stack.settings.stack_dir}: the merged project has no {' and no '.join(absent)}. Look for `profiles` in its files "
            "that take it out, for another COMPOSE_FILE in the environment, or for a container that a previous service left."
        )
        return
    reasons = dict(due.start)
    # a reader logs in with what a server accepts that was restarted, whether it says that it needs it or not
    again = {one.name for one in due.restarts}
    restarted = tuple(one.server for one in credentials_of(stack) if one.name in again)
    needs = {**found.needs, **{name: (*found.needs.get(name, ()), *restarted) for name in due.readers}}
    tiered = tiers(needs, [*_to_start(stack, seen, due, found), *back, *due.readers, *restarted])
    starting = [name for tier in tiered for name in tier]
    env = {service.name: service.env_path for service in stack.services}
    services = {name: {"definition": found.definitions[name], "file": env.get(name, f"env/{name}.env")} for name in (*env, *back)}
    settings, doubt = stack.settings, _doubtful(seen, found, starting)
    gone = [name for name in due.remove if name not in found.definitions]
    with waiting(", ".join(starting) or "Compose"):
        yield scripts.run(
            "containers/up",
            root=settings.stack_dir,
            project=settings.stack_name,
            seconds=settings.start_timeout,
            pull=stack.compose_pull,
            removed=[*gone, *came],
            removed_files=[f"env/{name}.env" for name in gone],
            tiers=[" ".join(tier) for tier in tiered],
            rolling=[f"{one.name}={one.replicas}" for one in stack.services if one.rolling and one.name in reasons],
            recreate=due.readers,
            restart=restarted,
            resting=[name for name in stack.resting if name not in starting],
            doubt=doubt,
            starter=found.starter,
            before=_at_servers((one, one.before_replacing(stack, seen, doubt)) for one in credentials_of(stack)),
            after=_at_servers((one, one.after_starting(stack, seen)) for one in credentials_of(stack)),
            inputs=stack.inputs(),
            # what was known before this run goes with the files as they were then
            digest=seen.applied.inputs if known and seen.applied is not UNKNOWN else "",
            described=json.dumps(found.to_json()),
            own=json.dumps(_own(stack, seen)),
            version="" if seen.engine is UNKNOWN else seen.engine.compose or "",
            services=json.dumps(services),
            masks="\n".join(stack.secrets),
        )


def _own(stack: Stack, seen: Snapshot) -> Mapping[str, Any] | None:
    """What is noted of the project's own files, so that Compose is not asked about them again while they are the same."""
    if seen.own is UNKNOWN or seen.own.refused:
        return None
    there = {path: seen.file(path).sha256 for path in stack.files if seen.exists(path)}
    services = {name: one.to_json() | {"urls": {}} for name, one in seen.own.services.items()}
    return {"files": there, "services": services} if services else None


def _doubtful(seen: Snapshot, found: SeenProject, starting: Collection[str]) -> bool:
    """Whether something that is not to be started, but that one of these services depends on, may not be as it is defined now.

    Compose's hash of a definition leaves its env files out, those of running containers have them in: then one cannot tell.
    """
    needed, rest = set[str](), list(starting)
    while rest:
        new = [name for name in found.needs.get(rest.pop(), ()) if name not in needed]
        needed.update(new)
        rest += new
    others = [(name, one) for name in needed.difference(starting) for one in seen.of(name)]
    # Docker tells an image by its digest alone when its name has gone to another one, which Compose would take
    return any(one.config_hash != found.definitions.get(name) or one.image.startswith("sha256:") for name, one in others)


def _at_servers(commands: Iterable[tuple[Credential, str]]) -> str:
    """What is to be run only where the server of a credential is among the services that start, each a line of shell."""
    return "\n".join(f'case " $plain " in *" {one.server} "*) {command} || exit 1 ;; esac' for one, command in commands if command)


def _to_start(stack: Stack, seen: Snapshot, due: Plan, found: SeenProject) -> list[str]:
    applied: Mapping[str, Mapping[str, str]] = {} if seen.applied is UNKNOWN else seen.applied.services
    planned, images = {service for service, _ in due.start}, stack.images(seen)
    return [
        service.name
        for service in stack.services
        if service.name in planned
        or (stack.settings.pull == "always" and images.get(service.name) not in stack.pins)
        or applied.get(service.name, {}).get("definition") != found.definitions[service.name]
    ]
