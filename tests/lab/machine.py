"""What the lab needs of this machine: its paths, commands that are run on it, and errors that say what to do."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

LABEL = "pyinfra-compose.lab"

ENGINE = ("dockerd", "containerd", "containerd-shim-runc-v2", "docker-proxy")

T = TypeVar("T")
R = TypeVar("R")


class LabError(Exception):
    """The lab cannot do what was asked; the text says why and what to do."""


@dataclass(frozen=True)
class Checkout:
    """A working copy of the project. All of its lab lies in `.lab` and in Docker objects that are labelled with its path."""

    root: Path

    @classmethod
    def here(cls) -> Checkout:
        # a second working copy of one person may use the lab of the first
        return cls(Path(os.environ.get("LAB_CHECKOUT") or Path(__file__).parents[2]).resolve())

    @property
    def lab(self) -> Path:
        return self.root / ".lab"

    @property
    def tools(self) -> Path:
        """Debian packages, unpacked and not installed."""
        return self.lab / "tools"

    @property
    def slug(self) -> str:
        """A name that no other checkout on this machine has."""
        return f"{LABEL.replace('.', '-')}-{self.digest[:8]}"

    @property
    def digest(self) -> str:
        return hashlib.sha256(str(self.root).encode()).hexdigest()

    @property
    def engine_folders(self) -> tuple[str, str]:
        """Where its own engine has its files: under .lab and, where that path is too long for a socket, under /run."""
        return f"{self.lab}/engine/", f"/run/{self.slug}/"

    @property
    def bridge(self) -> str:
        """The network interface that the hosts hang on."""
        return f"lab-{self.digest[:8]}"

    @property
    def label(self) -> str:
        return f"{LABEL}={self.root}"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One `up` or `down` at a time; a second one waits."""
        while True:
            self.lab.mkdir(mode=0o700, exist_ok=True)
            path = self.lab / "lock"
            with path.open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if path.exists() and path.samefile(f"/proc/self/fd/{lock.fileno()}"):  # no `down --all` took it away
                    yield
                    return


def say(text: str) -> None:
    """A line of progress."""
    sys.stderr.write(f"{text}\n")  # in one piece: several threads talk


def run(
    *words: str | Path,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
    check: bool = True,
    timeout: float | None = None,
    cwd: Path | None = None,
) -> str:
    """Run a command and return what it printed; `check=False` takes a failure for an empty answer."""
    try:
        done = subprocess.run(
            [str(word) for word in words],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            cwd=cwd,
        )
    except FileNotFoundError as error:
        if check:
            raise LabError(f"{words[0]} is not on this machine. Install it and try again.") from error
        return ""
    except subprocess.TimeoutExpired as error:
        if check:
            raise LabError(f"{' '.join(map(str, words[:4]))} … did not end within {timeout:.0f} s.") from error
        return ""
    if done.returncode == 0:
        return done.stdout
    if check:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise LabError(f"{' '.join(map(str, words))[:300]} failed (status {done.returncode}). It says:\n{said}")
    return ""


def as_root(*words: str | Path) -> tuple[str | Path, ...]:
    """The command, with sudo where this user is not root."""
    return words if os.geteuid() == 0 else ("sudo", "--non-interactive", *words)


def in_parallel(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """The work on every item at once; the first error is raised when all have ended."""
    items = list(items)
    with ThreadPoolExecutor(max(len(items), 1)) as pool:
        return list(pool.map(work, items))


def executables() -> dict[int, str]:
    """Every living process of this machine → the program that it runs."""
    find = "find /proc -mindepth 2 -maxdepth 2 -path '/proc/[0-9]*/exe' -printf '%h %l\\n' 2>/dev/null; true"
    lines = (line.split(" ", 1) for line in run(*as_root("sh", "-c", find)).splitlines())
    return {int(folder.removeprefix("/proc/")): program for folder, program in lines if program}


def processes(checkout: Checkout) -> dict[int, str]:
    """The living processes of this checkout's own engine → their names.

    They are run from its tools, or in its control groups, or are an installed engine's and were given its folders.
    """
    return {
        pid: Path(program).name
        for pid, program in executables().items()
        if program.startswith(f"{checkout.tools}/")
        or f":/{checkout.slug}/" in _text(Path(f"/proc/{pid}/cgroup"))
        or (Path(program).name in ENGINE and any(one in _text(Path(f"/proc/{pid}/cmdline")) for one in checkout.engine_folders))
    }


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
