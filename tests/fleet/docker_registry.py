"""A real registry with a login, on the loopback address of lab hosts: Debian's docker-registry, which one host runs."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, field
from textwrap import dedent

import bcrypt

from operations.controller.secrets import new
from tests.fleet.wait import until
from tests.lab import Host
from tests.lab.images import in_hosts

AT = "127.0.0.1:5000"
USER = "team"
_APT = "export DEBIAN_FRONTEND=noninteractive; apt-get -q update && apt-get -q -y install --no-install-recommends"
_CONFIG = """\
version: 0.1
storage: {filesystem: {rootdirectory: /srv/registry/data}}
http: {addr: 0.0.0.0:5000}
auth: {htpasswd: {realm: lab, path: /srv/registry/htpasswd}}
"""


@dataclass(frozen=True)
class Registry:
    """Runs on one host, and is on 127.0.0.1 of whoever `reaches` it."""

    host: Host
    password: str
    pushed: dict[str, str] = field(default_factory=dict)  # version → digest

    @classmethod
    def on(cls, host: Host) -> Registry:
        registry = cls(host, new())
        host.run(f"{_APT} docker-registry && mkdir -p /srv/registry", timeout=300)
        hashed = bcrypt.hashpw(registry.password.encode(), bcrypt.gensalt(4)).decode()
        host.run("cat >/srv/registry/htpasswd", stdin=f"{USER}:{hashed}\n")
        host.run("cat >/srv/registry/config.yml", stdin=_CONFIG)
        registry.stop()
        serve = "setsid docker-registry serve /srv/registry/config.yml"
        host.run(f"rm -rf /srv/registry/data; ({serve} >/srv/registry/log 2>&1 & echo $! >/srv/registry/pid)")
        until(lambda: host.succeeds(f"curl --silent http://{AT}/v2/"))
        return registry

    def stop(self) -> None:
        self.host.run("[ ! -f /srv/registry/pid ] || kill $(cat /srv/registry/pid); rm -f /srv/registry/pid", check=False)

    def reached_from(self, other: Host) -> None:
        other.run(f"{_APT} socat", timeout=300)
        other.run(f"(setsid socat TCP-LISTEN:5000,bind=127.0.0.1,fork,reuseaddr TCP:{self.host.address}:5000 >/dev/null 2>&1 &)")
        until(lambda: other.succeeds(f"curl --silent http://{AT}/v2/"))

    def push(self, image: str, version: str, well: bool = True) -> str:
        """A page that says its version, which is not healthy where it is not `well`; returns its digest. No host keeps it."""
        file = dedent(f"""\
            FROM {in_hosts("openwebui-standin")}
            WORKDIR /srv
            RUN echo {version} >version{" && touch well" if well else ""}
            CMD ["python3", "-m", "http.server", "8097"]
            """)
        auths = {AT: {"auth": b64encode(f"{USER}:{self.password}".encode()).decode()}}
        self.host.run("mkdir -p /srv/registry/docker && cat >/srv/registry/docker/config.json", stdin=json.dumps({"auths": auths}))
        self.host.run(f"docker tag {image} before 2>/dev/null; docker build --quiet --no-cache --tag {image} -", stdin=file)
        self.host.run(f"DOCKER_CONFIG=/srv/registry/docker docker push --quiet {image}")
        shown = self.host.run(f"docker image inspect --format '{{{{index .RepoDigests 0}}}}' {image}")
        self.host.run(
            f"docker rmi --force {image} {shown.strip()}; docker tag before {image} 2>/dev/null; docker rmi before 2>/dev/null; "
            "rm -r /srv/registry/docker",
            check=False,
        )
        self.pushed[version] = shown.strip().partition("@")[2]
        return self.pushed[version]
