"""Open WebUI as its credential's server and its log see it: its own health says nothing about its login."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from ...stack.check import Check, Verdict
from ...stack.extra import Extra
from ...stack.snapshot import UNKNOWN, Snapshot
from ...stack.stack import Stack
from ...stack.verdicts.expect import everywhere, unknown
from ..redis.login import RedisLogin
from ..redis.seen import refused

_NAME = "openwebui"
_KEY = "WEBUI_SECRET_KEY"
_WEBSOCKET = ("ENABLE_WEBSOCKET_SUPPORT", "WEBSOCKET_MANAGER", "WEBSOCKET_REDIS_URL")


class OpenWebUI(Extra):
    about_desired = ("settings.websocket",)
    meanings: ClassVar[Mapping[str, str]] = {
        "settings.websocket": "The three WebSocket variables are as they must be.",
        "settings.secret_key": "Where its database may have other replicas, they sign sessions with one key.",
        "openwebui.redis_login": "Redis holds connections from Open WebUI's address, subscribed ones among them, and refused none.",
        "logs.auth_errors": "No line of Open WebUI's log since its start is about a refused login.",
    }

    def checks(self, stack: Stack, seen: Snapshot) -> Iterator[Check]:
        if not stack.has(_NAME):
            return
        yield _settings(stack, seen)
        if "openwebui_shared" in stack.given:
            yield _key(stack)
        if (redis := _redis(stack)) is not None:
            yield _login(redis, seen)
        yield _refused(seen)

    def said(self, service: str, stack: Stack, seen: Snapshot) -> Iterator[str]:
        if (redis := _redis(stack)) is not None and service in stack.clients(redis.name):
            found = redis.redis(seen)
            logins = (refused(seen, found, address, one.created) for one in seen.of(service) for address in one.addresses)
            if count := sum(logins):
                yield f"redis refused {count} logins"


def _redis(stack: Stack) -> RedisLogin | None:
    return next((one for one in stack.credentials if isinstance(one, RedisLogin)), None)


def _settings(stack: Stack, seen: Snapshot) -> Check:
    file = next(file for file in stack.env_files if file.path == "env/openwebui.env")
    if seen.env is UNKNOWN:
        return unknown("settings.websocket", "not observed")
    keys = seen.env.get(file.path) or {}
    places = {f"{key} in {file.path}": keys.get(key) == file.hashes[key] for key in _WEBSOCKET if key in file.hashes}
    return everywhere("settings.websocket", places, f"{', '.join(_WEBSOCKET)} are as they must be", "another value")


def _key(stack: Stack) -> Check:
    """Each replica would sign with a key of its own, which the others do not take."""
    name, file = "settings.secret_key", next(file for file in stack.env_files if file.path == "env/openwebui.env")
    if _KEY in file.lines:
        return Check(name, Verdict.OK, f"{_KEY} is set")
    return Check(
        name, Verdict.WARNING, f"{_KEY} is not set, and the database is another host's",
        "Replicas on one database each sign with a key of their own: who comes to another one is sent back to the login.",
        'Set webui_secret_key = Secret("WEBUI_SECRET_KEY") for all of them; make it with `secrets new`.',
    )  # fmt: skip


def _login(redis: RedisLogin, seen: Snapshot) -> Check:
    """Redis holds connections from Open WebUI's own address, one of them listens to Socket.IO's channel, and none was refused."""
    name = "openwebui.redis_login"
    answered, own = redis.redis(seen), seen.of(_NAME)
    if answered is UNKNOWN or seen.containers is UNKNOWN:
        return unknown(name, "redis did not answer")
    # another host's redis sees this host's address for all that comes from it, and this one's for a container without its own
    addresses = ({address for one in own for address in one.addresses} if redis.here else set()) or {answered.me}
    since = min((one.created for one in own), default=0)
    users = {client.user for client in answered.clients} if redis.own else {redis.user_of(_NAME)}
    connected = [client for client in answered.clients if client.address in addresses and client.user in users]
    listening = sum(1 for client in connected if client.channels)
    detail = f"{len(connected)} connections, {listening} of them subscribed; {answered.listeners} on Socket.IO's channel"
    if count := sum(refused(seen, answered, address, since) for address in addresses):
        detail += f"; {count} logins refused since its start"
    if connected and listening and answered.listeners and not count:
        return Check(name, Verdict.OK, detail)
    return Check(
        name, Verdict.FAILED, detail,
        "Open WebUI cannot log in to redis, or does not try, though its /health says 200.",
        "Compare REDIS_URL and WEBSOCKET_REDIS_URL in env/openwebui.env by running the deploy again; "
        "then `docker compose logs openwebui`.",
    )  # fmt: skip


def _refused(seen: Snapshot) -> Check:
    name = "logs.auth_errors"
    if seen.logs is UNKNOWN:
        return unknown(name, "logs were not read")
    log = seen.logs.get("openwebui")
    if log is None:
        return unknown(name, "Open WebUI does not run")
    if not log.refused:
        return Check(name, Verdict.OK, "0 since its start")
    return Check(
        name, Verdict.FAILED, f"{log.refused} lines since its start are about a refused login",
        "The password in Open WebUI's URLs is, or was, not one that redis accepts.",
        "Run the deploy again. If all else is well, this counts an error that is over: `docker compose restart openwebui`.",
    )  # fmt: skip


EXTRA = OpenWebUI()
