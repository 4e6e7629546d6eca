"""The lab takes the Docker Engine that is there: one that runs, one that is installed, else apt's. The programs are stand-ins."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab import engine, packages, traces
from tests.lab.machine import Checkout, LabError

ANSWERS = 'case "$*" in *info*) echo "28.2.2 [name=seccomp]" ;; esac'
ROOTLESS = 'case "$*" in *info*) echo "28.2.2 [name=rootless]" ;; esac'
# answers where the socket that it is asked over is there
OVER_ITS_SOCKET = 'socket=${2#unix://}; [ -S "$socket" ] || [ -e "$socket" ] && echo 28.2.2'
# makes its socket, and stays
DAEMON = 'for word in "$@"; do case $word in --host=unix://*) : >"${word#--host=unix://}" ;; esac; done; exec sleep 20'
# "downloads" whatever it is asked for and has
APT = """
for word in "$@"; do
    case $word in Dir::Cache::archives=*) archives=${word#*=} ;; esac
    [ "$word" != docker.io ] || [ -z "$HAS" ] || : >"$archives/docker.io_1_all.deb"
done
"""
UNPACKED = f"""
mkdir -p "$3/usr/sbin"
printf '%s' '#!/bin/sh\n{DAEMON}' >"$3/usr/sbin/dockerd"
chmod +x "$3/usr/sbin/dockerd"
"""

Put = Callable[..., None]


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Puts a stand-in on a PATH that has little else; `put(name, body)`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("HAS", "")
    monkeypatch.setattr(packages, "SYSTEM", ())
    for name in ("sh", "env", "mkdir", "rm", "cat", "find", "chmod", "sleep", "kill", "umount", "printf"):
        (folder / name).symlink_to(shutil.which(name, path="/usr/bin:/bin") or "/bin/false")

    def write(name: str, body: str = "exit 1") -> None:
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)

    write("sudo", 'shift; exec "$@"')
    for name in (*packages.NEEDED, "apt-cache"):
        if name != "dockerd":
            write(name)
    return write


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    monkeypatch.setattr(traces, "remember", lambda: None)  # the machine's own network
    monkeypatch.setattr(engine, "LONGEST_SOCKET", 10_000)  # all of it below this folder: the stand-ins' socket is none
    return Checkout(tmp_path)


def test_an_engine_that_runs_is_taken(put: Put, checkout: Checkout) -> None:
    put("docker", ANSWERS)
    found = engine.ensure(checkout)
    assert (found.client, found.own) == (("docker",), False)
    assert not checkout.tools.exists()


def test_one_that_is_installed_is_started(put: Put, checkout: Checkout) -> None:
    put("docker", OVER_ITS_SOCKET)
    put("dockerd", DAEMON)
    put("apt-get")  # has nothing, and need not
    try:
        assert engine.ensure(checkout).own
        assert list(checkout.tools.glob("**/dockerd")) == []
    finally:
        engine.stop(checkout)


def test_where_none_is_installed_apts_is_unpacked_and_started(
    put: Put, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAS", "it")
    put("docker", OVER_ITS_SOCKET)
    put("apt-get", APT)
    put("dpkg", UNPACKED)
    try:
        assert engine.ensure(checkout).own
        assert (checkout.tools / "usr/sbin/dockerd").exists()
    finally:
        engine.stop(checkout)


@pytest.mark.parametrize(
    ("program", "body", "says"),
    [
        ("docker", ROOTLESS, "This machine has a Docker Engine that is not root's, which cannot carry the lab's hosts: "),
        ("podman", "exit 0", "This machine has Podman, which cannot carry the lab's hosts: "),
        ("unrelated", "exit 0", "apt has no docker.io. Install Docker Engine yourself; the lab uses it, whether it runs or not."),
    ],
)
def test_where_there_is_none_and_apt_has_none_a_sentence_says_so(
    put: Put, checkout: Checkout, program: str, body: str, says: str
) -> None:
    put("apt-get", APT)
    put(program, body)
    with pytest.raises(LabError) as caught:
        engine.ensure(checkout)
    assert str(caught.value).startswith(says)
    assert "Install Docker Engine" in str(caught.value)


def test_a_rootless_engine_is_passed_over_for_one_that_is_installed(put: Put, checkout: Checkout) -> None:
    put("docker", f'{OVER_ITS_SOCKET}; [ -n "$socket" ] && [ -e "$socket" ] || {{ {ROOTLESS}; }}')
    put("dockerd", DAEMON)
    put("apt-get")
    try:
        assert engine.ensure(checkout).own
    finally:
        engine.stop(checkout)


def test_an_installed_engines_processes_are_known_by_their_folders(put: Put, checkout: Checkout) -> None:
    assert os.fspath(engine.socket(checkout)).startswith(checkout.engine_folders)
    assert os.fspath(engine.data(checkout)).startswith(checkout.engine_folders)
