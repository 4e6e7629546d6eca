"""The ways that are compared. Each brings hosts to the same state with one command on the controller."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import yaml

from tests.fleet.fleet import PYINFRA, ROOT, STACK, Fleet, wipe
from tests.lab import Host
from tests.lab.machine import in_parallel

from . import material
from .measure import BenchError, Command

RIVALS = Path(__file__).parent / "rivals"
VENV = ROOT / ".lab/bench-venv"
SCENES = ("provision", "converged", "repair", "rollout")
DRIFTED = {"repair": 10, "half": 2, "every": 1}  # scene → of how many hosts one has drifted
ALL_SCENES = (*SCENES, *(scene for scene in DRIFTED if scene not in SCENES))

# the exporter's container is gone and a key of Open WebUI's env file has another value
DRIFT = f"""
docker rm --force $(docker ps --quiet --filter label=com.docker.compose.service=redis-exporter) >/dev/null
sed -i 's/^WEBSOCKET_MANAGER=.*/WEBSOCKET_MANAGER=none/' {STACK}/env/openwebui.env
"""
AS_WANTED = f"""
grep -q '^WEBSOCKET_MANAGER=redis' {STACK}/env/openwebui.env || exit 1
[ "$(docker ps --quiet --filter label=com.docker.compose.project=erni-ki | wc -l)" = 4 ] || exit 1
password=$(cat {STACK}/secrets/redis/password)
[ "$(printf %s "$password" | sha256sum | cut -d ' ' -f 1)" = "$1" ] || exit 1
redis=$(docker ps --quiet --filter label=com.docker.compose.service=redis)
docker exec --env REDISCLI_AUTH="$password" "$redis" redis-cli ping | grep -q PONG
"""


class Way(ABC):
    """One way, on hosts that it has for itself while it works.

    + folder: for what it writes on the controller
    """

    name: str
    scenes: tuple[str, ...] = ALL_SCENES

    def __init__(self, fleet: Fleet, folder: Path) -> None:
        self.fleet = fleet
        self.folder = folder
        self.folder.mkdir()

    @abstractmethod
    def command(self, scene: str, former: str = "") -> Command:
        """What an operator runs to bring the hosts to `fleet.password`. Only the floor needs to know in which state they are.

        + former: the password before, where it changes
        """

    def cold(self) -> None:  # noqa: B027 (most have nothing to do)
        """Nothing that a run left helps the next one."""

    def wipe(self) -> None:
        in_parallel(wipe, self.fleet.hosts)

    def drift(self, scene: str) -> None:
        in_parallel(lambda host: host.run(DRIFT), self.drifted(scene))

    def drifted(self, scene: str) -> Sequence[Host]:
        """The hosts that need a repair; at least one."""
        return self.fleet.hosts[:: DRIFTED[scene]]

    def confirm(self) -> None:
        """The hosts are as they should be, whatever the way itself says."""
        digest = material.digest(material.stack(self.data, self.fleet.password))
        in_parallel(lambda host: host.run(f"set -- {digest}\n{AS_WANTED}"), self.fleet.hosts)

    @property
    def data(self) -> dict[str, object]:
        data: dict[str, object] = self.fleet.inventory()["fleet"]["data"]
        return data


class Ours(Way):
    """This project, the whole fleet at once, as the others do it."""

    name = "ours"
    settings: tuple[tuple[str, object], ...] = (("rollout_waves", ["100%"]),)

    def command(self, scene: str, former: str = "") -> Command:
        self.fleet.settings = {**self.fleet.settings, **dict(self.settings)}
        return Command(self.fleet.command("-y", "inventory", "deploy.py"), self.fleet.environment(), ROOT)


class Waves(Ours):
    """This project with its default waves."""

    name = "waves"
    scenes = ("provision", "repair", "rollout")  # a converged run has no waves
    settings = (("rollout_waves", ["1", "25%", "100%"]),)


class Own(Way):
    """pyinfra's own operations."""

    name = "pyinfra"

    def command(self, scene: str, former: str = "") -> Command:
        hosts = {
            host.name: {"ssh_port": host.port, "ssh_user": host.user, "_sudo": host.user != "root"} for host in self.fleet.hosts
        }
        reached = {key: value for key, value in self.data.items() if key.startswith("ssh_")}
        pairs = [(name, {**reached, **data}) for name, data in hosts.items()]
        (self.folder / "inventory.py").write_text(f"hosts = {pairs!r}\n")
        templates = material.templates(material.stack(self.data, material.PASSWORD), self.folder / "templates")
        mine = {"BENCH_PASSWORD": self.fleet.password, "BENCH_TEMPLATES": str(templates)}
        words = [str(PYINFRA), "-y", str(self.folder / "inventory.py"), str(RIVALS / "deploy.py")]
        return Command(words, {**self.fleet.environment(), **mine}, self.folder)


class Ansible(Way):
    """Ansible as its documentation advises it: pipelining, as many forks as hosts, connections that persist."""

    name = "ansible"

    def command(self, scene: str, former: str = "") -> Command:
        templates = material.templates(material.stack(self.data, material.PASSWORD), self.folder / "templates")
        digest = material.digest(material.stack(self.data, self.fleet.password))
        given = {"templates": str(templates), "checks": str(RIVALS / "checks")}
        secret = {"redis_password": self.fleet.password, "redis_password_sha256": digest}
        (self.folder / "vars.json").write_text(json.dumps({**given, **secret}))
        (self.folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": dict(map(self._host, self.fleet.hosts))}}))
        (self.folder / "ansible.cfg").write_text(self._settings())
        words = [str(VENV / "bin/ansible-playbook"), "-i", "hosts.yml", "-e", "@vars.json", str(RIVALS / "playbook.yml")]
        path = f"{VENV / 'bin'}:{os.environ['PATH']}"
        return Command(words, {**self.fleet.environment(), "PATH": path, "LC_ALL": "C.UTF-8"}, self.folder)

    def cold(self) -> None:
        # a connection that persists for a minute would serve the next run too, which comes hours later for an operator
        for path in (self.folder / "cp").glob("*"):
            subprocess.run(["ssh", "-F", "none", "-o", f"ControlPath={path}", "-O", "exit", "x"], capture_output=True, check=False)

    def _settings(self) -> str:
        lab = self.fleet.hosts[0].checkout.lab
        known = f"-o UserKnownHostsFile={lab}/ssh/known_hosts -o IdentitiesOnly=yes -F none"
        return (
            f"[defaults]\nforks = {len(self.fleet.hosts)}\ninterpreter_python = /usr/bin/python3\n"
            f"private_key_file = {lab}/ssh/key\n"
            f"[ssh_connection]\npipelining = True\ncontrol_path_dir = {self.folder}/cp\n"
            f"ssh_args = -C -o ControlMaster=auto -o ControlPersist=60s {known}\n"
        )

    @staticmethod
    def _host(host: Host) -> tuple[str, dict[str, object]]:
        data = {"ansible_host": "127.0.0.1", "ansible_port": host.port, "ansible_user": host.user}
        return host.name, data if host.user == "root" else {**data, "ansible_become": True}


class Floor(Way):
    """Bare ssh, all hosts at once: the remote commands that are needed and nothing else."""

    name = "floor"

    def command(self, scene: str, former: str = "") -> Command:
        lines = []
        for host in self.fleet.hosts:
            text = self.folder / f"{host.name}.sh"
            text.write_text(self._text(scene, host, former))
            shell = ("bash",) if host.user == "root" else ("sudo", "bash")
            words = shlex.join(host.ssh_command(*shell, "-s"))
            lines.append(f'{words} <{shlex.quote(str(text))} >{shlex.quote(str(text.with_suffix(".out")))} & pids="$pids $!"\n')
        return Command(["sh", "-c", f"{''.join(lines)}status=0\nfor pid in $pids; do wait $pid || status=1; done\nexit $status"])

    def confirm(self) -> None:
        super().confirm()
        for host in self.fleet.hosts:
            if not (self.folder / f"{host.name}.out").read_text().endswith(" bundle-end\n"):
                raise BenchError(f"floor: the snapshot of {host.name} did not come to its end")
        # so that the next snapshot does not ask Compose for its version, as one of ours does not
        note = "f=/usr/libexec/docker/cli-plugins/docker-compose; echo \"$(stat -L -c '%n %i %s %Y' $f) $($f version --short)\""
        in_parallel(lambda host: host.run(f"{note} >{STACK}/.fleet/compose"), self.fleet.hosts)

    def _text(self, scene: str, host: Host, former: str) -> str:
        wanted = material.stack(self.data, self.fleet.password)
        look = f"{material.snapshot(wanted)}\n"
        up = "docker compose up --detach --wait --pull never >/dev/null 2>&1 || exit 1\n"
        here = f"umask 077; mkdir -p {STACK} && cd {STACK} || exit 1\n"
        if scene == "provision":
            return here + material.unpacked(material.whole(wanted)) + up + look
        if scene in DRIFTED and host in self.drifted(scene):
            return here + material.unpacked(wanted.env_files) + up + look
        if scene == "rollout":
            both = material.accepting(wanted, material.digest(wanted), material.digest(material.stack(self.data, former)))
            alone = material.accepting(wanted)
            written = LOAD + material.unpacked(both) + "load\n" + material.unpacked(material.for_clients(wanted)) + up
            return here + written + material.unpacked(alone) + "load\n" + look
        return look


LOAD = """
redis=$(docker ps --quiet --filter label=com.docker.compose.project=erni-ki --filter label=com.docker.compose.service=redis)
load() {
    docker exec "$redis" sh -c 'REDISCLI_AUTH=$(cat /run/redis-auth/password) redis-cli acl load' | grep -q OK || exit 1
}
"""

WAYS: dict[str, type[Way]] = {way.name: way for way in (Ours, Waves, Own, Ansible, Floor)}
