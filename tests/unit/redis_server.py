"""A stand-in for redis: a real TCP server on port 6379 of a loopback address of its own, with passwords and an ACL file.

It says what redis 7 says, as far as the scripts ask. That redis itself says so is shown in the lab.
"""

from __future__ import annotations

import contextlib
import random
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from operations.services.redis.acl import users
from tests.unit.dockers_api import a_container, docker_answers
from tests.unit.stack.hosts import sha256
from tests.unit.stubs import StubHost

NOAUTH = "-NOAUTH Authentication required."
WRONGPASS = "-WRONGPASS invalid username-password pair or user is disabled."
NOPERM = "-NOPERM User default has no permissions to run the 'acl|setuser' command"
ABSENT = "The password you are trying to remove from the user does not exist"
HANG = "hang"  # instead of an answer: nothing more is said
CLOSE = "close"  # instead of an answer: the connection is closed
UserInfo = list[Any]


class RedisServer(socketserver.ThreadingTCPServer):
    """Redis as its clients see it.

    + passwords: those that it accepts from `default`
    + certificate: a file with a private key and a certificate; then it listens with TLS alone, on port 6380
    + acl_file: what it reads when it is started again
    + says: a command → what it says to it instead
    + on: a command → what happens just before its answer
    + served: the commands of every connection, in order, so far
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, *passwords: str, acl_file: Path | None = None, certificate: Path | None = None) -> None:
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if certificate else None
        if self.context and certificate:
            self.context.load_cert_chain(certificate)
        self.users = {"default": {sha256(password) for password in passwords}}
        self.acl_file = acl_file
        self.says: dict[str, str] = {}
        self.on: dict[str, Callable[[], object]] = {}
        self.served: list[list[list[str]]] = []
        self.serving = 0
        for _ in range(50):
            # the host's own and those of other tests are taken
            self.address = f"127.{random.randint(1, 250)}.{random.randint(1, 250)}.{random.randint(2, 250)}"
            with contextlib.suppress(OSError):
                super().__init__((self.address, 6380 if certificate else 6379), _Connection)
                return
        raise RuntimeError("its port is taken on every loopback address that was tried")

    def get_request(self) -> tuple[Any, Any]:
        request, address = super().get_request()
        return (self.context.wrap_socket(request, server_side=True) if self.context else request), address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no error."""

    @property
    def asked(self) -> list[list[list[str]]]:
        """The commands of every connection, in order: all of them, also those whose answers nobody waited for."""
        until = time.monotonic() + 5
        while self.serving and time.monotonic() < until:
            time.sleep(0.005)
        return self.served

    @property
    def commands(self) -> list[list[str]]:
        """What all connections asked, one after the other."""
        return [words for connection in self.asked for words in connection]

    def answer(self, words: list[str], well: bool) -> str:
        command = " ".join(words).upper()
        for start, said in self.says.items():
            if command.startswith(start):
                return said
        if words[0].upper() == "QUIT":
            return "+OK"
        if words[0].upper() == "AUTH":
            accepted = self.users.get(words[1] if len(words) == 3 else "default", ())
            return "+OK" if sha256(words[-1]) in accepted else WRONGPASS
        if not well:
            return NOAUTH
        return self.logged_in(command, words)

    @property
    def hashes(self) -> set[str]:
        """What it accepts from `default`."""
        return self.users["default"]

    def restart(self) -> None:
        """It reads its file."""
        assert self.acl_file
        self.users = {name: set(user.digests) for name, user in users(self.acl_file.read_text().splitlines())}

    def set_user(self, name: str, *rules: str) -> str:
        digests = self.users.setdefault(name, set())
        for rule in rules:
            if rule in ("reset", "resetpass"):
                digests.clear()
            elif rule.startswith("#"):
                digests.add(rule[1:])
            elif rule.startswith("!"):
                if rule[1:] not in digests:
                    return f"-ERR Error in ACL SETUSER modifier '{rule}': {ABSENT}"
                digests.remove(rule[1:])
        return "+OK"

    def logged_in(self, command: str, words: list[str]) -> str:
        if command.startswith("ACL SETUSER "):
            return self.set_user(*words[2:])
        if command == "ACL USERS":
            return resp(list(self.users))
        if command == "ACL LIST":
            return resp(
                [f"user {name} on {' '.join(f'#{one}' for one in sorted(found))} ~* &* +@all" for name, found in self.users.items()]
            )
        if command.startswith("ACL DRYRUN "):
            return resp("User has no permissions to run it")
        known: Mapping[str, Any] = {
            "PING": "+PONG",
            "CONFIG GET DIR": resp(["dir", "/data"]),
            "CONFIG GET ACLFILE": resp(["aclfile", "/x"]),
        }
        return str(known.get(command, "-ERR unknown command"))


class _Connection(socketserver.StreamRequestHandler):
    server: RedisServer

    def handle(self) -> None:
        self.server.serving += 1
        try:
            self.serve()
        finally:
            self.server.serving -= 1

    def serve(self) -> None:
        asked: list[list[str]] = []
        self.server.served.append(asked)
        well = not self.server.hashes
        for words in self.read():
            asked.append(words)
            for start, happens in self.server.on.items():
                if " ".join(words).upper().startswith(start):
                    happens()
            said = self.server.answer(words, well)
            if said == HANG:
                # until the client has had enough
                self.request.settimeout(20)
                while self.request.recv(4096):
                    pass
                return
            if said == CLOSE:
                return
            well = well or (words[0].upper() == "AUTH" and said == "+OK")
            self.wfile.write(f"{said}\r\n".encode())
            if words[0].upper() == "QUIT":
                return

    def read(self) -> Iterator[list[str]]:
        while line := self.rfile.readline().decode().rstrip("\r\n"):
            if not line.startswith("*"):
                yield line.split(" ")
                continue
            words = []
            for _ in range(int(line[1:])):
                length = int(self.rfile.readline()[1:])
                words.append(self.rfile.read(length).decode())
                assert self.rfile.read(2) == b"\r\n"
            yield words


def resp(value: Any) -> str:
    """A value in redis' protocol, without its last line break."""
    if isinstance(value, list):
        return "\r\n".join([f"*{len(value)}", *map(resp, value)])
    return f"${len(value.encode())}\r\n{value}"


@contextlib.contextmanager
def running(server: RedisServer, *on: StubHost) -> Iterator[RedisServer]:
    """The server answers; on these hosts Docker says that it is the stack's redis."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005})
    thread.start()
    for host in on:
        docker_answers(host, a_container("redis", networks={"a_b": "", "erni-ki_default": server.address}))
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
