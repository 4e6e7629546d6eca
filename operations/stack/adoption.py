"""A host on which the stack ran before this library came: what keeps it from being taken over, and what that changes. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase

from . import overlay
from .credential import credentials_of
from .settings import inside_problems
from .snapshot import UNKNOWN, Difference, SeenOwn, Snapshot, places
from .stack import BASE, Stack


def problems(stack: Stack, seen: Snapshot) -> Iterator[str]:
    """What a person must decide first; nothing is changed until then."""
    yield from _project_problems(stack, seen)
    if seen.own is not UNKNOWN:
        yield from _own_problems(stack, seen.own)
    elif missing := unreadable(seen):
        yield (
            f"{stack.settings.stack_dir}: has Compose files of its own, and {' and '.join(missing)} to read them with is missing. "
            "Nothing was changed. Install it, start the project, then run again."
        )
    for credential in credentials_of(stack):
        yield from credential.problems(stack, seen)


def sentences(stack: Stack, seen: Snapshot) -> Iterator[str]:
    """What becomes of the services that run already and were started by somebody else."""
    if seen.own is not UNKNOWN and seen.own.differences:
        unasked = set(_unasked(stack, seen.own.differences))
        for service in stack.services:
            if changed := [one.path for one in seen.own.differences if one.service == service.name and one not in unasked]:
                yield f"{service.name}: all of its definition stays but {', '.join(changed)}"
        yield from (f"{_told(one)} (adopt_changes)" for one in sorted(unasked, key=str))
    if seen.fragments:  # UNKNOWN, or written by an earlier run
        return
    for credential in credentials_of(stack):
        yield from credential.adopted(stack, seen)
    if seen.literals is not UNKNOWN and (left := places(one for one in seen.literals if one.previous)):
        yield f"a password that opens nothing afterwards stays written out in {left}"


def _own_problems(stack: Stack, own: SeenOwn) -> Iterator[str]:
    root = stack.settings.stack_dir
    if own.refused:
        yield f"{root}: the project's own files cannot be merged with what its services need: {own.refused}. Nothing was changed."
    for service in stack.services:
        if service.name in own.services and (profiles := own.services[service.name].profiles):
            yield (
                f"{service.name}: is in the profile {' and in '.join(profiles)}, which is not active in {root}, so it is not part "
                f"of the project there. Nothing was changed. Put COMPOSE_PROFILES={profiles[0]} into {root}/.env, then run again."
            )
    for one in _unasked(stack, own.differences or ()):
        if not any(fnmatchcase(f"{one.service}.{one.path}", pattern) for pattern in stack.settings.adopt_changes):
            yield (
                f"{_told(one)}. No setting asks for that. Nothing was changed. Where it is meant, name it: "
                f'adopt_changes = ("{one.service}.{one.path}",).'
            )


def _unasked(stack: Stack, found: Collection[Difference]) -> Iterator[Difference]:
    services = {service.name: service for service in stack.services}
    for name in dict.fromkeys(one.service for one in found):
        service = services.get(name)
        file = stack.env_file(service) if service else None
        of_it = [one for one in found if one.service == name]
        yield from overlay.unasked(service, file.offered if file else (), stack.settings, of_it, stack.dotenv.lines)


def _told(one: Difference) -> str:
    before, after = (value or "nothing" for value in (one.before, one.after))
    return f"{one.service or 'the project'}: {one.path} would change from {before} to {after}"


def unreadable(seen: Snapshot) -> tuple[str, ...]:
    """What is missing on a host to read a project's own files with."""
    if seen.engine is UNKNOWN:
        return ()
    return tuple(filter(None, ("" if seen.engine.compose else "Compose", "" if seen.engine.jq else "jq")))


def files(stack: Stack, seen: Snapshot) -> tuple[str, ...]:
    """The project's own Compose files: those that a setting names, else those that it runs with."""
    if stack.settings.compose_files or not seen.started_with or _outside(seen.started_with):
        return stack.files
    return seen.started_with


def told(stack: Stack, seen: Snapshot) -> Mapping[str, str]:
    """Settings that the host tells where the operator does not."""
    return {name: value for one in credentials_of(stack) for name, value in one.told(seen).items()}


def _outside(paths: Collection[str]) -> list[str]:
    return [path for path in paths if any(inside_problems("", path))]


def _project_problems(stack: Stack, seen: Snapshot) -> Iterator[str]:
    settings = stack.settings
    for path in settings.compose_files:
        if path != BASE and seen.file(path).kind == "missing":
            yield f"compose_files: {settings.stack_dir}/{path} is missing. Correct the setting, or stack_dir."
    theirs = seen.started_with
    if outside := _outside(theirs):
        yield (
            f"{settings.stack_dir}: the project runs with {', '.join(outside)}, which is no plain path in that folder. Nothing was "
            "changed. Move it there, start the project with it, then run again."
        )
    elif settings.compose_files and theirs and theirs != settings.compose_files:
        yield (
            f"{settings.stack_dir}: the project runs with {', '.join(theirs)}, and compose_files names "
            f"{', '.join(settings.compose_files)}. Nothing was changed. Leave the setting out, or name the same."
        )
    for name in seen.projects:
        yield (
            f"{settings.stack_dir}: the Compose project {name} runs from this folder, and stack_name is {settings.stack_name!r}. "
            f"Nothing was changed. Set stack_name to {name!r}, or stack_dir to another folder."
        )
