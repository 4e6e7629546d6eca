"""A container that has the labels of the project's redis and is none: it answers what it likes and keeps what it is told."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.fleet.wait import until
from tests.lab import Host

# Says the same to every command. Prints a line when a connection begins, and one when it ends: its seconds, the bytes that it could
# send, and in base64 what it was told.
SERVER = """
import base64, itertools, socketserver, sys, time
ANSWERS = {
    "NOAUTH to everything": lambda: [b"-NOAUTH Authentication required.\\r\\n"],
    "lists in lists": lambda: [b"*1\\r\\n" * 3000 + b":1\\r\\n"],
    "a list that promises too much": lambda: [b"*30000000\\r\\n"],
    "a text without end": lambda: itertools.chain([b"+"], itertools.repeat(b"x" * 65536)),
    "a byte now and then": lambda: (time.sleep(0.2) or b"+" for _ in itertools.count()),
}
answer = ANSWERS[sys.argv[1]]

class Peer(socketserver.StreamRequestHandler):
    def handle(self):
        print("began", flush=True)
        told, sent, began = b"", 0, time.monotonic()
        try:
            for line in self.rfile:
                parts = 2 * int(line[1:]) if line.startswith(b"*") else 0
                words = [line, *(self.rfile.readline() for _ in range(parts))]
                told += b"".join(words)
                for said in answer():
                    self.wfile.write(said)
                    sent += len(said)
                if b"QUIT\\r\\n" in words:
                    break
        except OSError:
            pass
        print(time.monotonic() - began, sent, base64.b64encode(told).decode(), flush=True)

class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

Server((sys.argv[2], 6379), Peer).serve_forever()
"""
ANSWERS = re.findall(r'^    "(.*)": lambda', SERVER, re.MULTILINE)
_NAME = "false-redis"


@dataclass(frozen=True)
class FalseRedis:
    """What it has heard and said so far."""

    host: Host

    @property
    def told(self) -> bytes:
        """All that it was told."""
        return b"".join(told for _, _, told in self._connections())

    @property
    def offered(self) -> set[str]:
        """The passwords that somebody wanted to log in with."""
        logins = re.findall(rb"\*[23]\r\n\$4\r\nAUTH\r\n(?:\$\d+\r\n[^\r\n]*\r\n)?\$\d+\r\n([^\r\n]*)\r\n(?!\$)", self.told)
        return {password.decode() for password in logins}

    @property
    def sent(self) -> int:
        """The bytes that it could get rid of before the other side hung up."""
        return sum(sent for _, sent, _ in self._connections())

    @property
    def longest(self) -> float:
        """The seconds that its longest connection took."""
        return max(seconds for seconds, _, _ in self._connections())

    def _connections(self) -> list[tuple[float, int, bytes]]:
        ended = (line.split(" ") for line in until(self._whole) if line != "began")
        return [(float(seconds), int(sent), base64.b64decode(told)) for seconds, sent, told in ended]

    def _whole(self) -> list[str]:
        """What it printed, as soon as every connection has ended."""
        lines = self.host.run(f"docker logs {_NAME} 2>&1").splitlines()
        return lines if len(lines) == 2 * lines.count("began") else []


@contextmanager
def instead_of_redis(host: Host, answer: str) -> Iterator[FalseRedis]:
    """The project's redis is gone, and this stands in its place. The next deploy brings redis back, with what it held."""
    image = host.run("docker inspect --format '{{.Image}}' erni-ki-openwebui-1").strip()
    label = "--label com.docker.compose"
    host.run(
        f"""
        docker stop erni-ki-redis-1 && docker rm erni-ki-redis-1
        cat >/run/false_redis.py
        docker run --detach --name {_NAME} --network erni-ki_default --volume /run/false_redis.py:/false_redis.py:ro \\
            {label}.project=erni-ki {label}.service=redis {label}.oneoff=False {label}.container-number=1 \\
            --entrypoint python3 {image} /false_redis.py '{answer}' ''
        """,
        stdin=SERVER,
    )
    try:
        until(lambda: host.succeeds(f"docker exec {_NAME} grep -q :18EB /proc/net/tcp"))  # 6379
        yield FalseRedis(host)
    finally:
        host.run(f"docker rm --force {_NAME}; rm -f /run/false_redis.py", check=False)
