"""A host on which the stack ran before this library came: what keeps it from being taken over, and what that changes. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from .env_file import line
from .secret_file import in_place, readers
from .settings import Settings, flavour_of
from .snapshot import MISSING, UNKNOWN, SeenContainer, Snapshot
from .stack import BASE, Stack

DATA = "data/redis"
OTHER_BASES = ("docker-compose.yml", "docker-compose.yaml", "compose.yaml")  # what Compose looks for where there is no compose.yml


def problems(stack: Stack, seen: Snapshot) -> Iterator[str]:
    """What a person must decide first; nothing is changed until then."""
    yield from _project_problems(stack, seen)
    yield from _redis_problems(stack, seen)
    yield from _client_problems(stack, seen)


def sentences(stack: Stack, seen: Snapshot) -> Iterator[str]:
    """What becomes of the services that run already and were started by somebody else."""
    if seen.fragments:  # UNKNOWN, or written by an earlier run
        return
    redis = seen.redis
    if stack.has_redis and redis is not UNKNOWN and seen.of("redis"):
        if redis.former:
            yield f"redis: the password found in {redis.former} stays accepted until every client has been verified"
        if not on_volume(stack, seen):
            yield f"redis: its data goes from {redis.directory} in its container to {DATA}; writes wait, then it restarts once"
    for service in stack.services:
        for container in seen.of(service.name):
            yield from _differences(stack, service.name, container)


def on_volume(stack: Stack, seen: Snapshot) -> bool:
    """Whether redis keeps its data where the stack wants it, so that it outlives the container."""
    source = next((one.mounts.get("/data", "") for one in seen.of("redis")), "")
    return seen.redis is not UNKNOWN and seen.redis.directory == "/data" and source == stack.path(DATA)


def unmanaged(stack: Stack, seen: Snapshot) -> tuple[str, ...]:
    """The services of the project that are logged in to its redis, and whose password is none of this stack's business."""
    if seen.redis is UNKNOWN or seen.containers is UNKNOWN or not (stack.has_redis or stack.own_redis):
        return ()
    addresses = {client.address for client in seen.redis.clients}
    managed = {*stack.clients(), *readers(stack, seen), "redis"}
    return tuple(sorted({one.service for one in seen.containers if addresses & set(one.addresses)} - managed))


def own_compose_file(settings: Settings) -> str:
    """The line of .env with which the project reads its own files alone."""
    return line("COMPOSE_FILE", ":".join(settings.compose_files))


def _project_problems(stack: Stack, seen: Snapshot) -> Iterator[str]:
    settings, files = stack.settings, {} if seen.files is UNKNOWN else seen.files
    for path in settings.compose_files:
        if path != BASE and files.get(path, MISSING).kind == "missing":
            yield f"compose_files: {settings.stack_dir}/{path} is missing. Correct the setting, or stack_dir."
    for other in seen.bases:
        if settings.compose_files == (BASE,) and files.get(BASE, MISSING).kind == "missing":
            yield (
                f"{settings.stack_dir}: there is a {other} and no compose.yml. Nothing was changed. "
                f'Name it: compose_files = ("{other}",).'
            )
    keys = ({} if seen.env is UNKNOWN else seen.env.get(".env")) or {}
    # the wanted one is an earlier run's, whose list of fragments was lost
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


def _redis_problems(stack: Stack, seen: Snapshot) -> Iterator[str]:
    root, containers = stack.settings.stack_dir, seen.of("redis")
    if seen.acl or not containers or not (stack.has_redis or stack.own_redis):  # UNKNOWN, or taken over by an earlier run
        return
    if seen.redis is UNKNOWN:
        if not seen.fragments and not any(one.up for one in containers):
            yield (
                f"redis: its container is {containers[0].state}, so its password cannot be tried and its data not be saved. "
                f"Nothing was changed. Start it as it was (`docker compose up -d redis` in {root}), then run again."
            )
        return
    if seen.redis.nowhere and not (stack.own_redis and in_place(stack, seen)):  # then it only has to be started anew
        yield (
            f"redis: accepts none of the passwords that were found: in {', '.join(stack.settings.compose_files)}, env/redis.env "
            f"and all other Compose, env, conf and ACL files below {root} (--requirepass, REDIS_ARGS, REDIS_PASSWORD, URLs), in "
            f"secrets, and in Docker's description of its container. Nothing was changed. Put its password as REDIS_PASSWORD into "
            f"{root}/env/redis.env, then run again."
        )
    if stack.own_redis:
        for service, name in seen.beaten:
            yield (
                f"redis_password_file: {service} has {name} in its environment, which beats the secret. Nothing was changed. "
                f"Take it out of where the project sets it, run `docker compose up -d {service}` in {root}, then run again."
            )
        return
    settings, flavour = stack.settings, flavour_of(containers[0].image)
    if settings.redis_image is None and flavour not in (None, settings.flavour):
        yield f"redis_flavour: the project's image {containers[0].image} is started as {flavour!r}. Set redis_flavour to that."
    if others := sorted(seen.redis.users.keys() - {"default"}):
        yield (
            f"redis: has users besides `default` ({', '.join(others)}), which the stack's ACL file does not. Nothing was changed. "
            "Leave redis as the project defines it: redis_password_file (docs/adopting.md)."
        )
    if seen.volume and seen.redis.directory and not on_volume(stack, seen):
        yield (
            f"{root}/{DATA}: holds {seen.volume}, but redis keeps its data in {seen.redis.directory}. "
            f"Nothing was changed. Move the folder away if what is in it is not wanted (`mv {DATA} {DATA}.old`), then run again."
        )


def _client_problems(stack: Stack, seen: Snapshot) -> Iterator[str]:
    strangers, redis = unmanaged(stack, seen), seen.redis
    if not strangers or redis is UNKNOWN or stack.settings.retire == "always":
        return
    names = f"{', '.join(strangers)} {'is' if len(strangers) == 1 else 'are'}"
    way = "Name it in `services` or redis_clients, so that it gets the new one"
    if redis.anonymous == "PONG" and stack.has_redis:
        yield f"redis: {names} logged in without a password and would be refused. Nothing was changed. {way}."
    elif stack.settings.retire == "verified" and set(redis.hashes) - {stack.password_hash}:
        yield (
            f"redis: {names} logged in with a password that would be retired. Nothing was changed. {way}; or set retire = "
            '"when_unused", and the former one stays accepted until nobody uses it, or "always".'
        )


def _differences(stack: Stack, service: str, container: SeenContainer) -> Iterator[str]:
    """What the fragment changes of a running service that its users might notice."""
    variable = service.upper().replace("-", "_")
    values = {key: line.partition("=")[2] for key, line in stack.dotenv.lines.items()}
    image = values.get(f"{variable}_IMAGE")
    if image and container.image and container.image != image:
        yield f"{service}: image {container.image} becomes {image} ({variable.lower()}_image)"
    port = f"{values.get(f'{variable}_BIND')}:{values.get(f'{variable}_PORT')}"
    if f"{variable}_BIND" in values and port not in container.ports:
        before = " and ".join(container.ports) or "no port of the host"
        yield f"{service}: published on {before}, now on {port} (bind_address, {variable.lower()}_port)"
