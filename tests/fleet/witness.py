"""Clients of redis that live through its restart and tell how long they were not served: `with Witness(host) as witness: …`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.fleet.fleet import STACK
from tests.fleet.wait import until
from tests.lab import Host
from tests.lab.images import in_hosts

NAME = "witness"
LONGEST = 900  # seconds; then they end by themselves
SCRIPT = Path(__file__).parent / "stacks/witness.py"


class Witness:
    """One that reads and one that writes, each time over a new connection, with the password as its file has it at that moment.

    + secret: a file of secrets with the password, which `user` has; without one REDIS_URL of env/openwebui.env counts
    """

    def __init__(self, host: Host, network: str = "erni-ki_default", secret: str = "", user: str = "") -> None:
        self.host = host
        self.where = f"/secrets/{secret} {user}" if secret else "/env/openwebui.env ''"
        self.network = network
        self.did: Mapping[str, Mapping[str, Any]] = {}

    def __enter__(self) -> Witness:
        self.host.run(
            f"""
            docker rm --force {NAME} >/dev/null 2>&1
            script=$(cat) && docker run --detach --name {NAME} --network {self.network} --pull never --volume {STACK}/env:/env:ro \
                --volume {STACK}/secrets:/secrets:ro {in_hosts("openwebui-standin")} python3 -c "$script" {self.where} {LONGEST}
            """,
            stdin=SCRIPT.read_text(),
        )
        try:
            until(lambda: "ready" in self._logs(), 60)
        except AssertionError:
            said = self._logs()
            self._remove()
            raise AssertionError(f"{self.host.name}: the clients are not served: {said}") from None
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            self._remove()

    def stop(self) -> None:
        """They end."""
        if not self.did:
            self.host.run(f"docker stop --time 60 {NAME}")
            self.did = json.loads(self._logs().splitlines()[-1])

    @property
    def refused(self) -> list[str]:
        """Every login that redis refused."""
        return [f"{name}: {text}" for name, did in self.did.items() for text in did["refused"]]

    @property
    def lost(self) -> int:
        """How many writes redis had acknowledged and no longer knows."""
        return int(self.did["writer"]["lost"])

    @property
    def outages(self) -> list[tuple[float, float, str]]:
        """When they were not served: from, to, and the first error. What several clients saw at one time is one outage."""
        found: list[tuple[float, float, str]] = []
        for start, end, text in sorted(tuple(one) for did in self.did.values() for one in did["outages"]):
            if found and start <= found[-1][1]:
                start, end, text = found[-1][0], max(end, found[-1][1]), found[-1][2]
                found.pop()
            found.append((start, end, text))
        return found

    def _logs(self) -> str:
        return self.host.run(f"docker logs {NAME} 2>&1", check=False)

    def _remove(self) -> None:
        self.host.run(f"docker rm --force {NAME}", check=False)
