"""The clients of `tests.fleet.clients`: run in a container of the stack's network, until SIGTERM or a time has passed.

Arguments: the env file and its key that hold redis' URL, the exporter's metrics URL or "", seconds. Standard output: "ready"
when every client has been served once, and at the end a line of JSON: client → what it did, and the first errors that it saw.
"""

# mypy: ignore-errors
# (what it imports is in the lab's images alone)

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import signal
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

ENV, KEY, METRICS, SECONDS = sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4])
HOST = os.uname().nodename
PATIENCE = {"socket_timeout": 15, "socket_connect_timeout": 15, "decode_responses": True}
# nothing is tried again: what fails once has failed
ONCE = {**PATIENCE, "retry": Retry(NoBackoff(), 0), "retry_on_error": []}

stopping = threading.Event()
served: set[str] = set()
clients: dict[str, Callable[[Client], None]] = {}


def url() -> str:
    """What the env file holds at this moment."""
    return re.search(rf"^{KEY}=(.*)$", Path(ENV).read_text(), re.MULTILINE)[1].strip("'")


class Client:
    """What one client did."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.counts = Counter(attempts=0, authentication=0, errors=0, lost=0)
        self.examples: list[str] = []

    @contextmanager
    def attempt(self) -> Iterator[None]:
        self.counts["attempts"] += 1
        try:
            yield
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            refused = isinstance(error, redis.AuthenticationError) or re.search("NOAUTH|WRONGPASS", text)
            self.counts["authentication" if refused else "errors"] += 1
            self.note(text)
        else:
            served.add(self.name)

    def note(self, text: str) -> None:
        if len(self.examples) < 5:
            self.examples.append(f"{time.strftime('%H:%M:%S')} {text}")


def client(work: Callable[[Client], None]) -> Callable[[Client], None]:
    clients[work.__name__] = work
    return work


def paced(rate: float) -> Iterator[int]:
    """Numbers from 1 on, at most `rate` a second, until the end."""
    number, due = 0, time.monotonic()
    while not stopping.is_set():
        number += 1
        yield number
        due = max(due + 1 / rate, time.monotonic() - 1 / rate)
        stopping.wait(max(0, due - time.monotonic()))


@client
def fresh(me: Client) -> None:
    """A new connection each time, with the password that the env file holds at that moment."""
    for _ in paced(100):
        with me.attempt(), redis.Redis.from_url(url(), single_connection_client=True, **ONCE) as one:
            one.ping()


@client
def pooled(me: Client) -> None:
    """A pool, made anew when the env file changes, as an application that is restarted then."""
    current, pool = None, None
    for number in paced(25):
        with me.attempt():
            if url() != current:
                current = url()
                pool = redis.Redis(connection_pool=redis.ConnectionPool.from_url(current, max_connections=4, **ONCE))
            pool.set(f"load:pooled:{HOST}", number, ex=60)
            if int(pool.get(f"load:pooled:{HOST}")) != number:
                me.counts["lost"] += 1


@client
def standing(me: Client) -> None:
    """One connection that is never given up, whatever happens to its password."""
    one = redis.Redis.from_url(url(), single_connection_client=True, **ONCE)
    ident = one.client_id()
    for _ in paced(20):
        with me.attempt():
            if one.client_id() != ident:
                raise ConnectionError("it was connected anew")


@client
def subscribed(me: Client) -> None:
    """A subscription that hears every number that is published."""
    listener = redis.Redis.from_url(url(), **ONCE).pubsub(ignore_subscribe_messages=True)
    listener.subscribe(f"load:numbers:{HOST}")
    speaker = redis.Redis.from_url(url(), single_connection_client=True, **ONCE)
    heard, spoken = 0, 0

    def hear(patience: float) -> bool:
        nonlocal heard
        message = listener.get_message(timeout=patience)
        if message:
            me.counts["lost"] += int(message["data"]) - heard - 1
            heard = int(message["data"])
        return bool(message)

    listener.get_message(timeout=5)
    for number in paced(25):
        with me.attempt():
            speaker.publish(f"load:numbers:{HOST}", number)
            spoken = number
            while heard < spoken and hear(15):
                pass
    me.counts["lost"] += spoken - heard


@client
def asynchronous(me: Client) -> None:
    """redis.asyncio, with a new connection each time."""

    async def once() -> None:
        retry = {"retry": AsyncRetry(NoBackoff(), 0), "retry_on_error": []}
        async with redis.asyncio.from_url(url(), **{**PATIENCE, **retry}) as one:
            await one.ping()

    with asyncio.Runner() as runner:
        for _ in paced(25):
            with me.attempt():
                runner.run(once())


@client
def writer(me: Client) -> None:
    """Numbers in a list, each over a new connection; in the end every one that was acknowledged is there."""
    name, acknowledged = f"load:written:{HOST}", []
    with redis.Redis.from_url(url(), **ONCE) as one:
        one.delete(name)
    for number in paced(25):
        with me.attempt(), redis.Redis.from_url(url(), single_connection_client=True, **ONCE) as one:
            one.rpush(name, number)
            acknowledged.append(number)
    with redis.Redis.from_url(url(), **ONCE) as one:
        found = set(map(int, one.lrange(name, 0, -1)))
        one.delete(name)
    me.counts["lost"] = len(set(acknowledged) - found)


def exporter(me: Client) -> None:
    """The exporter's metrics. While its container is replaced it is away; what it must never say is that redis is down."""
    for _ in paced(5):
        me.counts["attempts"] += 1
        try:
            with urllib.request.urlopen(METRICS, timeout=15) as answer:
                text = answer.read().decode()
        except (OSError, http.client.HTTPException):
            me.counts["away"] += 1
            continue
        up = re.search(r"^redis_up (\d)$", text, re.MULTILINE)
        if up and up[1] == "1":
            served.add(me.name)
        else:
            me.counts["authentication"] += 1
            me.note("redis_up is not 1: " + " ".join(line for line in text.splitlines() if "last_scrape_error" in line))


def main() -> None:
    if METRICS:
        client(exporter)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    everyone = {name: Client(name) for name in clients}

    def work(name: str) -> None:
        try:
            clients[name](everyone[name])
        except Exception as error:  # a client that is gone has failed
            everyone[name].counts["errors"] += 1
            everyone[name].note(f"it ended: {type(error).__name__}: {error}")

    threads = [threading.Thread(target=work, args=(name,)) for name in clients]
    for thread in threads:
        thread.start()
    until, told = time.monotonic() + SECONDS, False
    while time.monotonic() < until and not stopping.wait(0.1):
        if not told and served >= clients.keys():
            told = True
            print("ready", flush=True)
    stopping.set()
    for thread in threads:
        thread.join(20)
    print(json.dumps({name: {**one.counts, "examples": one.examples} for name, one in everyone.items()}), flush=True)


main()
