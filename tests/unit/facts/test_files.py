"""Files and EnvKeys: how a file lies on the host, and the fingerprints of the keys in an env file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest

from operations.facts.files import EnvKeys, Files
from operations.stack.files import EnvFile
from operations.stack.snapshot import UNKNOWN, SeenFile, Unknown
from tests.unit.facts.answers import H1, H2, env_keys, read


def read_files(lines: Sequence[str], *paths: str) -> dict[str, SeenFile] | Unknown:
    fact = Files()
    fact.command("/opt/erni-ki", paths)
    return read(fact, *lines)  # type: ignore[no-any-return]


THREE = ["file", "missing", "dir", "file", "644 0:0 1700000000", "755 1000:1000 1700000001", "4755 0:0 9", H1, H2]
PATHS = [".env", "nowhere", "data", 'a\tb"c']


def test_files_tell_kind_mode_owner_and_content() -> None:
    assert read_files(THREE, *PATHS) == {
        ".env": SeenFile("file", "0644", "0:0", H1),
        "nowhere": SeenFile("missing"),
        "data": SeenFile("dir", "0755", "1000:1000"),
        'a\tb"c': SeenFile("file", "4755", "0:0", H2),
    }


def test_files_tell_when_they_were_changed_and_are_the_same_whenever_that_was() -> None:
    found = read_files(THREE, *PATHS)
    assert found is not UNKNOWN
    assert found[".env"].changed == 1_700_000_000
    assert found[".env"] == SeenFile("file", "0644", "0:0", H1, changed=1)
    assert found[".env"].to_json()["changed"] == 1_700_000_000


@pytest.mark.parametrize("kind", ["missing", "symlink", "other", "denied"])
def test_what_is_no_file_has_no_mode_owner_or_content(kind: str) -> None:
    assert read_files([kind], ".env") == {".env": SeenFile(kind)}


@pytest.mark.parametrize(
    "lines",
    [
        *(THREE[:length] for length in range(len(THREE))),
        [*THREE, H1],
        [*THREE[:-1], "x"],
        ["fil", *THREE[1:]],
        ["missing", *THREE[1:]],
    ],
)
def test_files_of_which_not_all_is_told_are_unknown(lines: list[str]) -> None:
    assert read_files(lines, *PATHS) is UNKNOWN


def test_no_path_asked_is_no_file_seen() -> None:
    assert read_files([]) == {}


def test_keys_tell_their_fingerprints() -> None:
    assert read(env_keys("one.env", "two.env"), f"1 A 1 {H1}", f"1 B 1 {H2}") == {"one.env": {"A": H1, "B": H2}, "two.env": {}}


def test_a_key_that_stands_there_twice_is_like_no_wanted_line() -> None:
    assert read(env_keys("one.env"), f"1 A 2 {H1}") == {"one.env": {"A": ""}}


def test_a_file_that_cannot_be_parsed_has_no_keys_to_tell_apart() -> None:
    assert read(env_keys("one.env", "two.env"), "1 !", f"2 A 1 {H1}") == {"one.env": None, "two.env": {"A": H1}}


def test_one_word_stands_for_all_keys_of_files_that_are_as_wanted() -> None:
    one, two = EnvFile("one.env", "0600", {"A": "A=1", "B": "B=2"}), EnvFile("two.env", "0600", {"A": "A=3"})
    fact = EnvKeys()
    fact.command("/opt/erni-ki", {"one.env": ("A", "B"), "two.env": ("A",)}, [one, two])
    assert read(fact, "=") == {"one.env": dict(one.hashes), "two.env": dict(two.hashes)}


def test_what_is_wanted_reaches_the_host_as_a_digest_alone_that_nobody_can_work_back() -> None:
    file = EnvFile("one.env", "0600", {"A": "A=the-password"})
    command = EnvKeys().command("/opt/erni-ki", {"one.env": ("A",)}, [file]).get_raw_value()
    assert "the-password" not in command
    assert hashlib.sha256(b"1 A 1 A=the-password\n").hexdigest() not in command
    assert file.hashes["A"] not in command


@pytest.mark.parametrize("line", [f"2 A 1 {H1}", f"1 C 1 {H1}", f"1 A one {H1} x", "1 A", "x A 1 y", "A"])
def test_keys_that_nobody_asked_for_are_unknown(line: str) -> None:
    assert read(env_keys("one.env"), line) is UNKNOWN
