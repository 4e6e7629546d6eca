"""The rules for redis' settings that can be checked without a host."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ... import COMMAND
from ...stack.settings import Settings, inside_problems, is_address
from . import tls

# how the images of redis' own makers are started: https://hub.docker.com/r/redis/redis-stack, _/redis, r/valkey/valkey
KNOWN = {
    "redis/redis-stack": "stack",
    "redis/redis-stack-server": "stack",
    "redis": "official",
    "valkey/valkey": "official",
}
# the programs that they are started with, which tell any other image that is made like one of them
STARTS = {
    ("entrypoint.sh",): "stack",
    ("docker-entrypoint.sh", "redis-server"): "official",
    ("docker-entrypoint.sh", "valkey-server"): "official",
}
# uid:gid that redis runs as: redis-stack stays root, the official images become their user 999
OWNERS = {"stack": "0:0", "official": "999:999"}
WAYS = ("replication", "copy")  # how data is moved
# options of redis that this library sets itself → the setting that says how, if there is one
MANAGED = {
    "save": "redis_save", "appendonly": "redis_appendonly", "maxmemory-policy": "redis_maxmemory_policy",
    "loglevel": "redis_loglevel", "port": "redis_port", "requirepass": "redis_password", "aclfile": "redis_users",
    "user": "redis_users", "dir": "", "include": "", "daemonize": "", "bind": "redis_publish", "rename-command": "redis_users",
}  # fmt: skip


def flavour(settings: Settings, server: str = "redis") -> str | None:
    """How the image of a service is started: as set, or by its whole name; None where the image itself must be asked."""
    found: str | None = settings.of(server, "flavour")
    return found or made_as(settings.of(server, "image") or "")


def made_as(image: str) -> str | None:
    """How the makers' own image of this name is started; None for any other."""
    return KNOWN.get(_name(image))


def _name(image: str) -> str:
    """The name that Docker Hub has it by, without its tag; another registry's image may be anything."""
    folder, slash, name = image.partition("@")[0].removeprefix("docker.io/").removeprefix("library/").rpartition("/")
    return f"{folder}{slash}{name.partition(':')[0]}"


def problems(settings: Settings) -> Iterator[str]:
    publish, host, password_file = settings.redis_publish, settings.redis_host, settings.redis_password_file
    if publish is not None and not (is_address(publish) and not ipaddress.ip_address(publish).is_unspecified):
        yield f"redis_publish: {publish!r} is no address of one interface. Expected one such as 10.0.0.5, or None."
    elif publish and settings.redis_tls is None and not ipaddress.ip_address(publish).is_loopback:
        yield (
            f"redis_publish: redis would be reached at {publish} without TLS, so passwords and data could be read on the way. "
            f'Set redis_tls = "on", for which `{COMMAND} tls init` makes what it needs, or "off" where that is meant.'
        )
    if settings.redis_tls not in tls.VALUES:
        yield f'redis_tls: is {settings.redis_tls!r}, expected one of "off", "optional", "on" or None.'
    service = settings.redis_service
    if service is not None and service != "redis" and service in (*settings.services, *settings.clients):
        yield f"redis_service: {service} is in `services` or `clients` already. Name the service that is redis."
    if host is not None and "redis" in settings.services:
        yield f"redis_host: names {host!r}, but this host runs a redis of its own. Take redis out of `services`."
    if settings.redis_flavour not in (None, *OWNERS):
        yield f'redis_flavour: is {settings.redis_flavour!r}, expected one of "stack", "official" or None.'
    if settings.redis_move not in WAYS:
        yield f'redis_move: is {settings.redis_move!r}, expected "replication" or "copy".'
    for name in ("redis_maxmemory_policy", "redis_loglevel"):
        if not re.fullmatch(r"[a-z-]+", getattr(settings, name)):
            yield f"{name}: {getattr(settings, name)!r} is not a word that redis knows; see its configuration reference."
    if not re.fullmatch(r"(\d+ \d+( \d+ \d+)*)?", settings.redis_save):
        yield (
            f'redis_save: {settings.redis_save!r} is no list of "seconds changes" pairs. Expected one such as "3600 1 300 100", '
            'or "" for none.'
        )
    yield from _config_problems(settings.redis_config)
    if password_file is not None:
        yield from inside_problems("redis_password_file", password_file)
        if "redis" in settings.services:
            yield "redis_password_file: is for a redis that the project defines itself. Take redis out of `services`."
        if settings.redis_tls in tls.USED:
            yield "redis_password_file: is for a redis whose TLS is the project's own affair. Set redis_tls to None."
        if host:
            yield "redis_password_file: this host uses the redis of redis_host. Set one of the two to None."
    for service, number in settings.redis_dbs.items():
        if not isinstance(number, int) or isinstance(number, bool):
            yield f"redis_dbs: {service}: is {number!r}, expected a whole number."
        elif number < 0:
            yield f"redis_dbs: {service}: is {number}, expected 0 or more."
    if not re.fullmatch(r"[^\s:,]+", settings.redis_user):
        yield f"redis_user: {settings.redis_user!r} is no name of a redis user."


def _config_problems(config: Mapping[str, Any]) -> Iterator[str]:
    """Each becomes words of a line that shells split at blanks, so none may hold anything that they know."""
    for name, value in config.items():
        where = f"redis_config: {name}"
        if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
            yield f"{where}: is no name of an option; see redis' configuration reference."
        elif name in MANAGED:
            yield f"{where}: is set by this library. Remove it{f'; the setting is {MANAGED[name]}' if MANAGED[name] else ''}."
        elif isinstance(value, bool) or not re.fullmatch(r"[\w.:%@/+-]+( [\w.:%@/+-]+)*", str(value)):
            yield f'{where}: is {value!r}, expected a number, or plain words such as "pubsub 64mb 16mb 60".'
