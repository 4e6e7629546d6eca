"""What Open WebUI does with Redis, and nothing else of it.

Read from the environment as the original does: ENABLE_WEBSOCKET_SUPPORT, WEBSOCKET_MANAGER, REDIS_URL, WEBSOCKET_REDIS_URL.
`/health` never looks at Redis, also as the original; `/lab/redis` is for the lab's tests and does.
"""

# mypy: ignore-errors
# (what it imports is in the image alone)

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import redis.asyncio
import socketio

REDIS_URL = os.environ.get("REDIS_URL", "")
WEBSOCKET_REDIS_URL = os.environ.get("WEBSOCKET_REDIS_URL", REDIS_URL)
WEBSOCKET = os.environ.get("ENABLE_WEBSOCKET_SUPPORT", "True").lower() == "true"
MANAGED = os.environ.get("WEBSOCKET_MANAGER", "") == "redis"
LISTENED = ("open-webui:tasks:commands", "open-webui:models:commands")

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

logging.basicConfig(level=logging.INFO, format="%(asctime)s | %(levelname)s | %(name)s - %(message)s")
log = logging.getLogger("open_webui")


class Manager(socketio.AsyncRedisManager):
    """Debian's version tries again without any pause when its first login is refused."""

    async def _listen(self) -> AsyncIterator[Any]:
        try:
            async for message in super()._listen():
                yield message
        except redis.exceptions.RedisError:
            await asyncio.sleep(1)
            raise


server = socketio.AsyncServer(
    async_mode="asgi",
    cors_allowed_origins="*",
    transports=["websocket"] if WEBSOCKET else ["polling"],
    allow_upgrades=WEBSOCKET,
    always_connect=True,
    **({"client_manager": Manager(WEBSOCKET_REDIS_URL)} if MANAGED else {}),
)
client = redis.asyncio.from_url(REDIS_URL, decode_responses=True) if REDIS_URL else None


@server.event
async def connect(sid: str, environ: Message, auth: object = None) -> None:
    log.info("connected: %s", sid)


async def listen(channel: str) -> None:
    """Wait for messages, and try again for ever when Redis refuses."""
    assert client is not None
    while True:
        try:
            async with client.pubsub() as subscription:
                await subscription.subscribe(channel)
                async for _ in subscription.listen():
                    pass
        except Exception as error:
            kind = type(error)
            log.error("Listener of %s: %s.%s: %s", channel, kind.__module__, kind.__qualname__, error)
        await asyncio.sleep(1)


async def greet() -> None:
    """The application's own first use of its pool."""
    assert client is not None
    try:
        await client.ping()
    except Exception as error:
        log.error("Redis: %s.%s: %s", type(error).__module__, type(error).__qualname__, error)


async def health() -> tuple[int, Message]:
    return 200, {"status": True}


async def lab_redis() -> tuple[int, Message]:
    if client is None:
        return 503, {"redis": "REDIS_URL is not set"}
    try:
        await client.set("open-webui:lab", "1", ex=60)
        answer = await client.get("open-webui:lab")
    except Exception as error:
        return 503, {"redis": f"{type(error).__name__}: {error}"}
    return (200 if answer == "1" else 503), {"redis": answer}


ROUTES = {"/health": health, "/lab/redis": lab_redis}


@asynccontextmanager
async def background() -> AsyncIterator[None]:
    tasks = [asyncio.create_task(work) for work in (greet(), *map(listen, LISTENED))] if client else []
    if MANAGED:
        server.manager.initialize()  # the original's first emit does this; its subscription must stand without one
        server.manager_initialized = True
    yield
    for task in tasks:
        task.cancel()


async def lifespan(receive: Receive, send: Send) -> None:
    await receive()
    async with background():
        await send({"type": "lifespan.startup.complete"})
        await receive()
    await send({"type": "lifespan.shutdown.complete"})


async def pages(scope: Message, receive: Receive, send: Send) -> None:
    route = ROUTES.get(scope["path"])
    status, answer = await route() if route else (404, {"detail": "Not Found"})
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


sockets = socketio.ASGIApp(server, socketio_path="/ws/socket.io")


async def app(scope: Message, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["path"].startswith("/ws/socket.io"):
        await sockets(scope, receive, send)
    else:
        await pages(scope, receive, send)
