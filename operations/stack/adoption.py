"""A host on which the stack ran before this library came: what keeps it from being taken over, and what that changes. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from .credential import credentials_of
from .env_file import line
from .settings import Settings
from .snapshot import UNKNOWN, SeenContainer, Snapshot
from .stack import BASE, Stack

OTHER_BASES = ("docker-compose.yml", "docker-compose.yaml", "compose.yaml")  # what Compose looks for where there is no compose.yml


def problems(stack: Stack, seen: Snapshot) -> Iterator[str]:
    """What a person must decide first; nothing is changed until then."""
    yield from _project_problems(stack, seen)
    for credential in credentials_of(stack):
        yield from credential.problems(stack, seen)


def sentences(stack: Stack, seen: Snapshot) -> Iterator[str]:
    """What becomes of the services that run already and were started by somebody else."""
    if seen.fragments:  # UNKNOWN, or written by an earlier run
        return
    for credential in credentials_of(stack):
        yield from credential.adopted(stack, seen)
    for service in stack.services:
        for container in seen.of(service.name):
            yield from _differences(stack, service.name, container)


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


def _differences(stack: Stack, service: str, container: SeenContainer) -> Iterator[str]:
    """What the fragment changes of a running service that its users might notice."""
    variable = service.upper().replace("-", "_")
    values = stack.variables.get(service, {})
    image = values.get(f"{variable}_IMAGE")
    if image and container.image and container.image != image:
        yield f"{service}: image {container.image} becomes {image} ({variable.lower()}_image)"
    port = f"{values.get(f'{variable}_BIND')}:{values.get(f'{variable}_PORT')}"
    if f"{variable}_BIND" in values and port not in container.ports:
        before = " and ".join(container.ports) or "no port of the host"
        yield f"{service}: published on {before}, now on {port} (bind_address, {variable.lower()}_port)"
