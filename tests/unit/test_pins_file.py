"""images.lock, and archives of images without the layers that a host has."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from operations.controller import pins
from operations.controller.copy import _Bounded, _saved_here, without
from operations.stack.errors import SettingsError
from operations.stack.pins import Pin

DIGEST, OTHER = (f"sha256:{letter * 64}" for letter in "ab")
IDS = [f"sha256:{letter * 64}" for letter in "cde"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "images.lock"


def test_what_is_kept_is_read_again(path: Path) -> None:
    known = {"redis:8": Pin(DIGEST, frozenset(IDS[:1])), "built:1": Pin("", frozenset(IDS[1:2]))}
    pins.keep(path, known)
    assert pins.read(path) == known
    assert path.read_text().startswith("# The image behind each name")


def test_there_need_be_none(path: Path) -> None:
    assert pins.read(path) == {}


def test_what_it_says_of_others_and_of_other_platforms_stays(path: Path) -> None:
    pins.keep(path, {"redis:8": Pin(DIGEST, frozenset(IDS[:1])), "app:1": Pin(DIGEST, frozenset(IDS[2:]))})
    pins.keep(path, {"redis:8": Pin(DIGEST, frozenset(IDS[1:2]))})
    assert pins.read(path) == {"redis:8": Pin(DIGEST, frozenset(IDS[:2])), "app:1": Pin(DIGEST, frozenset(IDS[2:]))}
    pins.keep(path, {"redis:8": Pin(OTHER, frozenset(IDS[1:2]))})
    assert pins.read(path)["redis:8"] == Pin(OTHER, frozenset(IDS[1:2]))


def test_a_run_without_news_does_not_write_it(path: Path) -> None:
    pins.keep(path, {"redis:8": Pin(DIGEST, frozenset(IDS))})
    before = path.stat()
    pins.keep(path, {"redis:8": Pin(DIGEST, frozenset(IDS[:1]))})
    assert path.stat() == before


@pytest.mark.parametrize("text", ["redis:8: latest", "[1]", "redis:8: {digest: latest}", "redis:8: {digest: 7}", "a: b: c", "\0"])
def test_one_that_was_edited_is_told(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(SettingsError, match="is not as a deploy writes it"):
        pins.read(path)


def archive(path: Path, layers: list[str]) -> Path:
    """As `docker save` writes it."""
    entry = {"Config": "config.json", "Layers": [f"{one}/layer.tar" for one in layers]}
    files = {
        "config.json": json.dumps({"rootfs": {"diff_ids": layers}}),
        "manifest.json": json.dumps([entry]),
        **{f"{one}/layer.tar": one * 1000 for one in layers},
    }
    with tarfile.open(path, "w") as made:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            made.addfile(member, io.BytesIO(text.encode()))
    return path


@pytest.mark.parametrize(
    ("there", "sent"),
    [
        ([["base", "python"], ["base"]], {"app"}),
        ([["base", "other"]], {"python", "app"}),
        # one layer that lies upon others is not the same upon none
        ([["python"]], None),
        ([], None),
    ],
)
def test_layers_that_a_host_has_are_not_sent(tmp_path: Path, there: list[list[str]], sent: set[str] | None) -> None:
    part = without(archive(tmp_path / "whole.tar", ["base", "python", "app"]), there, tmp_path)
    if sent is None:
        assert part is None
    else:
        assert part is not None
        with tarfile.open(part) as made:
            assert set(made.getnames()) == {"config.json", "manifest.json", *(f"{one}/layer.tar" for one in sent)}


def test_an_archive_of_another_form_is_sent_whole(tmp_path: Path) -> None:
    path = archive(tmp_path / "whole.tar", [])
    with tarfile.open(path, "w"):
        pass
    assert without(path, [["base"]], tmp_path) is None


# as pyinfra's hosts do, in greenlets of one process
TWO = """
from gevent import monkey; monkey.patch_all()
import gevent
from pathlib import Path
from operations.controller import pins
from operations.stack.pins import Pin

def note(name):
    pins.keep(Path("images.lock"), {name: Pin("", frozenset(["sha256:" + "a" * 64]))})

gevent.joinall([gevent.spawn(note, name) for name in ("a:1", "b:1")], raise_error=True)
"""


def test_two_hosts_of_one_run_write_one_after_the_other(path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([sys.executable, "-c", TWO], cwd=path.parent, env=env, timeout=60, check=True)
    assert set(pins.read(path)) == {"a:1", "b:1"}


# this machine's Docker, which has the second of the names that the pin gives the image
DOCKER = f"""#!/bin/sh
case "$*" in
"image inspect --format {{{{.Id}}}} {IDS[0]}") echo {IDS[0]} ;;
"save --output "*) echo archive >"$3" ;;
*) exit 1 ;;
esac
"""


def test_this_machines_docker_is_asked_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "docker").write_text(DOCKER)
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    path = tmp_path / "saved.tar"
    assert _saved_here("redis:8", Pin(DIGEST, frozenset(IDS[:1])), path) == IDS[0]
    assert path.read_text() == "archive\n"
    assert _saved_here("redis:8", Pin(OTHER), path) == ""


def test_a_machine_without_docker_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert _saved_here("redis:8", Pin(DIGEST, frozenset(IDS)), tmp_path / "saved.tar") == ""


def test_a_host_cannot_send_more_than_it_said(tmp_path: Path) -> None:
    with _Bounded(tmp_path / "a", 10) as file:
        file.write(b"x" * 10)
        with pytest.raises(OSError, match="more than it said"):
            file.write(b"x")
