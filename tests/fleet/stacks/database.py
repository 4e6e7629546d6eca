"""Clients of PostgreSQL, in a container of the stack's network, until SIGTERM or a time has passed.

Arguments: the env file and its key that hold the URL, seconds. Standard output: "ready" when each has been served once, and at the
end a line of JSON: client → what it did, and the first errors that it saw.
"""

# mypy: ignore-errors
# (what it imports is in the lab's image alone)

from __future__ import annotations

import json
import re
import signal
import sys
import threading
import time
from pathlib import Path

import psycopg2

ENV, KEY, SECONDS = sys.argv[1], sys.argv[2], float(sys.argv[3])
stopping = threading.Event()


def url() -> str:
    """What the env file holds at this moment."""
    return re.search(rf"^{KEY}=(.*)$", Path(ENV).read_text(), re.MULTILINE)[1]


class Client(threading.Thread):
    """Nothing is tried again: what fails once has failed.

    + rate: logins or statements a second
    + pooled: whether its session stays until the file changes, as an application's does that is restarted then
    """

    def __init__(self, rate: float, pooled: bool) -> None:
        super().__init__()
        self.rate, self.pooled = rate, pooled
        self.did = {"attempts": 0, "failed": 0, "examples": []}

    def run(self) -> None:
        session, current = None, None
        while not stopping.is_set():
            self.did["attempts"] += 1
            try:
                if not self.pooled or url() != current:
                    current = url()
                    session = psycopg2.connect(current, connect_timeout=10)
                    session.autocommit = True
                with session.cursor() as cursor:
                    cursor.execute("INSERT INTO load DEFAULT VALUES; SELECT current_user")
                if not self.pooled:
                    session.close()
            except psycopg2.Error as error:
                self.did["failed"] += 1
                self.did["examples"] = [*self.did["examples"], f"{time.strftime('%H:%M:%S')} {error}"][:5]
            stopping.wait(1 / self.rate)


for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda *_: stopping.set())
with psycopg2.connect(url()) as first, first.cursor() as cursor:
    cursor.execute("CREATE TABLE IF NOT EXISTS load (id serial)")
clients = {"fresh": Client(20, False), "slow": Client(3, False), "pooled": Client(20, True)}
for one in clients.values():
    one.start()
until, told = time.monotonic() + SECONDS, False
while time.monotonic() < until and not stopping.wait(0.1):
    if not told and all(one.did["attempts"] > one.did["failed"] for one in clients.values()):
        told = True
        print("ready", flush=True)
stopping.set()
for one in clients.values():
    one.join(15)
print(json.dumps({name: one.did for name, one in clients.items()}), flush=True)
