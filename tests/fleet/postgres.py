"""A stack with PostgreSQL and an application that uses it, and what PostgreSQL itself says of its logins."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from operations.controller.secrets import new
from tests.fleet.fleet import STACK, Fleet
from tests.lab import Host
from tests.lab.images import in_hosts
from tests.lab.postgres import EXPORTER
from tests.lab.postgres import NAME as IMAGE

LOAD = Path(__file__).parent / "stacks/database.py"
CLIENTS = "database-clients"
LONGEST = 3600  # seconds; then the clients end by themselves

# An application with one session, which it never tries to get back: it ends, and Docker starts it again.
APP = f"""\
x-fleet:
  env:
    DATABASE_URL: "{{postgres.url}}"
services:
  app:
    image: {in_hosts(IMAGE)}
    restart: unless-stopped
    init: true
    depends_on: {{postgres: {{condition: service_healthy, required: false}}}} #? postgres
    env_file: ["${{STACK_ROOT}}/env/app.env"]
    command:
      - python3
      - -c
      - |
        import os, psycopg2, signal, sys, time
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        session = psycopg2.connect(os.environ["DATABASE_URL"])
        session.autocommit = True
        with session.cursor() as cursor:
            while True:
                cursor.execute("SELECT 1")
                time.sleep(0.5)
"""


@dataclass
class Databases(Fleet):
    """An operator whose stack has a PostgreSQL, whose password is a secret like redis'."""

    database: str = field(default_factory=new)
    exporter: str = field(default_factory=new)

    def __post_init__(self) -> None:
        catalogue, data = self.folder / "services.d", self.folder / "group_data"
        for folder in (catalogue, data):
            folder.mkdir(exist_ok=True)
        (catalogue / "app.yml").write_text(APP)
        (data / "all.py").write_text(
            "from operations.controller.secrets import Secret\n\n"
            "postgres_password, postgres_exporter_password = Secret('POSTGRES_PASSWORD'), Secret('POSTGRES_EXPORTER_PASSWORD')\n"
        )
        self.settings = {
            "services": ["watchtower", "postgres", "postgres-exporter", "app"], "catalog_dirs": [str(catalogue)],
            "postgres_image": in_hosts(IMAGE), "postgres_exporter_image": in_hosts(EXPORTER), "rollout_waves": ["100%"],
            **self.settings,
        }  # fmt: skip

    def command(self, *words: str) -> list[str]:
        return super().command("--group-data", str(self.folder / "group_data"), *words)

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        return super().environment(
            {"POSTGRES_PASSWORD": self.database, "POSTGRES_EXPORTER_PASSWORD": self.exporter, **(more or {})}
        )


def psql(host: Host, statement: str, db: str = "postgres") -> list[str]:
    """What PostgreSQL's superuser gets for a statement, over the socket in its container."""
    ident = "docker ps --quiet --filter label=com.docker.compose.service=postgres --filter label=com.docker.compose.project"
    return host.run(f"docker exec --interactive $({ident}) psql -XAtq -U postgres -d {db}", stdin=statement).splitlines()


def logins(host: Host, owner: str = "openwebui") -> list[str]:
    """The roles that somebody can log in as with a password."""
    return psql(
        host,
        "SELECT rolname FROM pg_authid WHERE rolcanlogin AND rolpassword IS NOT NULL AND rolname <> 'postgres' "
        f"AND rolname LIKE '{owner}%' ORDER BY 1",
    )


def url(host: Host, service: str = "app") -> str:
    """What the service's env file has."""
    found = re.search(r"^DATABASE_URL=(.*)$", host.run(f"cat {STACK}/env/{service}.env"), re.MULTILINE)
    assert found
    return found[1]


def lets_in(host: Host, url: str) -> bool:
    """Whether a client in the stack's network gets in with a URL."""
    inside = 'read -r url; psql -XAtqw -c "SELECT 1" "$url"'
    command = f"docker run --rm --interactive --network erni-ki_default {in_hosts(IMAGE)} sh -c '{inside}' 2>/dev/null"
    return host.run(command, stdin=f"{url}\n", check=False).strip() == "1"


def started(host: Host) -> tuple[str, str]:
    """What changes when PostgreSQL is restarted or recreated."""
    ident = "$(docker ps --quiet --no-trunc --filter label=com.docker.compose.service=postgres)"
    return psql(host, "SELECT pg_postmaster_start_time()")[0], host.run(f"docker inspect --format '{{{{.Id}}}}' {ident}").strip()


class DatabaseClients:
    """See `stacks/database.py` for who they are: `with DatabaseClients(host) as clients: …; clients.failures()`."""

    def __init__(self, host: Host, env: str = "app.env") -> None:
        self.host, self.env = host, env
        self.did: Mapping[str, Mapping[str, Any]] = {}

    def __enter__(self) -> DatabaseClients:
        self.host.run(
            f"""
            docker rm --force {CLIENTS} >/dev/null 2>&1
            script=$(cat) && docker run --detach --init --name {CLIENTS} --network erni-ki_default --pull never \
                --volume {STACK}/env:/env:ro {in_hosts(IMAGE)} python3 -c "$script" /env/{self.env} DATABASE_URL {LONGEST}
            """,
            stdin=LOAD.read_text(),
        )
        until = time.monotonic() + 60
        while "ready" not in self._logs():
            assert time.monotonic() < until, f"the clients are not served: {self._logs()}"
            time.sleep(0.2)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            self.host.run(f"docker rm --force {CLIENTS}", check=False)

    def stop(self) -> Mapping[str, Mapping[str, Any]]:
        """They end; what each of them did."""
        if not self.did:
            self.host.run(f"docker stop --time 60 {CLIENTS}")
            self.did = json.loads(self._logs().splitlines()[-1])
        return self.did

    def failures(self) -> Sequence[str]:
        """What was refused to any of them."""
        return [
            f"{name}: {one['failed']} of {one['attempts']}: {one['examples']}" for name, one in self.stop().items() if one["failed"]
        ]

    def _logs(self) -> str:
        return self.host.run(f"docker logs {CLIENTS} 2>&1", check=False)
