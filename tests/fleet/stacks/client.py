"""Stands in for an application that keeps a connection to redis: with SEARXNG_REDIS_URL, SEARXNG_VALKEY_URL, REDIS_URL or
REDIS_HOST and its like. It answers 200 to every request on PORT, whatever redis says; /tmp/redis holds what redis said last.
"""

# mypy: ignore-errors
# (what it imports is in the lab's images alone)

import http.server
import os
import threading
import time
from pathlib import Path

import redis

env = os.environ
urls = [env[name] for name in ("SEARXNG_VALKEY_URL", "SEARXNG_REDIS_URL", "REDIS_URL", "REDIS_ADDR") if env.get(name)]
if not urls:
    urls = [f"redis://{env['REDIS_HOST']}:{env.get('REDIS_PORT', 6379)}/{env.get('REDIS_DB', 0)}"]
LOGIN = {"password": env["REDIS_PASSWORD"]} if "@" not in urls[0] and "REDIS_PASSWORD" in env else {}


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def note(text: str) -> None:
    Path("/tmp/redis.next").write_text(text)
    Path("/tmp/redis.next").rename("/tmp/redis")


threading.Thread(target=http.server.HTTPServer(("", int(env.get("PORT", "8080"))), Page).serve_forever, daemon=True).start()
client = redis.Redis.from_url(urls[0].replace("valkey://", "redis://"), single_connection_client=True, socket_timeout=15, **LOGIN)
last = None
while True:
    try:
        client.ping()
        said = "PONG"
    except Exception as error:
        said = f"{type(error).__module__}.{type(error).__qualname__}: {error}"
        client.close()
    if said != last:
        print(said, flush=True)
        note(said)
        last = said
    time.sleep(0.5)
