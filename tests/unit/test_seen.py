"""Looking at files on a host: what lies there and which managed keys are set is told in fingerprints, and nothing of the content.

The scripts run with the real programs, asked by the facts as pyinfra would.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from operations import scripts
from operations.controller.files import put_list
from operations.facts.base import Question
from operations.facts.files import EnvKeys, Files, SeenKeys
from operations.stack.build import build
from operations.stack.files import EnvFile
from operations.stack.snapshot import MISSING, UNKNOWN, SeenFile, Unknown
from tests.unit.stubs import HOSTILE_FOLDERS, StubHost

SECRET = "Marker_Password-0123456789"
OWN = f"{os.geteuid()}:{os.getegid()}"

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away, and act as somebody else")
needs_setpriv = pytest.mark.skipif(shutil.which("setpriv") is None, reason="no setpriv on this machine to act as somebody else")


@pytest.fixture
def host(tmp_path: Path) -> StubHost:
    return StubHost(tmp_path)


def sha256(content: bytes | str) -> str:
    return hashlib.sha256(content if isinstance(content, bytes) else content.encode()).hexdigest()


def a_file(content: bytes | str, mode: str = "0600", owner: str = OWN) -> SeenFile:
    return SeenFile("file", mode, owner, sha256(content))


def files(host: StubHost, *paths: str, root: Path | None = None, by: str = "") -> dict[str, SeenFile] | Unknown:
    """What the fact Files makes of a host; `by`: words in front of its command."""
    fact = Files()
    command = fact.command(root=str(root or host.root), paths=paths).get_raw_value()
    return fact.process(host.command(f"{by} {command}").stdout.splitlines())


Keys = dict[str, dict[str, str] | None] | Unknown


def keys(host: StubHost, asked: Mapping[str, Sequence[str]], wanted: Sequence[EnvFile] = ()) -> Keys:
    """What the fact EnvKeys makes of a host."""
    fact = EnvKeys()
    command = fact.command(root=str(host.root), files=asked, wanted=wanted, known=KNOWN)
    return fact.process(host.command(command).stdout.splitlines())


KNOWN = ["A=1", "A=1\r", "A='1'", "export A=1", "A", "B=2", "C=3"]  # lines that a test asks about


def told(host: StubHost, asked: Mapping[str, Sequence[str]], wanted: Sequence[EnvFile] = ()) -> list[str]:
    """What the script of that fact says."""
    question = EnvKeys().command(root=str(host.root), files=asked, wanted=wanted)
    assert isinstance(question, Question)
    script = question.script
    done = host.command(scripts.command(script))
    assert done.stderr == ""
    return done.stdout.splitlines()


# What lies at a path


def test_a_file_is_told_with_mode_owner_and_fingerprint(host: StubHost) -> None:
    host.write("env/web.env", f"A={SECRET}\n")
    host.write("compose.yml", "", mode=0o644)
    (host.root / "binary").write_bytes(bytes(range(256)))
    (host.root / "binary").chmod(0o4750)
    assert files(host, "env/web.env", "compose.yml", "binary") == {
        "env/web.env": a_file(f"A={SECRET}\n"), "compose.yml": a_file("", "0644"), "binary": a_file(bytes(range(256)), "4750"),
    }  # fmt: skip


@needs_root
def test_the_owner_is_told(host: StubHost) -> None:
    os.chown(host.write("secrets/redis/users.acl", "x"), 999, 1000)
    assert files(host, "secrets/redis/users.acl") == {"secrets/redis/users.acl": a_file("x", owner="999:1000")}


def test_what_is_no_file_is_told_apart(host: StubHost) -> None:
    theirs = host.root.parent / "theirs"
    theirs.mkdir()
    (theirs / "web.env").write_text("x")
    host.write("deep/file", "x")
    (host.root / "to-file").symlink_to(theirs / "web.env")
    (host.root / "to-nothing").symlink_to("nothing")
    (host.root / "env").symlink_to(theirs)
    (host.root / "deep/env").symlink_to(theirs)
    os.mkfifo(host.root / "fifo")
    kinds = {
        "deep": "dir", "to-file": "symlink", "to-nothing": "symlink", "env": "symlink",
        "env/web.env": "symlink", "env/missing": "symlink", "deep/env/web.env": "symlink", "fifo": "other", "missing": "missing",
        "nowhere/missing": "missing", "deep/file/below": "missing",
    }  # fmt: skip
    folder = {"deep": SeenFile("dir", f"{(host.root / 'deep').stat().st_mode & 0o7777:04o}", OWN)}
    expected = {path: SeenFile(kind) for path, kind in kinds.items()} | folder | {"deep/file": a_file("x")}
    assert files(host, *kinds, "deep/file") == expected


def test_a_host_without_the_stack_has_none_of_its_files(host: StubHost) -> None:
    assert files(host, "a", "b/c", root=host.root / "nowhere") == {"a": MISSING, "b/c": MISSING}


@pytest.mark.parametrize("kind", ["file", "dangling"])
def test_a_stacks_folder_that_is_something_else_is_not_taken_for_missing(host: StubHost, kind: str) -> None:
    root = host.root / "root"
    if kind == "file":
        root.write_text("x")
    else:
        root.symlink_to("nowhere")
    assert files(host, "a", root=root) == {"a": SeenFile("other")}


@pytest.mark.parametrize("name", [*HOSTILE_FOLDERS, "%s", "--", "env/a b.env"])
def test_a_hostile_path_is_one_word(host: StubHost, name: str) -> None:
    host.write(name, "x")
    host.write("other", "y")
    assert files(host, name, f"missing {name}", "other") == {name: a_file("x"), f"missing {name}": MISSING, "other": a_file("y")}
    assert host.nothing_was_executed()


@pytest.mark.parametrize("program", ["sha256sum", "stat"])
def test_a_host_that_cannot_look_is_unknown_and_not_empty(host: StubHost, program: str) -> None:
    host.write("a", "x")
    host.stub(program, "echo I/O error >&2; exit 1")
    assert files(host, "a") is UNKNOWN


# As somebody who may not see everything


@pytest.fixture
def open_host() -> Iterator[StubHost]:
    """A host whose folders other users may enter."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield StubHost(Path(folder))


NOBODY = "setpriv --reuid 65534 --regid 65534 --clear-groups"


@needs_root
@needs_setpriv
def test_what_may_not_be_seen_is_denied_and_not_missing(open_host: StubHost) -> None:
    open_host.write("compose.yml", "x", mode=0o644)
    open_host.write("env/web.env", "x")
    open_host.write("secrets/redis/password", "x")
    (open_host.root / "secrets").chmod(0o700)
    expected = dict.fromkeys(("env/web.env", "secrets/redis/password", "secrets/missing", "secrets/redis"), SeenFile("denied"))
    expected |= {"env/missing": MISSING, "secrets": SeenFile("dir", "0700", OWN), "compose.yml": a_file("x", "0644")}
    assert files(open_host, *expected, by=NOBODY) == expected


@needs_root
@needs_setpriv
def test_a_stacks_folder_that_may_not_be_entered_is_denied(open_host: StubHost) -> None:
    open_host.write("compose.yml", "x", mode=0o644)
    open_host.root.chmod(0o700)
    assert files(open_host, "compose.yml", "missing", by=NOBODY) == dict.fromkeys(("compose.yml", "missing"), SeenFile("denied"))


# Managed keys

PATH = "env/web.env"
WANTED = EnvFile(PATH, "0600", {"A": "A=1", "B": "B='two words'", "C": "C="})
AS_WANTED = "".join(f"{line}\n" for line in WANTED.lines.values())


@pytest.mark.parametrize(
    "text",
    [
        AS_WANTED,
        f"# mine\n{AS_WANTED}D=4\n",
        "C=\n\nB='two words'\nD='\nA=2\n'\nA=1\n",
        AS_WANTED.rstrip("\n"),
        f"AA=2\n{AS_WANTED}",
    ],
)
def test_keys_that_are_as_wanted_are_told_in_one_word(host: StubHost, text: str) -> None:
    host.write(PATH, text)
    assert told(host, {PATH: list(WANTED.lines)}, [WANTED]) == ["="]
    assert keys(host, {PATH: list(WANTED.lines)}, [WANTED]) == {PATH: WANTED.hashes}


def test_each_key_is_told_where_one_is_otherwise(host: StubHost) -> None:
    host.write(PATH, "C=3\nA=1\n")
    assert [line.rpartition(" ")[0] for line in told(host, {PATH: list(WANTED.lines)}, [WANTED])] == ["1 A 1", "1 C 1"]
    assert keys(host, {PATH: list(WANTED.lines)}, [WANTED]) == {PATH: {"A": sha256("A=1"), "C": sha256("C=3")}}


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("A=1\n", {"A": sha256("A=1")}),
        ("A=1", {"A": sha256("A=1")}),
        ("A='1'\n", {"A": sha256("A='1'")}),
        ("A=1\r\n", {"A": sha256("A=1\r")}),
        ("export A=1\n", {"A": sha256("export A=1")}),
        ("A\n", {"A": sha256("A")}),
        ("A=1\nA=1\n", {"A": ""}),
        ("A=1\nB=2\nexport A=2\n", {"A": "", "B": sha256("B=2")}),
        ("#A=1\nAA=1\n", {}),
        ("D='\nA=1\n'\n", {}),
        ("", {}),
        ("A='open\n", None),
        ("A=1\nD='x' B=2\n", None),
    ],
    ids=repr,
)
def test_keys_are_told_by_the_lines_that_set_them(host: StubHost, text: str, seen: dict[str, str] | None) -> None:
    host.write(PATH, text)
    assert keys(host, {PATH: ["A", "B"]}) == {PATH: seen}


def test_a_value_of_several_lines_is_never_taken_for_a_wanted_one(host: StubHost) -> None:
    host.write(PATH, "A='1\n2'\n")
    found = keys(host, {PATH: ["A"]})
    assert found is not UNKNOWN
    assert (found[PATH] or {})["A"] not in map(sha256, ("A='1", "A='1\n2'", "A='12'", "2'"))


def test_many_files_are_told_in_one_answer(host: StubHost) -> None:
    host.write("env/a.env", AS_WANTED)
    host.write("env/a b.env", "A=1\n")
    host.write("env/c.env", "A='open\n")
    asked = {
        "env/a.env": list(WANTED.lines),
        "env/missing.env": ["A"],
        "env/a b.env": ["A", "B"],
        "env/c.env": ["A"],
        "env/none.env": [],
    }
    assert keys(host, asked, [EnvFile("env/a.env", "0600", WANTED.lines)]) == {
        "env/a.env": WANTED.hashes, "env/a b.env": {"A": sha256("A=1")}, "env/c.env": None,
        "env/missing.env": {}, "env/none.env": {},
    }  # fmt: skip


def test_what_is_no_env_file_sets_no_key(host: StubHost) -> None:
    host.write("theirs.env", "A=1\n")
    (host.root / "link.env").symlink_to("theirs.env")
    (host.root / "folder.env").mkdir()
    os.mkfifo(host.root / "fifo.env")
    paths = ("link.env", "folder.env", "fifo.env", "missing.env")
    assert keys(host, {path: ["A"] for path in paths}) == {path: {} for path in paths}


def test_a_host_without_the_stack_sets_no_key(host: StubHost) -> None:
    host.root.rmdir()
    assert keys(host, {PATH: ["A"]}) == {PATH: {}}


# Nothing of the content


def test_nothing_of_a_file_is_told_but_fingerprints(host: StubHost) -> None:
    mine = f"# {SECRET}\nMINE={SECRET}\nA={SECRET}\nB='{SECRET}\n{SECRET}'\nexport C={SECRET}\nC={SECRET}\n"
    host.write(PATH, mine)
    host.write("open.env", f"A='{SECRET}\n")
    lines = told(host, {PATH: ["A", "B", "C"], "open.env": ["A"]})
    looked = host.script("files/seen", root=str(host.root), paths=[PATH, "open.env"])
    assert [re.sub(" [0-9a-f]{64}$", " …", line) for line in lines] == ["1 A 1 …", "1 B 1 …", "1 C 2 …", "2 !"]
    # nor can it be worked back by who guesses the line
    assert not {sha256(line) for line in mine.splitlines()} & {line.rpartition(" ")[2] for line in lines}
    for text in (*lines, looked.stdout, looked.stderr):
        assert "Marker" not in text
        assert "MINE" not in text


def test_a_line_that_nobody_knows_is_told_apart_and_is_no_known_one(host: StubHost) -> None:
    host.write(PATH, "A=1\nB=of-somebody\nC=of-somebody\n")
    found = keys(host, {PATH: ["A", "B", "C"]}, [EnvFile(PATH, "0600", {"A": "A=1", "B": "B=2"})])
    assert found is not UNKNOWN
    seen = found[PATH] or {}
    assert seen["A"] == sha256("A=1")
    assert len({*seen.values(), sha256("B=2"), sha256("B=of-somebody"), sha256("C=of-somebody")}) == 6


def test_more_keys_than_a_process_may_open_files_are_told(host: StubHost) -> None:
    names = [f"KEY_{number}" for number in range(450)]
    host.write(PATH, "".join(f"{name}=1\n" for name in names))
    found = keys(host, {PATH: names})
    assert found is not UNKNOWN
    assert list(found[PATH] or {}) == names


def test_nothing_of_a_file_is_in_an_argv_or_the_environment_of_a_program(host: StubHost) -> None:
    host.write(PATH, f"MINE={SECRET}\nA={SECRET}\n")
    for program in ("awk", "cat", "cut", "sha256sum", "stat"):
        host.stub(program, f'exec {shutil.which(program)} "$@"')
    told(host, {PATH: ["A"]})
    host.script("files/seen", root=str(host.root), paths=[PATH])
    assert host.calls("awk")
    assert "Marker" not in host.shown_to_processes()


# Looking and writing agree


@needs_root
def test_what_was_written_is_seen_as_it_was_wanted(host: StubHost) -> None:
    stack = build({}, {"redis_password": SECRET})
    env = (stack.dotenv, *stack.env_files)
    whole = (*stack.base(), *stack.fragments(start_interval=True), stack.manifest(), *stack.secret_files())
    assert host.script("files/put", root=str(host.root), files=put_list([*whole, *env])).returncode == 0
    assert files(host, *(file.path for file in whole)) == {
        file.path: SeenFile("file", file.mode, OWN if file.owner == "-" else file.owner, file.sha256) for file in whole
    }
    assert keys(host, {file.path: list(file.lines) for file in env}, env) == {file.path: file.hashes for file in env}


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis://:secret@redis:6379/3?ssl=true", "redis://redis:6379/3?ssl=true"),
        ("redis://us@er:sec/r@et@keydb:6379/0", "redis://keydb:6379/0"),
        ("redis://redis:6379/0?password=secret", None),
        ("redis://redis:6379/0?a=b&token=secret", None),
        ("redis://redis:6379/0?api_key=secret", None),
    ],
)
def test_of_a_url_nothing_that_may_be_secret_leaves_the_host(host: StubHost, url: str, told: str | None) -> None:
    host.write("a.env", f"A={url}\n")
    wanted = EnvFile("a.env", "0600", {"A": "A=redis://:mine@redis:6379/0"}, urls=frozenset({"A"}))
    found = keys(host, {"a.env": ["A"]}, [wanted])
    assert isinstance(found, SeenKeys)
    assert found.urls.get("a.env", {}).get("A") == told
