"""A host of the lab: a container with its own sshd and, unless it is a bare one, its own dockerd."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .engine import Engine
from .machine import Checkout, LabError


@dataclass(frozen=True)
class Host:
    """How a host is reached: over SSH as the project does it, and past it for a test's own eyes and hands."""

    name: str
    address: str  # in the network of the hosts
    port: int  # of its sshd, on 127.0.0.1
    user: str  # that SSH logs in: root, or operator who needs sudo
    bare: bool  # came without Docker
    checkout: Checkout = field(repr=False, compare=False)
    engine: Engine = field(repr=False, compare=False)

    @property
    def container(self) -> str:
        """The name of the container that it is, on the lab's engine."""
        return f"{self.checkout.slug}-{self.name}"

    def run(self, text: str, *, stdin: str | None = None, check: bool = True, timeout: float | None = 120) -> str:
        """Run sh text as root, not over SSH, and return what it printed. With `check` a failure is a LabError."""
        return _run(self._exec(text), self.engine.env, self.name, text, stdin, check, timeout)

    def succeeds(self, text: str) -> bool:
        """Whether sh text ends with status 0; as root, not over SSH."""
        return self.run(f"if {{ {text}\n}} >/dev/null 2>&1; then echo yes; fi", check=False).strip() == "yes"

    def ssh(self, text: str, *, stdin: str | None = None, check: bool = True, timeout: float | None = 120) -> str:
        """Run sh text over SSH as the inventory's user, and return what it printed."""
        return _run(self.ssh_command(text), {}, self.name, text, stdin, check, timeout)

    def ssh_command(self, *words: str) -> list[str]:
        folder = self.checkout.lab / "ssh"
        options = (
            f"IdentityFile={folder}/key",
            "IdentitiesOnly=yes",
            f"UserKnownHostsFile={folder}/known_hosts",
            "StrictHostKeyChecking=yes",
            "LogLevel=ERROR",
        )
        given = [word for option in options for word in ("-o", option)]
        return ["ssh", "-F", "none", *given, "-p", str(self.port), f"{self.user}@127.0.0.1", *words]

    def sessions(self) -> int:
        """How many commands and shells were started over SSH since this host was made."""
        return int(self.run("grep -c 'Starting session' /var/log/sshd.log || true"))

    def load_images(self) -> None:
        """Load the services' images: for a bare host, after Docker was installed there."""
        self.run("docker load --quiet --input /lab/*.tar", timeout=300)

    def pause(self) -> None:
        """Freeze it: connections stand, and nothing answers."""
        self.engine.docker("pause", self.container)

    def unpause(self) -> None:
        self.engine.docker("unpause", self.container)

    def switch_off(self) -> None:
        """Power off, all at once; files and containers stay. `Lab.up` switches it on again."""
        self.engine.docker("kill", self.container)

    def _exec(self, text: str) -> list[str]:
        return [*self.engine.client, "exec", "--interactive", self.container, "sh", "-c", text]


def _run(
    words: Sequence[str],
    env: Mapping[str, str],
    name: str,
    text: str,
    stdin: str | None,
    check: bool,
    timeout: float | None,
) -> str:
    try:
        done = subprocess.run(
            words,
            input=stdin or "",
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{name}: did not end within {timeout} s: {text}") from error
    if check and done.returncode:
        raise LabError(f"{name}: {text}\nended with status {done.returncode}. It says:\n{done.stdout}{done.stderr}")
    return done.stdout
