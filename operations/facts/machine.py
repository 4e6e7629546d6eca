"""The host itself, and what lies open on it."""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Mapping, Sequence
from urllib.parse import unquote

from pyinfra.api import StringCommand

from ..stack.ports import Listener
from ..stack.snapshot import SeenLiteral, SeenMachine
from .base import ScriptFact, decoded, shown

# file system, blocks of 1 KiB in all, used and free, the share that is used, mount point
_ROW = re.compile(r".*?\s+\d+\s+\d+\s+(?P<free>\d+)\s+\S+\s+(?P<mount>/.*)")


class Machine(ScriptFact[SeenMachine]):
    """How far the host's clock is from this machine's, and the free space where the stack and Docker keep what they have.

    + root: the stack's folder, absolute
    """

    script = "machine/seen"

    def command(self, root: str) -> StringCommand:
        return self.ask(root=root)

    def parse(self, lines: list[str]) -> SeenMachine:
        clock, table = lines
        _head, *rows = decoded(table).splitlines()
        told = [_ROW.fullmatch(row) for row in rows]
        free = {row["mount"]: int(row["free"]) * 1024 for row in told if row}
        if not all(told) or not free:
            raise ValueError("the free space was not told")
        return SeenMachine(float(clock), float(clock) - time.time(), free)


class Literals(ScriptFact[tuple[SeenLiteral, ...]]):
    """Where a password is written out: in Compose files, and in env files one of a credential that is not managed. Never the text.

    + root: the stack's folder, absolute
    + paths: the Compose files, relative to it
    + env: env files of the stack → their managed keys
    + passwords: the files with the stack's own passwords
    + in_env, in_files: regular expressions (POSIX, extended) of a credential's places, in lines of env files and of Compose files
    """

    script = "machine/literals"

    def command(
        self,
        root: str,
        paths: Sequence[str],
        env: Mapping[str, Sequence[str]] | None = None,
        passwords: Sequence[str] = (),
        in_env: str = "",
        in_files: str = "",
    ) -> StringCommand:
        managed = " ".join(f"{path}={key}" for path, keys in (env or {}).items() for key in keys)
        return self.ask(root=root, passwords=passwords, paths=paths, managed=managed, in_env=in_env, in_files=in_files)

    def parse(self, lines: list[str]) -> tuple[SeenLiteral, ...]:
        (text,) = lines or [""]
        found = (line.split(" ", 2) for line in decoded(text).split("\n") if line)
        return tuple(SeenLiteral(unquote(path), int(number), kind == "1") for number, kind, path in found)


class Metrics(ScriptFact[dict[str, float]]):
    """Values on a page of Prometheus metrics: name with its labels → value.

    + url: of the page
    + names: of the metrics, without labels
    + project, service, port: whose page it is: the port in the service's container, where that is published elsewhere or not at all
    + patience: seconds for which it is asked again when there is no answer, as from a service that has just started
    """

    script = "metrics/read"

    def command(
        self, url: str, names: Sequence[str], patience: int = 0, project: str = "", service: str = "", port: int | None = None
    ) -> StringCommand:
        return self.ask(url=url, names=names, patience=patience, project=project, service=service, port=port or "")

    def parse(self, lines: list[str]) -> dict[str, float]:
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in decoded("".join(lines)).splitlines())}


class Ports(ScriptFact[tuple[Listener, ...]]):
    """Who listens on some TCP ports of the host, besides the project's own containers.

    + ports: their numbers
    + project: the name of the Compose project
    """

    script = "machine/ports"

    def command(self, ports: Sequence[int], project: str) -> StringCommand:
        return self.ask(ports=" ".join(map(str, ports)), project=project)

    def parse(self, lines: list[str]) -> tuple[Listener, ...]:
        return tuple(_listener(*line.split(" ")) for line in lines)


def _listener(port: str, address: str, process: str, name: str) -> Listener:
    # /proc/net/tcp has addresses as words of the machine's own byte order
    words = [bytes.fromhex(address[at : at + 8])[::-1] for at in range(0, len(address), 8)]
    return Listener(int(port), str(ipaddress.ip_address(b"".join(words))), int(process), shown(decoded(name)))
