"""The Docker Engine that carries the lab's hosts: the machine's if one answers, else one of the checkout's own, which is run from
what is installed here or, where nothing is, from Debian's packages."""

from __future__ import annotations

import grp
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import packages, traces
from .machine import Checkout, LabError, as_root, processes, run, say

LONGEST_SOCKET = 107  # bytes, of a unix socket's path
DEEPEST_SOCKET = "/exec/containerd/containerd-debug.sock.ttrpc"


@dataclass(frozen=True)
class Engine:
    """A Docker Engine that answers, or is about to."""

    client: tuple[str, ...]
    own: bool
    env: Mapping[str, str] = field(default_factory=dict)

    def docker(
        self,
        *words: str | Path,
        stdin: str | None = None,
        check: bool = True,
        timeout: float | None = None,
    ) -> str:
        return run(*self.client, *words, stdin=stdin, env=self.env, check=check, timeout=timeout)

    def logs(self, container: str) -> str:
        """The end of what a container said."""
        words = (*self.client, "logs", "--tail", "5", container)
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.stdout

    def answers(self) -> bool:
        """Whether it can carry hosts: it is there, it is Docker's, and it is root's."""
        said = self.docker("info", "--format", "{{.ServerVersion}} {{.SecurityOptions}}", check=False, timeout=20).strip()
        return bool(said) and "rootless" not in said


def find(checkout: Checkout) -> Engine | None:
    """The engine that the lab runs on now, if one answers. Starts nothing."""
    own = own_engine(checkout)
    if socket(checkout).exists() and own.answers():
        return own
    machine = Engine(("docker",), own=False)
    return machine if shutil.which("docker") and machine.answers() else None


def ensure(checkout: Checkout) -> Engine:
    """An engine that answers, whatever state an earlier one was left in."""
    found = find(checkout)
    if found:
        return found
    try:
        packages.fetch_tools(checkout)
    except packages.NoEngineError as error:
        raise LabError(f"{_unfit()}{error}") from None
    return start(checkout)


def _unfit() -> str:
    """A sentence on an engine that is here and cannot carry the lab, where one is."""
    if shutil.which("podman"):
        found = "Podman"
    elif shutil.which("docker") and Engine(("docker",), own=False).docker("info", check=False, timeout=20):
        found = "a Docker Engine that is not root's"
    else:
        return ""
    return f"This machine has {found}, which cannot carry the lab's hosts: each runs a Docker Engine of its own. "


def own_engine(checkout: Checkout) -> Engine:
    client = shutil.which("docker") or "docker"
    unpacked = checkout.tools / "usr/bin/docker"
    return Engine(
        (str(unpacked) if unpacked.exists() else client, "--host", f"unix://{socket(checkout)}"),
        own=True,
        env={"DOCKER_BUILDKIT": "0", "DOCKER_CONFIG": str(checkout.lab / "engine/client")},
    )


def data(checkout: Checkout) -> Path:
    return checkout.lab / "engine/data"


def runtime(checkout: Checkout) -> Path:
    """Where sockets and pid files go: under .lab, or under /run when that path is too long for a socket."""
    folder = checkout.lab / "engine"
    if len(f"{folder}{DEEPEST_SOCKET}".encode()) <= LONGEST_SOCKET:
        return folder
    return Path("/run") / checkout.slug


def socket(checkout: Checkout) -> Path:
    return runtime(checkout) / "docker.sock"


def outside(checkout: Checkout) -> list[Path]:
    """Folders of the engine that are not under .lab."""
    return [] if runtime(checkout).is_relative_to(checkout.lab) else [runtime(checkout)]


def start(checkout: Checkout) -> Engine:
    """The checkout's own dockerd, after everything that an earlier one left has been cleared away."""
    say("engine: starting this checkout's own dockerd")
    stop(checkout)
    traces.remember()
    home, folder = checkout.lab / "engine", runtime(checkout)
    (home / "client").mkdir(parents=True, exist_ok=True)
    (home / "daemon.json").write_text("{}\n")  # not the machine's
    if folder != home:
        run(*as_root("mkdir", "-m", "711", "-p", folder))
    log = home / "dockerd.log"
    words = packages.with_tools(
        checkout,
        "dockerd",
        f"--config-file={home}/daemon.json",
        f"--host=unix://{socket(checkout)}",
        f"--group={grp.getgrgid(os.getegid()).gr_name}",
        f"--data-root={data(checkout)}",
        f"--exec-root={folder}/exec",
        f"--pidfile={folder}/docker.pid",
        f"--cgroup-parent=/{checkout.slug}",
        *(f"--userland-proxy-path={path}" for path in checkout.tools.glob("usr/*bin/docker-proxy")),
        "--bridge=none",
        "--log-level=warn",
    )
    with log.open("ab") as output:
        daemon = subprocess.Popen(
            [str(word) for word in words],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    own = own_engine(checkout)
    for _ in range(300):
        if socket(checkout).exists() and own.answers():
            return own
        if daemon.poll() is not None:
            break
        time.sleep(0.1)
    last = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
    raise LabError(
        f"dockerd does not answer. The end of {log}:\n{last}\nIf that makes no sense: python -m tests.lab down --all, and up again."
    )


def stop(checkout: Checkout) -> None:
    """End every process of the checkout's own engine and remove what would keep the next one from starting."""
    _end(checkout, signal.SIGTERM, patience=8, only="dockerd")
    _end(checkout, signal.SIGKILL, patience=10)
    traces.unmount(checkout.lab, runtime(checkout))
    folder = runtime(checkout)
    run(*as_root("rm", "-rf", folder / "exec", folder / "docker.pid", folder / "docker.sock"))


def _end(checkout: Checkout, how: signal.Signals, patience: float, only: str = "") -> None:
    until = time.monotonic() + patience
    told: set[int] = set()
    while living := [pid for pid, name in processes(checkout).items() if only in ("", name)]:
        if time.monotonic() > until:
            return
        if fresh := set(living) - told:
            run(*as_root("kill", f"-{int(how)}", *map(str, fresh)), check=False)
            told |= fresh
        time.sleep(0.1)
