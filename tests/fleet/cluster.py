"""Two hosts with Open WebUI, one with their redis and PostgreSQL, and nginx before them as docs/cluster.md has it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from operations.controller.secrets import new
from tests.fleet.fleet import ROOT, STACK, Fleet
from tests.fleet.wait import until
from tests.lab import Host
from tests.lab.images import in_hosts
from tests.lab.postgres import NAME as DATABASE

PAGE = ROOT / "docs/cluster.md"
VISITORS = Path(__file__).parent / "stacks/visitors.py"
PROXY = "proxy"
SECRETS = ("POSTGRES_PASSWORD", "WEBUI_SECRET_KEY")


@dataclass
class Cluster(Fleet):
    """An operator with such hosts; the first one has the servers."""

    database: str = field(default_factory=new)
    key: str = field(default_factory=new)

    def __post_init__(self) -> None:
        server, *others = self.hosts
        (self.folder / "group_data").mkdir(exist_ok=True)
        (self.folder / "group_data/all.py").write_text(
            "from operations.controller.secrets import Secret\n\n"
            + "".join(f"{name.lower()} = Secret({name!r})\n" for name in SECRETS)
        )
        self.settings = {"rollout_waves": ["100%"], "postgres_image": in_hosts(DATABASE), "redis_tls": "off", **self.settings}
        published = {"redis_publish": server.address, "postgres_publish": server.address}
        self.host_settings = {server.name: {"services": ["redis", "postgres"], **published}} | {
            host.name: {
                "services": ["openwebui"], "redis_host": server.name, "postgres_host": server.name, "bind_address": host.address,
            }
            for host in others
        }  # fmt: skip

    def command(self, *words: str) -> list[str]:
        return super().command("--group-data", str(self.folder / "group_data"), *words)

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        return super().environment(dict(zip(SECRETS, (self.database, self.key), strict=True)) | dict(more or {}))


def env(host: Host, key: str) -> str:
    """What Open WebUI's container has in its environment."""
    ident = "$(docker ps --quiet --filter label=com.docker.compose.service=openwebui)"
    shown = host.run(f"docker inspect --format '{{{{json .Config.Env}}}}' {ident}")
    return {name: value for name, _, value in (str(line).partition("=") for line in json.loads(shown))}.get(key, "")


def proxy(host: Host, replicas: Sequence[Host]) -> None:
    """nginx on the host, before Open WebUI on others."""
    (text,) = re.findall(r"^```text\n(upstream .*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    for written, replica in zip(("10.0.0.21", "10.0.0.22"), replicas, strict=True):
        text = text.replace(written, replica.address)
    run = f"docker run --detach --name {PROXY} --network host --volume /run/{PROXY}.conf:/etc/nginx/conf.d/openwebui.conf:ro"
    host.run(f"cat >/run/{PROXY}.conf; docker rm --force {PROXY} 2>/dev/null; {run} {in_hosts('nginx')}", stdin=text)


class Visitors:
    """See `stacks/visitors.py` for who they are: `with Visitors(host) as visitors: …; visitors.did`."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.did: Mapping[str, Any] = {}

    def __enter__(self) -> Visitors:
        run = f"docker run --detach --init --name visitors --network host {in_hosts('openwebui-standin')}"
        remove = "docker rm --force visitors >/dev/null 2>&1"
        self.host.run(f'{remove}; script=$(cat) && {run} python3 -u -c "$script" 127.0.0.1:8080 900', stdin=VISITORS.read_text())
        until(lambda: "ready" in self.host.run("docker logs visitors 2>&1"))
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.host.run("docker stop --time 60 visitors")
            self.did = json.loads(self.host.run("docker logs --tail 1 visitors 2>/dev/null"))
        finally:
            self.host.run("docker rm --force visitors", check=False)


def read(host: Host, path: str) -> str:
    """A file of the stack."""
    return host.run(f"cat {STACK}/{path}")
