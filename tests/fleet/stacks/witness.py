"""The clients of `tests.fleet.witness`: run in a container of the stack's network, until SIGTERM or a time has passed.

Arguments: an env file that holds redis' URL and "", or a file that holds the password and its user; seconds. Standard output:
"ready" when each of them has been served once, and at the end a line of JSON: client → what it did, and every time that it was not
served.
"""

# mypy: ignore-errors
# (what it imports is in the lab's images alone)

import json
import re
import signal
import sys
import threading
import time
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

FILE, USER, SECONDS = sys.argv[1], sys.argv[2], float(sys.argv[3])
ONCE = {
    "socket_timeout": 30,
    "socket_connect_timeout": 5,
    "decode_responses": True,
    "retry": Retry(NoBackoff(), 0),
    "retry_on_error": [],
}
WRITTEN = "witness:written"

stopping = threading.Event()


def connected():
    """A new connection with what the file holds at this moment."""
    text = Path(FILE).read_text()
    url = f"redis://{USER}:{text.strip()}@redis:6379/0" if USER else re.search(r"^REDIS_URL=(.*)$", text, re.MULTILINE)[1]
    return redis.Redis.from_url(url, single_connection_client=True, **ONCE)


class Client:
    """What one client did. An outage lasts from the first attempt that failed to the end of the next one that did not."""

    def __init__(self) -> None:
        self.served = threading.Event()
        self.did = {"attempts": 0, "refused": [], "outages": [], "lost": 0}

    def work(self, rate: float, attempt) -> None:
        down = None
        while not stopping.wait(1 / rate):
            began = time.time()
            self.did["attempts"] += 1
            try:
                attempt()
            except redis.AuthenticationError as error:
                self.did["refused"].append(f"{began:.2f} {error}")
            except Exception as error:
                down = down or (began, f"{type(error).__name__}: {error}")
            else:
                self.served.set()
                if down:
                    self.did["outages"].append([down[0], time.time(), down[1]])
                    down = None
        if down:
            self.did["outages"].append([down[0], time.time(), down[1]])


acknowledged = []


def read() -> None:
    with connected() as one:
        one.ping()


def write() -> None:
    number = len(acknowledged) + 1
    with connected() as one:
        one.rpush(WRITTEN, number)
    acknowledged.append(number)


def main() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    everyone = {"reader": (Client(), 25, read), "writer": (Client(), 25, write)}
    with connected() as one:
        one.delete(WRITTEN)
    threads = [threading.Thread(target=client.work, args=how) for client, *how in everyone.values()]
    for thread in threads:
        thread.start()
    until, told = time.monotonic() + SECONDS, False
    while time.monotonic() < until and not stopping.wait(0.1):
        if not told and all(client.served.is_set() for client, *_ in everyone.values()):
            told = True
            print("ready", flush=True)
    stopping.set()
    for thread in threads:
        thread.join(35)
    with connected() as one:
        found = set(map(int, one.lrange(WRITTEN, 0, -1)))
        one.delete(WRITTEN)
    everyone["writer"][0].did["lost"] = len(set(acknowledged) - found)
    print(json.dumps({name: client.did for name, (client, *_) in everyone.items()}), flush=True)


main()
