"""What the project calls the service that is its redis: it is told by what runs and answers as redis does. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ...stack.service import setting_of
from ...stack.settings import SERVICE_NAME
from ...stack.snapshot import UNKNOWN, Snapshot
from ...stack.text import listed
from .settings import made_as

if TYPE_CHECKING:
    from .login import RedisLogin


def asked(redis: RedisLogin) -> str:
    """The name of the answer in a snapshot."""
    return f"{redis.name}.servers"


def unclear(redis: RedisLogin, answers: Mapping[str, Any]) -> bool:
    """Whether the project has containers, and none of that name."""
    containers, state = answers.get("containers", UNKNOWN), answers.get("state", UNKNOWN)
    if not redis.local or redis.setting("service") or UNKNOWN in (containers, state) or redis.entry in state.called:
        return False
    return bool(containers) and not any(one.service == redis.entry for one in containers)


def name(redis: RedisLogin, seen: Snapshot) -> str:
    """The service's other name; empty where it has none, or nobody can tell."""
    found = _candidates(redis, seen)
    return found[0] if len(found) == 1 and SERVICE_NAME.fullmatch(found[0]) else ""


def problems(redis: RedisLogin, seen: Snapshot) -> Iterator[str]:
    """Why it is not known which service is meant."""
    setting, own = setting_of(redis.entry, "service"), seen.own
    if redis.server != redis.entry and own is not UNKNOWN and redis.server not in own.services:
        yield (
            f"{setting}: the project's own files define no {redis.server}. Nothing was changed. Correct the setting, or leave it "
            "out."
        )
    if (found := _candidates(redis, seen)) and not name(redis, seen):
        yield (
            f"{redis.entry}: the project has no service of that name, but {listed(found)} {_are(found)} such a server. "
            f'Nothing was changed. Name the one that is meant: {setting} = "{found[0]}", or "{redis.entry}" for a new one.'
        )


def _are(names: tuple[str, ...]) -> str:
    return "is" if len(names) == 1 else "are"


def _candidates(redis: RedisLogin, seen: Snapshot) -> tuple[str, ...]:
    if not redis.local or redis.setting("service") or seen.own is UNKNOWN or seen.of(redis.entry):
        return ()
    own, others = seen.own.services, {*redis.settings.services, *redis.settings.clients}
    if noted := seen.called.get(redis.entry):
        return () if noted in others else (noted,)
    if redis.entry in own:
        return ()
    answer = seen.answer(asked(redis))
    running = () if answer is UNKNOWN else answer
    found = tuple(name for name, one in own.items() if name not in others and (name in running or made_as(one.image)))
    urls = [url for one in own.values() for url in one.urls.values()]
    urls += [url for of_file in seen.urls.values() for url in of_file.values()]
    hosts = {urlsplit(url).hostname for url in urls}
    return tuple(name for name in found if name in hosts) or found
