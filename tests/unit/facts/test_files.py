"""Files and EnvKeys: how a file lies on the host, and the fingerprints of the keys in an env file."""

from __future__ import annotations

import hashlib

import pytest

from operations.facts.files import EnvKeys, Files
from operations.stack.snapshot import UNKNOWN, SeenFile
from operations.stack.stack import EnvFile
from tests.unit.facts.answers import H1, H2, env_keys, read


def test_files_tell_kind_mode_owner_and_content() -> None:
    assert read(
        Files(),
        f".env\tfile\t644\t0:0\t12\t1700000000\t{H1}",
        f"env/redis.env\tfile\t600\t1000:1000\t0\t1700000000\t{H2}",
        f"compose.d/redis.yml\tfile\t4755\t0:0\t9\t1700000000\t{H2}",
    ) == {
        ".env": SeenFile("file", "0644", "0:0", H1),
        "env/redis.env": SeenFile("file", "0600", "1000:1000", H2),
        "compose.d/redis.yml": SeenFile("file", "4755", "0:0", H2),
    }


def test_files_tell_when_they_were_changed_and_are_the_same_whenever_that_was() -> None:
    found = read(Files(), f".env\tfile\t644\t0:0\t12\t1700000000\t{H1}")[".env"]
    assert found.changed == 1_700_000_000
    assert found == SeenFile("file", "0644", "0:0", H1, changed=1)
    assert found.to_json()["changed"] == 1_700_000_000


@pytest.mark.parametrize("kind", ["missing", "symlink", "other", "denied"])
def test_what_is_no_file_has_no_mode_owner_or_content(kind: str) -> None:
    assert read(Files(), f".env\t{kind}\t755\t0:0\t4096\t1700000000\t") == {".env": SeenFile(kind)}


def test_a_folder_has_a_mode_and_an_owner() -> None:
    assert read(Files(), "data\tdir\t700\t999:999\t\t1700000000\t") == {"data": SeenFile("dir", "0700", "999:999")}


def test_no_path_asked_is_no_file_seen() -> None:
    assert read(Files()) == {}


def test_keys_tell_their_fingerprints() -> None:
    assert read(env_keys("one.env", "two.env"), f"one.env\tA\t1\t{H1}", f"one.env\tB\t1\t{H2}") == {
        "one.env": {"A": H1, "B": H2}, "two.env": {},
    }  # fmt: skip


def test_a_key_that_stands_there_twice_is_like_no_wanted_line() -> None:
    assert read(env_keys("one.env"), f"one.env\tA\t2\t{H1}") == {"one.env": {"A": ""}}


def test_a_file_that_cannot_be_parsed_has_no_keys_to_tell_apart() -> None:
    assert read(env_keys("one.env", "two.env"), "one.env\t!", f"two.env\tA\t1\t{H1}") == {
        "one.env": None, "two.env": {"A": H1},
    }  # fmt: skip


def test_one_word_stands_for_all_keys_of_files_that_are_as_wanted() -> None:
    one, two = EnvFile("one.env", "0600", {"A": "A=1", "B": "B=2"}), EnvFile("two.env", "0600", {"A": "A=3"})
    fact = EnvKeys()
    fact.command("/opt/erni-ki", {"one.env": ("A", "B"), "two.env": ("A",)}, [one, two])
    assert read(fact, "=") == {"one.env": dict(one.hashes), "two.env": dict(two.hashes)}


def test_what_is_wanted_reaches_the_host_as_a_digest_alone() -> None:
    file = EnvFile("one.env", "0600", {"A": "A=the-password"})
    command = EnvKeys().command("/opt/erni-ki", {"one.env": ("A",)}, [file]).get_raw_value()
    assert "the-password" not in command
    assert hashlib.sha256(b"one.env\nA\t1\tA=the-password\n").hexdigest() in command


def test_keys_of_a_file_that_nobody_asked_for_are_unknown() -> None:
    assert read(env_keys("one.env"), f"other.env\tA\t1\t{H1}") is UNKNOWN
