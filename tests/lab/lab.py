"""The lab as a whole: the hosts of one checkout, brought up, described for pyinfra, and taken down."""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from . import access, network, traces
from . import engine as engines
from .engine import Engine
from .hosts import Host
from .images import Images
from .machine import LABEL, Checkout, LabError, as_root, in_parallel, run, say

PATIENCE = 150  # seconds that a host may take to start, on a busy machine
MOST = 50  # hosts of a kind
# labels of a host's container
MADE_FROM = f"{LABEL}.made-from"
PORT = f"{LABEL}.port"

# A privileged container, for machines where not every capability can be given away. It has the machine's control
# groups, for a dockerd in a host that mounts its own finds that runc looks elsewhere.
PRIVILEGED = (
    *("--cgroupns", "host", "--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE"),
    *("--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"),
    *("--security-opt", "systempaths=unconfined", "--device-cgroup-rule", "a *:* rwm"),
    *("--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw"),
)

# Prints the host's key, and unless it is a bare one its images, once sshd and dockerd answer.
PROBE = """
[ -e /run/lab-started ] || exit 1
if [ "$docker" = yes ]; then
    images=$(docker images --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}}') || {
        # on a busy machine dockerd gives its containerd up before that is there
        pgrep -x dockerd >/dev/null || service docker start
        exit 1
    }
fi
cat /etc/ssh/ssh_host_ed25519_key.pub
echo "$images"
"""


@dataclass(frozen=True)
class Seen:
    """A host's container, as the engine lists it."""

    state: str
    made_from: str
    port: int

    @property
    def on(self) -> bool:
        return self.state in ("running", "paused")


class Lab:
    """The lab of a checkout."""

    def __init__(self, checkout: Checkout) -> None:
        self.checkout = checkout

    @classmethod
    def here(cls) -> Lab:
        return cls(Checkout.here())

    @property
    def hosts(self) -> list[Host]:
        """The hosts that the last `up` left, as the inventory has them."""
        known = access.read_inventory(self.checkout)
        return [self._host(name, data["lab_address"], data["ssh_port"]) for name, data in known.items()]

    def host(self, name: str) -> Host:
        hosts = {host.name: host for host in self.hosts}
        if name not in hosts:
            raise LabError(f"The lab has no host {name}. It has: {', '.join(hosts)}")
        return hosts[name]

    def up(self, hosts: int = 3, bare: int = 0) -> list[Host]:
        """Bring the lab to exactly these hosts, all running, from whatever state it is in."""
        if hosts not in range(MOST + 1) or bare not in range(MOST + 1) or not hosts + bare:
            raise LabError(f"Asked for {hosts} hosts and {bare} bare ones, expected at least one and at most {MOST} of a kind.")
        names = [f"erni-{n + 1}" for n in range(hosts)] + [f"bare-{n + 1}" for n in range(bare)]
        with self.checkout.locked():
            self._use(engines.ensure(self.checkout))
            self.images.build()
            seen = self._seen()
            in_parallel(self._remove, [name for name in seen if name not in names])
            access.make_key(self.checkout)
            access.make_secrets(self.checkout)
            subnet = network.ensure(self.checkout, self.engine)
            kept = {name: host.port for name, host in seen.items() if host.on or network.is_free(host.port)}
            ports = network.ports(self.checkout, names, kept)
            wanted = [self._host(name, network.address(subnet, name), ports[name]) for name in names]
            keys = in_parallel(lambda host: self._bring_up(host, seen.get(host.name)), wanted)
            access.know(self.checkout, dict(zip(wanted, keys, strict=True)))
            access.write_inventory(self.checkout, wanted)
            self._keep_compose(wanted)
        return wanted

    def renew(self, name: str) -> Host:
        """Throw a host away, with all that is on it, and make it anew: same name, address and port."""
        with self.checkout.locked():
            host = self.host(name)
            self._remove(name)
            access.know(self.checkout, {host: self._bring_up(host, None)}, keep=True)
        return host

    def down(self, everything: bool = False) -> None:
        """Remove the hosts; with `everything` also images, engine and whatever else the lab left on this machine."""
        with self.checkout.locked():
            own = engines.data(self.checkout).exists()
            found = engines.find(self.checkout)
            if own and not everything and not (found and found.own):
                found = engines.start(self.checkout)  # only a living engine removes what a dead one left
            if not own and not found and access.inventory(self.checkout).exists():
                raise LabError("The Docker Engine that the lab runs on does not answer. Start it and try again.")
            if found:
                self._use(found)
                say("hosts: removing")
                in_parallel(self._remove, list(self._seen()))
                self.engine.docker("network", "rm", self.checkout.slug, check=False)
                if everything and not found.own:
                    self.images.remove()
            if own and everything:
                say("engine: stopping, and clearing up behind it")
                engines.stop(self.checkout)
            traces.remove_cgroups(self.checkout)
            if everything:
                traces.restore(self.checkout)
                run(*as_root("rm", "-rf", "--one-file-system", self.checkout.lab, *engines.outside(self.checkout)))
            else:
                access.inventory(self.checkout).unlink(missing_ok=True)

    def status(self) -> list[dict[str, str]]:
        """A row for each host: what it is and how it is."""
        found = engines.find(self.checkout)
        if not found:
            return []
        self._use(found)
        seen = self._seen()
        return in_parallel(lambda host: self._row(host, seen.get(host.name)), self.hosts if seen else [])

    @cached_property
    def engine(self) -> Engine:
        found = engines.find(self.checkout)
        if not found:
            raise LabError("The lab's Docker Engine does not answer. Start it with: python -m tests.lab up")
        return found

    @cached_property
    def images(self) -> Images:
        return Images(self.checkout, self.engine)

    def _use(self, engine: Engine) -> None:
        self.engine = engine
        self.images = Images(self.checkout, engine)

    def _host(self, name: str, address: str, port: int) -> Host:
        bare = name.startswith("bare-")
        user = "operator" if name == "erni-2" else "root"  # one that needs sudo
        return Host(name, address, port, user, bare, self.checkout, self.engine)

    def _seen(self) -> dict[str, Seen]:
        label = f"label={self.checkout.label}"
        shown = f'{{{{.Names}}}}\t{{{{.State}}}}\t{{{{.Label "{MADE_FROM}"}}}}\t{{{{.Label "{PORT}"}}}}'
        lines = self.engine.docker("ps", "--all", "--filter", label, "--filter", f"label={PORT}", "--format", shown)
        seen = {}
        for line in lines.splitlines():
            name, state, made_from, port = line.split("\t")
            seen[name.removeprefix(f"{self.checkout.slug}-")] = Seen(state, made_from, int(port))
        return seen

    def _bring_up(self, host: Host, seen: Seen | None) -> str:
        """The host runs, answers and has the images: by the gentlest way that leads there. Returns its SSH key."""
        if seen and seen.made_from == self._made_from(host):
            if seen.on:
                with suppress(LabError):
                    if seen.state == "paused":
                        host.unpause()
                    return self._answer(host, patience=3)
            with suppress(LabError):
                say(f"{host.name}: starting")
                self.engine.docker("restart", "--time", "0", host.container)
                return self._answer(host)
        say(f"{host.name}: starting anew")
        self._remove(host.name)
        self._make(host)
        return self._answer(host)

    def _answer(self, host: Host, patience: float = PATIENCE) -> str:
        """The host's SSH key, once it is up and has the images."""
        until = time.monotonic() + patience
        while True:
            try:
                key, *images = host.run(f"docker={'no' if host.bare else 'yes'}{PROBE}").splitlines()
                break
            except LabError as error:
                if time.monotonic() > until:
                    said = self.engine.logs(host.container) + host.run("tail -n 5 /var/log/docker.log", check=False)
                    raise LabError(f"{host.name} does not answer within {patience:.0f} s. {error}\n{said}") from error
            time.sleep(0.2)
        if not host.bare and not self.images.loaded().items() <= dict(line.split() for line in images if line).items():
            self.images.save()
            say(f"{host.name}: loading the services' images")
            host.load_images()
        return key

    def _make(self, host: Host) -> None:
        volume = f"{host.container}-docker"
        self.images.folder.mkdir(exist_ok=True)
        self.engine.docker("volume", "create", "--label", self.checkout.label, volume)
        self.engine.docker(
            *("run", "--detach", "--name", host.container, "--hostname", host.name, "--label", self.checkout.label),
            *("--label", f"{MADE_FROM}={self._made_from(host)}", "--label", f"{PORT}={host.port}"),
            *("--network", self.checkout.slug, "--network-alias", host.name, "--ip", host.address),
            *("--publish", f"127.0.0.1:{host.port}:22", *PRIVILEGED, "--tmpfs", "/run:exec,mode=755"),
            *("--volume", f"{volume}:/var/lib/docker", "--volume", f"{self.images.folder}:/lab:ro"),
            *("--env", f"LAB_KEY={access.public_key(self.checkout)}"),
            *("--env", f"LAB_CGROUP=/{self.checkout.slug}/{host.name}"),
            self._image(host),
        )

    def _remove(self, name: str) -> None:
        container = f"{self.checkout.slug}-{name}"
        self.engine.docker("rm", "--force", "--volumes", container, check=False)
        self.engine.docker("volume", "rm", "--force", f"{container}-docker", check=False)

    def _image(self, host: Host) -> str:
        return self.images.tag("host-bare" if host.bare else "host")

    def _made_from(self, host: Host) -> str:
        """Tells a container that an older lab left from one that can stay."""
        parts = (self._image(host), access.public_key(self.checkout), host.address, str(host.port), *PRIVILEGED)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]

    def _keep_compose(self, hosts: list[Host]) -> None:
        """Compose for tests that need it without a host."""
        kept = self.checkout.tools / "usr/libexec/docker/cli-plugins/docker-compose"
        carrier = next((host for host in hosts if not host.bare), None)
        if carrier and not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            self.engine.docker("cp", f"{carrier.container}:/usr/libexec/docker/cli-plugins/docker-compose", kept)

    def _row(self, host: Host, seen: Seen | None) -> dict[str, str]:
        versions = ""
        if seen and seen.state == "running":
            versions = host.run("docker version -f '{{.Server.Version}}' && docker compose version --short", check=False)
        docker, compose, *_ = [*versions.split(), "-", "-"]
        return {
            "host": host.name,
            "state": seen.state if seen else "gone",
            "address": host.address,
            "ssh": f"{host.user}@127.0.0.1:{host.port}",
            "docker": docker,
            "compose": compose,
        }
