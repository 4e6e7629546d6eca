"""A redis that ran before this library came: what keeps it from being taken over, and what that changes. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ...stack.snapshot import UNKNOWN, Snapshot
from ...stack.stack import Stack
from . import defined, moving, naming, tls
from .login import RedisLogin
from .seen import SeenNeighbour


def problems(redis: RedisLogin, stack: Stack, seen: Snapshot) -> Iterator[str]:
    """What a person must decide first; nothing is changed until then."""
    yield from naming.problems(redis, seen)
    yield from defined.problems(redis, stack, seen)
    yield from _image(redis, seen)
    yield from _server(redis, stack, seen)
    yield from moving.problems(redis, stack, seen)
    yield from _clients(redis, stack, seen)
    yield from tls.problems(redis, seen)


def sentences(redis: RedisLogin, stack: Stack, seen: Snapshot) -> Iterator[str]:
    """What becomes of a redis that runs already and was started by somebody else."""
    found = redis.redis(seen)
    if redis.local and redis.server != redis.entry:
        yield f"{redis.server}: is the {redis.entry} of this project"
    theirs = seen.own is not UNKNOWN and bool(seen.own.services)
    if redis.local and theirs and not (moving.of_project(redis, seen) or seen.of(redis.server)):
        yield f"{redis.server}: the project has none, so an empty one is added to it"
    if redis.local and found is not UNKNOWN and seen.of(redis.server):
        if found.place:
            yield f"{redis.server}: the password found in {found.place} stays accepted until every client has been verified"
        if not moving.on_volume(redis, stack, seen):
            how = moving.sentence(redis, seen)
            where = "the next one" if moving.of_project(redis, seen) else redis.data
            yield f"{redis.server}: its data goes from {found.directory} in its container to {where}; {how}"
        for one in _neighbours(redis, seen):
            if one.places:
                yield f"{redis.server}: {one} has its password in {', '.join(one.places)}, which nobody changes there"


def unmanaged(redis: RedisLogin, stack: Stack, seen: Snapshot) -> tuple[str, ...]:
    """Who is logged in to redis, of this project or of others, and whose password this stack does not manage."""
    found = redis.redis(seen)
    if found is UNKNOWN or seen.containers is UNKNOWN or not redis.here:
        return ()
    addresses = {client.address for client in found.clients}
    managed = {*stack.clients(redis.name), *redis.readers(stack, seen), redis.server}
    mine = sorted({one.service for one in seen.containers if addresses & set(one.addresses)} - managed)
    return (*mine, *(str(one) for one in _neighbours(redis, seen) if one.connected))


def _neighbours(redis: RedisLogin, seen: Snapshot) -> tuple[SeenNeighbour, ...]:
    answer = seen.answer(f"{redis.name}.neighbours")
    return () if answer is UNKNOWN else answer


def _image(redis: RedisLogin, seen: Snapshot) -> Iterator[str]:
    """An image whose name does not say how it starts must be on the host, and say so itself."""
    if not redis.local or redis.owner != "-" or redis.started(seen):
        return
    words, setting = seen.answer(f"{redis.name}.image"), f"{redis.entry}_image"
    image = redis.setting("image") or next((one.image for one in seen.of(redis.server)), "the project's own")
    if words is not UNKNOWN and words:
        yield (
            f"{setting}: {image} starts with `{' '.join(words)}`, as none of redis-stack, redis and valkey does. Nothing was "
            f"changed. Name one of these, or an image that is made from one; {redis.entry}_flavour says which for any other."
        )
    elif words is not UNKNOWN or (seen.engine is not UNKNOWN and not seen.exists(redis.acl_path)):
        yield (
            f"{setting}: {image} is not on this host, and its name does not say how it starts. Nothing was changed. Pull it there "
            f'(`docker pull {image}`), or set {redis.entry}_flavour to "stack" or "official".'
        )


def _server(redis: RedisLogin, stack: Stack, seen: Snapshot) -> Iterator[str]:
    root, name, containers, found = stack.settings.stack_dir, redis.server, seen.of(redis.server), redis.redis(seen)
    if seen.texts is UNKNOWN or redis.on_disk(seen) or not containers or not redis.here:  # or taken over by an earlier run
        return
    if found is UNKNOWN:
        if not seen.fragments and not any(one.up for one in containers):
            yield (
                f"{name}: its container is {containers[0].state}, so its password cannot be tried and its data cannot be saved. "
                f"Nothing was changed. Start it as it was (`docker compose up -d {name}` in {root}), then run again."
            )
        return
    if found.nowhere and not (redis.own and redis.in_place(seen)):  # then it only has to be restarted
        yield (
            f"{name}: accepts none of the passwords that were found: in {', '.join(stack.files)}, env/{redis.entry}.env "
            f"and all other Compose, env, conf and ACL files below {root} (--requirepass, REDIS_ARGS, REDIS_PASSWORD, URLs), in "
            f"secrets that are named after redis, and in Docker's description of its container. Nothing was changed. Put its "
            f"password as REDIS_PASSWORD into {root}/env/{redis.entry}.env, then run again."
        )
    if redis.own:
        overrides = seen.answer(f"{redis.name}.overrides")
        for service, variable in () if overrides is UNKNOWN else overrides:
            yield (
                f"{redis.entry}_password_file: {service} has {variable} in its environment, which overrides the secret. Nothing "
                f"was changed. Take it out of where the project sets it, run `docker compose up -d {service}` in {root}, then run "
                "again."
            )
        return
    if others := sorted(found.users.keys() - {"default"}):
        yield (
            f"{name}: has users besides `default` ({', '.join(others)}), which the stack's ACL file does not. Nothing was changed. "
            f"Leave {name} as the project defines it: {redis.entry}_password_file (docs/adopting.md)."
        )
    entry = seen.entries.get(redis.data, "")
    if entry and found.directory and not moving.of_project(redis, seen) and not moving.on_volume(redis, stack, seen):
        yield (
            f"{root}/{redis.data}: holds {entry}, but redis keeps its data in {found.directory}. Nothing was changed. "
            f"Move the folder away if what is in it is not needed (`mv {redis.data} {redis.data}.old`), then run again."
        )


def _clients(redis: RedisLogin, stack: Stack, seen: Snapshot) -> Iterator[str]:
    strangers, found = unmanaged(redis, stack, seen), redis.redis(seen)
    if not strangers or found is UNKNOWN or stack.settings.retire == "always":
        return
    names = f"{', '.join(strangers)} {'is' if len(strangers) == 1 else 'are'}"
    way = "Name it in `services` or `clients`, so that it gets the new one"
    if found.anonymous == "PONG" and redis.local:
        yield f"{redis.server}: {names} logged in without a password and would be refused. Nothing was changed. {way}."
    elif stack.settings.retire == "verified" and tls.CLOSES in tls.last(redis, seen):
        yield f"{redis.server}: {names} logged in without TLS and would be refused. Nothing was changed. {way}."
    elif stack.settings.retire == "verified" and set(found.logins) & set(redis.others(seen)):
        yield (
            f"{redis.server}: {names} logged in with a password that would be retired. Nothing was changed. {way}; or set "
            'retire = "when_unused", and the previous one stays accepted until nobody uses it, or "always".'
        )
