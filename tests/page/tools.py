"""Programs that these tests need and no Python package brings: the machine's own, or Debian's, unpacked into .lab/page."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.machine import Checkout, LabError, in_parallel, run

_APT = ("apt-get", "-qq", "-o", "APT::Sandbox::User=root", "-o", "Debug::NoLocking=true", "-o", "Acquire::Retries=3")


@dataclass(frozen=True)
class Tool:
    """A program: its words, and the environment that it needs."""

    words: tuple[str, ...]
    env: dict[str, str]


def tool(names: tuple[str, ...], package: str, libraries: bool = False) -> Tool:
    """The first of these programs that the machine has, else the one in a Debian package.

    + libraries: the package's dependencies are fetched as well
    """
    for name in names:
        if found := shutil.which(name):
            return Tool((found,), dict(os.environ))
    if not shutil.which("apt-get"):
        pytest.skip(f"there is no {' or '.join(names)} on this machine, and no apt to fetch it with")
    folder = Checkout.here().lab / "page" / package
    if not folder.exists():
        _fetch(package, folder, libraries)
    program = next(path for name in names for path in folder.glob(f"usr/**/{name}") if _is_binary(path))
    paths = sorted({str(path.parent) for path in folder.glob("usr/lib/**/*.so*")})
    # fonts that were fetched too are found beside the machine's own
    env = {"LD_LIBRARY_PATH": ":".join(paths), "XDG_DATA_HOME": str(folder / "usr/share")}
    if (fonts := folder / "etc/fonts").exists():
        env["FONTCONFIG_PATH"] = str(fonts)
    return Tool((str(program),), {**os.environ, **env})


def _is_binary(path: Path) -> bool:
    """Not the script in usr/bin, which looks for the program where it would be installed."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _fetch(package: str, folder: Path, libraries: bool) -> None:
    """Unpack it beside its place and move it there, so that an interrupted fetch leaves nothing that looks whole."""
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    archives = part / "archives"
    (archives / "partial").mkdir(parents=True)
    if not _download(package, archives, libraries):
        lists = part / "lists"
        (lists / "partial").mkdir(parents=True)
        private = ("-o", f"Dir::State::lists={lists}")
        run(*_APT, *private, "update")
        if not _download(package, archives, libraries, *private):
            raise LabError(f"apt does not get {package}. Install it yourself and try again.")
    in_parallel(lambda deb: run("dpkg", "-x", deb, part), sorted(archives.glob("*.deb")))
    shutil.rmtree(archives)
    shutil.rmtree(part / "lists", ignore_errors=True)
    part.rename(folder)


def _download(package: str, archives: Path, libraries: bool, *options: str) -> bool:
    words = ["download"]
    if libraries:
        words = ["--yes", "--download-only", "--no-install-recommends", "-o", f"Dir::Cache::archives={archives}", "install"]
    run(*_APT, *options, *words, package, check=False, cwd=archives)
    return any(archives.glob(f"{package}_*.deb"))


def chromium_tool() -> Tool:
    return tool(("chromium-headless-shell", "chromium", "google-chrome"), "chromium-headless-shell", libraries=True)


def ran(tool: Tool, *words: str | Path, stdin: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*tool.words, *map(str, words)], input=stdin, capture_output=True, text=True, env=tool.env, cwd=cwd)
