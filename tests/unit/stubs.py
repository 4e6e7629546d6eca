"""A host of stand-in programs: scripts run with the real sh, but `docker` and `curl` only note how they were called.

What that cannot prove: that the real programs take these words and answer like this. The lab's tests do.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Collection
from functools import cache
from pathlib import Path

from pyinfra.api import StringCommand

from operations import scripts
from operations.scripts import Parameter

_NOTE = """#!/bin/sh
noted=$(for word in "$@"; do printf '%s\\037' "$word"; done; printf '\\036')
printf %s "$noted" >>'@LOG@' # at once: several may be called at the same time
export -p >>'@LOG@.env'
"""

# where a host has its programs; of busybox with `python -m tests.busybox`
_PROGRAMS = tuple(map(Path, os.environ.get("UNIT_PROGRAMS", "/usr/bin:/bin").split(":")))

HOSTILE_FOLDERS = ["a b", "it's", 'a "quoted" one', "$(touch x)", "`touch x`", "a;touch x", "-x", "a\\nb", "*", "ü"]


@cache
def _machine() -> str:
    """The machine's own programs, as a PATH: without its Docker, for a host has only what a test gives it."""
    if not any((folder / "docker").exists() for folder in _PROGRAMS):
        return ":".join(map(str, _PROGRAMS))
    folder = Path(tempfile.mkdtemp(prefix="without-docker-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _link(folder, ("docker", "docker-compose", "dockerd"))
    return str(folder)


def _link(folder: Path, without: Collection[str]) -> None:
    for found in (found for programs in _PROGRAMS for found in programs.iterdir()):
        if found.name not in without and not (folder / found.name).is_symlink():
            (folder / found.name).symlink_to(found)


class StubHost:
    """A folder with stand-ins on its PATH; `root` is where the stack lies."""

    def __init__(self, folder: Path, root: str = "stack") -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.home = folder / "home"
        self.home.mkdir()
        self.root = folder / root
        self.root.mkdir()
        self._log = folder / "log"
        self._log.mkdir()
        self.path = f"{self.bin}:{_machine()}"
        self.environment: dict[str, str] = {}  # what a login there sets besides

    def stub(self, name: str, body: str = "") -> None:
        """Puts a stand-in on the PATH; `body` is its shell code, run after the call was noted."""
        path = self.bin / name
        path.write_text(_NOTE.replace("@LOG@", str(self._log / name)) + body)
        path.chmod(0o755)

    @property
    def plugin(self) -> Path:
        """Where docker's client looks first for its plugin Compose."""
        return self.home / ".docker" / "cli-plugins" / "docker-compose"

    def with_compose(self, body: str) -> None:
        """The plugin is a stand-in; `body` is its shell code."""
        self.plugin.parent.mkdir(parents=True, exist_ok=True)
        self.plugin.write_text(f"#!/bin/sh\n{body}\n")
        self.plugin.chmod(0o755)

    def only(self, *programs: str) -> None:
        """Nothing is on the PATH but the stand-ins and these programs of the machine."""
        for name in programs:
            found = shutil.which(name, path=f"{_machine()}:{os.environ['PATH']}")
            assert found is not None, f"{name} is not on this machine"
            (self.bin / name).symlink_to(found)
        self.path = str(self.bin)

    def without(self, *programs: str) -> None:
        """The PATH holds all that the machine has but these programs."""
        _link(self.bin, programs)
        self.path = str(self.bin)

    def calls(self, name: str) -> list[list[str]]:
        """The words of every call of a stand-in, in order."""
        log = self._log / name
        calls = log.read_text().split("\x1e")[:-1] if log.exists() else []
        return [call.split("\x1f")[:-1] for call in calls]

    def shown_to_processes(self) -> str:
        """Everything that stood in the argv or the environment of a stand-in."""
        return "".join(path.read_text() for path in self._log.iterdir())

    def script(self, name: str, /, **parameters: Parameter) -> subprocess.CompletedProcess[str]:
        """Runs a script of the library as its operations and facts do."""
        return self.command(scripts.run(name, **parameters))

    def start(self, name: str, /, **parameters: Parameter) -> subprocess.Popen[str]:
        """Starts a script and does not wait for its end."""
        command = scripts.run(name, **parameters)
        process = subprocess.Popen(
            ["sh", "-c", command.get_raw_value()], cwd=self.home, env=self._environment(), umask=0o022,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(str(command.connector_arguments["_stdin"]))
        process.stdin.close()
        process.stdin = None  # `communicate` would flush it
        return process

    def command(self, command: StringCommand | str, timeout: float = 30) -> subprocess.CompletedProcess[str]:
        """Runs the command of a fact or an operation as pyinfra does."""
        text = command if isinstance(command, str) else command.get_raw_value()
        stdin = "" if isinstance(command, str) else str(command.connector_arguments.get("_stdin", ""))
        return self._run(["sh", "-c", text], stdin, timeout)

    def _run(self, words: list[str], stdin: str, timeout: float = 30) -> subprocess.CompletedProcess[str]:
        shell = shutil.which(words[0], path=_machine()) or "/bin/sh"
        return subprocess.run(
            [shell, *words[1:]], input=stdin, capture_output=True, text=True, check=False,
            cwd=self.home, env=self._environment(), umask=0o022, timeout=timeout,
        )  # fmt: skip

    def _environment(self) -> dict[str, str]:
        return {**self.environment, "PATH": self.path, "HOME": str(self.home), "LC_ALL": "C.UTF-8"}

    def write(self, path: str, text: str, mode: int = 0o600) -> Path:
        """A file below the stack's folder."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)
        return file

    def nothing_was_executed(self) -> bool:
        """No `touch x` of a hostile name was run."""
        return not any("x" in files for _, _, files in os.walk(self.root.parent))
