"""The rules for redis' settings that can be checked without a host."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from ...stack.settings import Settings, inside_problems, is_address

FLAVOURS = ("stack", "official")


def flavour(settings: Settings, server: str = "redis") -> str | None:
    """How the image of a service is started: as set, else told from its name; the guide's, where the project names it."""
    image = settings.of(server, "image")
    found: str | None = settings.of(server, "flavour") or ("stack" if image is None else flavour_of(image))
    return found


def flavour_of(image: str) -> str | None:
    """How an image is started, as far as its name tells."""
    repository = image.split("@")[0].rsplit("/", 1)[-1].split(":")[0]
    if "redis-stack" in repository:
        return "stack"
    return "official" if repository in ("redis", "valkey") else None


def problems(settings: Settings) -> Iterator[str]:
    publish, host, password_file = settings.redis_publish, settings.redis_host, settings.redis_password_file
    if publish is not None and not (is_address(publish) and not ipaddress.ip_address(publish).is_unspecified):
        yield f"redis_publish: {publish!r} is no address of one interface. Expected one such as 10.0.0.5, or None."
    if host is not None and "redis" in settings.services:
        yield f"redis_host: names {host!r}, but this host runs a redis of its own. Take redis out of `services`."
    if settings.redis_flavour not in (None, *FLAVOURS):
        yield f'redis_flavour: is {settings.redis_flavour!r}, expected one of "stack", "official" or None.'
    elif flavour(settings) is None and "redis" in settings.services:
        yield (
            f"redis_image: {settings.redis_image!r} does not say whether it starts like redis-stack or like the official redis "
            'image. Set redis_flavour to "stack" or "official".'
        )
    for name in ("redis_maxmemory_policy", "redis_loglevel"):
        if not re.fullmatch(r"[a-z-]+", getattr(settings, name)):
            yield f"{name}: {getattr(settings, name)!r} is not a word that redis knows; see its configuration reference."
    if not re.fullmatch(r"(\d+ \d+( \d+ \d+)*)?", settings.redis_save):
        yield (
            f'redis_save: {settings.redis_save!r} is no list of "seconds changes" pairs. Expected one such as "3600 1 300 100", '
            'or "" for none.'
        )
    if password_file is not None:
        yield from inside_problems("redis_password_file", password_file)
        if "redis" in settings.services:
            yield "redis_password_file: is for a redis that the project defines itself. Take redis out of `services`."
        if host:
            yield "redis_password_file: this host uses the redis of redis_host. Set one of the two to None."
    for service, number in settings.redis_dbs.items():
        if not isinstance(number, int) or isinstance(number, bool):
            yield f"redis_dbs: {service}: is {number!r}, expected a whole number."
        elif number < 0:
            yield f"redis_dbs: {service}: is {number}, expected 0 or more."
    if not re.fullmatch(r"[^\s:,]+", settings.redis_user):
        yield f"redis_user: {settings.redis_user!r} is no name of a redis user."
