"""What in a project's own definitions would keep its redis from being reached, told or started. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...stack.snapshot import UNKNOWN, SeenDefinition, Snapshot
from ...stack.stack import Stack
from ...stack.text import listed

if TYPE_CHECKING:
    from .login import RedisLogin

KNOWN_USERS = {"": "", "root": "0:0"}  # that a project may name → uid:gid; that of the image goes without saying
_OF_IMAGE = {"redis", "valkey"}
_NUMBERS = re.compile(r"\d{1,9}(:\d{1,9})?")


def owner(definition: SeenDefinition | None) -> str | None:
    """Who its redis runs as (uid:gid) where the project says so; "" where the image does, None where that cannot be told."""
    user = definition.user if definition else ""
    if _NUMBERS.fullmatch(user):
        return user if ":" in user else f"{user}:{user}"
    return "" if user.partition(":")[0] in _OF_IMAGE else KNOWN_USERS.get(user.partition(":")[0])


def problems(redis: RedisLogin, stack: Stack, seen: Snapshot) -> Iterator[str]:
    own = {} if seen.own is UNKNOWN else seen.own.services
    mine, name = own.get(redis.server), redis.server
    if mine is None or not redis.local:
        return
    if owner(mine) is None:
        yield (
            f"{name}: runs as {mine.user}, and only its image knows who that is, so its files cannot be given to it. Nothing was "
            'changed. Write its numbers into the files of the project (user: "1000:1000"), then run again.'
        )
    if mine.network not in ("", "host"):
        yield (
            f"{name}: has network_mode {mine.network}, so it has no address of its own to be asked at. Nothing was changed. Give "
            "it a network in the project's files, then run again."
        )
    found = redis.redis(seen)
    if found is not UNKNOWN and found.renamed:
        yield (
            f"{name}: does not know {listed(found.renamed)}, which it has to be asked and told with: it is older than Redis "
            "6, or rename-command in its configuration takes that away. Nothing was changed. Mend that and start it, then run "
            "again."
        )
    for service in stack.services:
        path, shared = service.env_path, own.get(service.name, SeenDefinition()).network
        file = next((one for one in stack.env_files if one.path == path and service.name in stack.clients(redis.name)), None)
        if file is None or not (shared == "host" or mine.network == "host"):
            continue
        if keys := [key for key, line in file.lines.items() if re.search(rf"[@=/]\"?{re.escape(name)}(:\d|\"?$)", line)]:
            where = "shares the host's network" if shared == "host" else f"is not in the network of {name}"
            yield (
                f"{service.name}: {where}, so it does not know {name} by the name that {', '.join(keys)} would have. Nothing was "
                f"changed. Write where it reaches it into {path} (such as {keys[0]}=redis://127.0.0.1:6379/0), then run again."
            )
