"""A host on which the stack ran before this library came: what keeps it from being taken over, and what that changes. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase

from . import overlay
from .credential import credentials_of
from .env_file import line
from .settings import Settings
from .snapshot import UNKNOWN, Difference, SeenOwn, Snapshot
from .stack import BASE, Stack

OTHER_BASES = ("docker-compose.yml", "docker-compose.yaml", "compose.yaml")  # what Compose looks for where there is no compose.yml


def problems(stack: Stack, seen: Snapshot) -> Iterator[str]:
    """What a person must decide first; nothing is changed until then."""
    yield from _project_problems(stack, seen)
    if seen.own is not UNKNOWN:
        yield from _own_problems(stack, seen.own)
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


def _own_problems(stack: Stack, own: SeenOwn) -> Iterator[str]:
    root = stack.settings.stack_dir
    if own.refused:
        yield f"{root}: the project's own files cannot be merged with what its services need: {own.refused}. Nothing was changed."
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
        yield from overlay.unasked(service, file.offered if file else (), stack.settings, of_it)


def _told(one: Difference) -> str:
    before, after = (value or "nothing" for value in (one.before, one.after))
    return f"{one.service or 'the project'}: {one.path} would change from {before} to {after}"


def own_compose_file(settings: Settings) -> str:
    """The line of .env with which the project reads its own files alone."""
    return line("COMPOSE_FILE", ":".join(settings.compose_files))


def _project_problems(stack: Stack, seen: Snapshot) -> Iterator[str]:
    settings = stack.settings
    for path in settings.compose_files:
        if path != BASE and seen.file(path).kind == "missing":
            yield f"compose_files: {settings.stack_dir}/{path} is missing. Correct the setting, or stack_dir."
    for other in seen.bases:
        if settings.compose_files == (BASE,) and seen.file(BASE).kind == "missing":
            yield (
                f"{settings.stack_dir}: there is a {other} and no compose.yml. Nothing was changed. "
                f'Name it: compose_files = ("{other}",).'
            )
    keys = ({} if seen.env is UNKNOWN else seen.env.get(".env")) or {}
    # the desired one is an earlier run's, whose list of fragments was lost
    known = ("", hashlib.sha256(own_compose_file(settings).encode()).hexdigest(), stack.dotenv.hashes["COMPOSE_FILE"])
    if not seen.fragments and keys.get("COMPOSE_FILE", "") not in known:
        yield (
            f"{settings.stack_dir}/.env: COMPOSE_FILE names other files than compose_files ({':'.join(settings.compose_files)}). "
            "Nothing was changed. Set compose_files to what stands there, so that the project keeps them."
        )
    for name in seen.projects:
        yield (
            f"{settings.stack_dir}: the Compose project {name} runs from this folder, and stack_name is {settings.stack_name!r}. "
            f"Nothing was changed. Set stack_name to {name!r}, or stack_dir to another folder."
        )
