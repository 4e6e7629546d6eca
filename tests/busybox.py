"""`python -m tests.busybox [words]`: tests of scripts on hosts whose sh, awk, sed and the like are busybox's, as Alpine's are.

+ words: for pytest; those tests that fit when left out

busybox is that of Debian's package, unpacked and not installed. Beside it are the programs that hosts need, and no others.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

# what engine/install.sh installs where it is missing; and what tests themselves use, to be another user
NEEDED = ("bash", "curl", "jq", "setpriv")
# Debian's busybox has no flock; Alpine's has one without -w
FLOCK = """#!/bin/sh
case $1 in -*) echo "flock: unrecognized option: $1" >&2; exit 1 ;; esac
exec {flock} "$@"
"""
TESTS = (
    "tests/unit/scripts", "tests/unit/services/redis/test_scripts.py", "tests/unit/facts/test_facts.py",
    "tests/unit/test_put.py", "tests/unit/test_seen.py", "tests/unit/test_host_scripts.py",
)  # fmt: skip


def busybox(folder: Path) -> Path:
    """The machine's, or that of Debian's package."""
    if found := shutil.which("busybox"):
        return Path(found)
    words = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", "busybox"]
    subprocess.run(words, cwd=folder, check=True)
    (package,) = folder.glob("busybox_*.deb")
    subprocess.run(["dpkg", "-x", package, folder / "unpacked"], check=True)
    return next(path for path in (folder / "unpacked").glob("**/bin/busybox") if path.is_file())


def programs(folder: Path) -> Path:
    """A folder for PATH with what such a host has."""
    program, path = busybox(folder), folder / "bin"
    path.mkdir()
    listed = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout
    for name in listed.split():
        (path / name).symlink_to(program)
    for name in NEEDED:
        (path / name).unlink(missing_ok=True)
        (path / name).symlink_to(shutil.which(name) or name)
    (path / "flock").unlink(missing_ok=True)
    (path / "flock").write_text(FLOCK.format(flock=shutil.which("flock")))
    (path / "flock").chmod(0o755)
    return path


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        os.environ["UNIT_PROGRAMS"] = str(programs(Path(folder)))
        return int(pytest.main(sys.argv[1:] or ["-q", *TESTS]))


if __name__ == "__main__":
    sys.exit(main())
