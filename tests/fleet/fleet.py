"""An operator at work: an inventory of lab hosts, settings, a password, and runs of pyinfra."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from operations.controller.secrets import new
from tests.lab import Host
from tests.lab.access import REACHED, SETTINGS
from tests.lab.machine import Checkout

ROOT = Path(__file__).parents[2]
PYINFRA = Path(sys.executable).with_name("pyinfra")
STACK = "/opt/erni-ki"
SERVICES = ("watchtower", "redis", "redis-exporter", "openwebui")


@dataclass(frozen=True)
class Run:
    """What one run of pyinfra said and left."""

    status: int
    output: str
    report: Mapping[str, Any]

    @property
    def ok(self) -> bool:
        return self.status == 0

    def host(self, name: str) -> Mapping[str, Any]:
        """The host's part of the report."""
        part: Mapping[str, Any] = self.report["hosts"][name]
        return part

    def changes(self, name: str) -> list[str]:
        found: list[str] = self.host(name)["changes"]
        return found

    def check(self, name: str, check: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = next(one for one in self.host(name)["checks"] if one["id"] == check)
        return found

    def bad_checks(self, name: str) -> list[str]:
        return [check["id"] for check in self.host(name)["checks"] if check["verdict"] in ("failed", "unknown")]


@dataclass
class Fleet:
    """Lab hosts, as an operator's own inventory has them. Everything of it lies in `folder`."""

    folder: Path
    hosts: Sequence[Host]
    password: str = field(default_factory=new)
    settings: dict[str, Any] = field(default_factory=dict)
    host_settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    strangers: dict[str, dict[str, Any]] = field(default_factory=dict)  # hosts that are none of the lab's
    secrets: dict[str, str] = field(default_factory=dict)  # further ones

    def deploy(self, *words: str, env: Mapping[str, str] | None = None, yes: bool = True, timeout: float = 300) -> Run:
        """`pyinfra -y inventory deploy.py` with these further words."""
        return self.pyinfra(*(["-y"] if yes else []), "inventory", "deploy.py", *words, env=env, timeout=timeout)

    def preview(self, *words: str) -> Run:
        return self.deploy("--dry", *words, yes=False)

    def pyinfra(self, *words: str, env: Mapping[str, str] | None = None, timeout: float = 300, cwd: Path = ROOT) -> Run:
        return self._run(self.command(*words), env, timeout, cwd)

    def module(self, name: str, *words: str, env: Mapping[str, str] | None = None, timeout: float = 300) -> Run:
        """`python -m` with one of the project's modules, such as operations, with its words."""
        return self._run([sys.executable, "-m", name, *words], env, timeout)

    def _run(self, command: Sequence[str], env: Mapping[str, str] | None, timeout: float, cwd: Path = ROOT) -> Run:
        before = self._latest()
        done = subprocess.run(
            command, cwd=cwd, env=self.environment(env), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=timeout, check=False,
        )  # fmt: skip
        after = self._latest()
        return Run(done.returncode, done.stdout, after if after != before else {})

    def at(self, *hosts: Host) -> Fleet:
        """The same operator with these hosts alone."""
        return replace(self, hosts=hosts)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """A deploy in the background."""
        return subprocess.Popen(
            self.command("-y", "inventory", "deploy.py", *words), cwd=ROOT, env=self.environment(), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def command(self, *words: str) -> list[str]:
        return [str(PYINFRA), *words]

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """The operator's environment, after the inventory and the secrets were written as they are now."""
        self._write("hosts.yml", yaml.safe_dump(self.inventory(), sort_keys=False))
        secrets = {"REDIS_PASSWORD": self.password, **self.secrets}
        self._write("secrets.env", "".join(f"{name}={value}\n" for name, value in secrets.items()))
        mine = {"FLEET_HOSTS": str(self.folder / "hosts.yml"), "PYINFRA_PROGRESS": "off"}
        return {
            **{k: v for k, v in os.environ.items() if k not in ("REDIS_PASSWORD", "PYTHONDONTWRITEBYTECODE")},
            **mine,
            **(more or {}),
        }

    def inventory(self) -> dict[str, Any]:
        lab = Checkout.here().lab
        reached = {**REACHED, "ssh_key": str(lab / "ssh/key"), "ssh_known_hosts_file": str(lab / "ssh/known_hosts")}
        mine = {"secrets_file": "secrets.env", "report_dir": "reports", "tls_dir": "tls"}
        folders = {name: str(self.folder / place) for name, place in mine.items()}
        # many a test has a check fail, and would wait for it as long as an operator does
        data = {**reached, **SETTINGS, "settle_timeout": 10, **folders}
        hosts = {host.name: {**_reach(host), **self.host_settings.get(host.name, {})} for host in self.hosts}
        hosts |= self.strangers
        groups = {name: {"hosts": dict.fromkeys(members)} for name, members in self.groups.items()}
        return {"fleet": {"hosts": hosts, "data": {**data, **self.settings}}, **groups}

    def _latest(self) -> Mapping[str, Any]:
        path = self.folder / "reports/latest.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text)


def _reach(host: Host) -> dict[str, Any]:
    data: dict[str, Any] = {"ssh_port": host.port, "ssh_user": host.user}
    return data if host.user == "root" else {**data, "_sudo": True}


def wipe(host: Host) -> None:
    """Nothing of a stack is left on the host: no container, network, volume or file."""
    host.run(
        f"""
        ids=$(docker ps --all --quiet) && [ -z "$ids" ] || docker rm --force --volumes $ids
        docker network prune --force
        docker volume prune --all --force
        umount {STACK} 2>/dev/null
        chattr -R -i {STACK} 2>/dev/null
        rm -rf {STACK}
        """
    )


def containers(host: Host) -> dict[str, tuple[str, str]]:
    """Service → its container's id and when it was started."""
    shown = '{{index .Config.Labels "com.docker.compose.service"}} {{.Id}} {{.State.StartedAt}}'
    mine = "docker ps --all --quiet --filter label=com.docker.compose.service"
    lines = host.run(f"{mine} | xargs --no-run-if-empty docker inspect --format '{shown}'").splitlines()
    return {service: (ident, started) for service, ident, started in map(str.split, lines)}


def files(host: Host, folder: str = STACK) -> dict[str, str]:
    """Path → inode, mode, owner, time of change and digest of every file of the stack but the services' own data."""
    lines = host.run(
        f"cd {folder} && find . -path ./data -prune -o -type f -printf '%p\\t%i %m %u:%g %T@ ' -exec sha256sum {{}} \\;"
    ).splitlines()
    return dict(line.split("\t") for line in lines)
