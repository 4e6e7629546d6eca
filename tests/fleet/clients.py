"""Clients of redis on a host, at work while something happens to it: `with Clients(host) as clients: … ; clients.failures()`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.fleet.fleet import STACK
from tests.lab import Host
from tests.lab.images import in_hosts

NAME = "clients"
LONGEST = 7200  # seconds; then they end by themselves
LOAD = Path(__file__).with_name("load.py")


class Clients:
    """See `tests/fleet/load.py` for who they are. They live in a container of the stack's network and read env/openwebui.env."""

    def __init__(self, host: Host, exporter: bool = True, tls: bool = False) -> None:
        """+ tls: they get what clients trust"""
        self.host = host
        self.trusted = f"--volume {STACK}/tls:/run/tls:ro" if tls else ""
        self.exporter = exporter
        self.counts: Mapping[str, Mapping[str, Any]] = {}

    def __enter__(self) -> Clients:
        metrics = "http://redis-exporter:9121/metrics" if self.exporter else ""
        self.host.run(
            f"""
            docker rm --force {NAME} >/dev/null 2>&1
            script=$(cat) && docker run --detach --name {NAME} --hostname {self.host.name} --network erni-ki_default --pull never \
                --volume {STACK}/env:/env:ro {self.trusted} {in_hosts("openwebui-standin")} \
                python3 -c "$script" /env/openwebui.env REDIS_URL '{metrics}' {LONGEST}
            """,
            stdin=LOAD.read_text(),
        )
        until = time.monotonic() + 60
        while "ready" not in self._logs():
            if time.monotonic() > until or not self.host.succeeds(f"docker top {NAME}"):
                said = self._logs()
                self._remove()
                raise AssertionError(f"{self.host.name}: the clients are not served: {said}")
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            self._remove()

    def stop(self) -> Mapping[str, Mapping[str, Any]]:
        """They end; what each of them did, by its name."""
        if not self.counts:
            self.host.run(f"docker exec {NAME} true")  # they must have been at work until now
            self.host.run(f"docker stop --time 60 {NAME}")
            self.counts = json.loads(self._logs().splitlines()[-1])
        return self.counts

    def failures(self) -> dict[str, Mapping[str, Any]]:
        """Those of them to whom something was refused, lost or not answered. They must have ended."""
        return {f"{self.host.name}: {name}": did for name, did in self.stop().items() if _failed(did)}

    def _logs(self) -> str:
        return self.host.run(f"docker logs {NAME} 2>&1", check=False)

    def _remove(self) -> None:
        self.host.run(f"docker rm --force {NAME}", check=False)


def _failed(did: Mapping[str, Any]) -> bool:
    return bool(not did["attempts"] or did["authentication"] or did["errors"] or did["lost"])


@contextmanager
def clients_on(hosts: Sequence[Host], without_exporter: Sequence[Host] = (), tls: bool = False) -> Iterator[list[Clients]]:
    """Clients on each of the hosts."""
    with ExitStack() as stack:
        yield [stack.enter_context(Clients(host, exporter=host not in without_exporter, tls=tls)) for host in hosts]


def failures(everyone: Sequence[Clients]) -> dict[str, Mapping[str, Any]]:
    """What failed for any of them; host and client → what it did."""
    return {name: did for clients in everyone for name, did in clients.failures().items()}
