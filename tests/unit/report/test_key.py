"""Fingerprints: equal for equal values under one key, and nothing without it."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from operations.report import key as keys
from operations.stack.errors import SettingsError
from operations.stack.fingerprint import fingerprint, keyed_with

DIGEST = hashlib.sha256(b"a password").hexdigest()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder in which the key is kept."""
    monkeypatch.delenv(keys.VARIABLE)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    yield tmp_path / "state/pyinfra-compose"
    keyed_with(keys.key)


def under(key: bytes) -> str:
    keyed_with(lambda: key)
    return fingerprint(DIGEST)


def test_a_fingerprint_is_that_of_the_value_and_of_the_key() -> None:
    assert under(b"a" * 32) == under(b"a" * 32) != under(b"b" * 32)
    assert under(b"a" * 32) not in DIGEST
    assert len(under(b"a" * 32)) == 12


def test_the_key_is_made_once_and_only_its_user_can_read_it(home: Path) -> None:
    assert keys.key() == keys.key()
    (file,) = home.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert len(keys.key()) == 32


@pytest.mark.parametrize(("text", "mode"), [("", 0o600), ("0f" * 31, 0o600), ("é\n", 0o600), ("0f" * 32, 0o640)])
def test_a_file_that_holds_no_key_or_that_others_can_read_is_replaced(home: Path, text: str, mode: int) -> None:
    home.mkdir(parents=True)
    keys.path().write_text(text)
    keys.path().chmod(mode)
    assert keys.key() == keys.key() != bytes.fromhex("0f" * 32)
    assert stat.S_IMODE(keys.path().stat().st_mode) == 0o600


def test_the_environment_comes_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(keys.VARIABLE, "ab" * 32)
    assert keys.key() == b"\xab" * 32
    assert not home.exists()


@pytest.mark.parametrize("wrong", ["secret", "ab" * 31, "AB" * 32])
def test_a_key_of_another_form_is_an_error_that_does_not_show_it(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv(keys.VARIABLE, wrong)
    with pytest.raises(SettingsError, match="is not 64 hex digits") as error:
        keys.key()
    assert wrong not in str(error.value)


def test_where_nothing_can_be_written_the_key_is_one_of_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert len(keys.key()) == 32
    keyed_with(keys.key)
    assert fingerprint(DIGEST) == fingerprint(DIGEST)


def test_processes_that_begin_at_once_share_the_key(home: Path) -> None:
    words = [sys.executable, "-c", "from operations.report.key import key; print(key().hex())"]
    started = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) for _ in range(4)]
    assert {process.communicate()[0].strip() for process in started} == {keys.key().hex()}
    assert [file.name for file in home.iterdir()] == ["fingerprint.key"]
