"""Env files edited on a host: managed keys are set in place, and everything that somebody else wrote stays as it was."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given, settings

from operations.controller.files import put_list
from operations.facts.files import EnvKeys
from operations.stack.files import EnvFile, File
from tests.unit.env_texts import EnvText, env_texts, managed_lines
from tests.unit.stubs import StubHost

PATH = "env/web.env"
WANTED = EnvFile(PATH, "0600", {"A": "A='new one'"})


@pytest.fixture
def host(tmp_path: Path) -> StubHost:
    return StubHost(tmp_path)


@pytest.fixture(scope="module")
def one_host(tmp_path_factory: pytest.TempPathFactory) -> StubHost:
    """The same host for every example of a property."""
    return StubHost(tmp_path_factory.mktemp("host"))


def edit(host: StubHost, before: bytes | str, wanted: EnvFile = WANTED) -> bytes:
    """The file after the edit."""
    file = host.write(wanted.path, "")
    file.write_bytes(before if isinstance(before, bytes) else before.encode())
    done = host.script("files/put", root=str(host.root), files=put_list([wanted]))
    assert (done.returncode, done.stderr) == (0, "")
    return file.read_bytes()


# ways to write a line of the managed key
WRITTEN = [
    "A=old", "A=", "A", "A ", "A = old", "A='old'", 'A="old"', "A: old", "  A=old", "\tA=old", "A=old # why", "A='old' # it's why",
    "export A=old", " export \t A=old", "export A", "A='ol\\'d'", "A='old'\r", "A\r",
    "A='one\ntwo\nthree'", 'A="one\nB=2\n"', "A='A=x\nA=y'",
]  # fmt: skip

# files without it
WITHOUT = [
    "", "B=1\n", "# A=1\n", "#A=1\n", "AA=1\n", "XA=1\n", "a=1\n", "A_=1\n", "A.B=1\n", "A-B=1\n", "B=A=1\n", "B='\nA=1\n'\n",
]  # fmt: skip

# other lines: texts that only look like it, quotes that open nothing, values of several lines, bytes that are no UTF-8
KEPT = [
    b"", b"   ", b"\r", b"# a comment", b"#A=1", b"# it's \"so", b"##fleet:text",
    b"B=1", b"B=", b"B", b"export B=1", b"  B=1  ", b"\tB=1", b"B = 1", b"B: it's", b"B=1\r", b"B='1'\r",
    b"B=it's", b'B=say "x', b"B=a#b", b"B=a # it's", b"B=$HOME", b"B=a\\",
    b"B='A=1'", b"B='\nA=1\n'", b'B="\nA=1\n"', b"export B='\nA=1\nexport A=2'", b"B = '\nA=1'", b"B: '\nA=1'", b"B='\nA=1\r\n'\r",
    b"B='\nit\\'s\nA=1\n'", b'B="\n\\"\nA=1\n"', b"B='x\\\\'", b'B="\\\\"', b"B=\"'\"", b"B='\"'", b"B=''", b'B="" ',
    b"B='x' # it's", b"B=\"x\" # \"", b"B='\nA=1\n' # it's", b"B='x'y",
    b"B=\xff\xfe", b"# \xe4\xf6", b"B='\xe9\nA=1\n\xe9'", b"\xa0B=1", b"\xef\xbb\xbfB=1", b"B=1\x0b\x0c\x7f",
]  # fmt: skip


def amid(line: str) -> bytes:
    return f"B=1\n{line}\nC=3\n".encode()


def around(line: bytes) -> bytes:
    return b"%s\nA=old\n%s\n" % (line, line)


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> dict[bytes, bytes]:
    """All those files before and after an edit; one list of one run."""
    host = StubHost(tmp_path_factory.mktemp("host"))
    before = [*map(amid, WRITTEN), *(text.encode() for text in WITHOUT), *map(around, KEPT)]
    files = {host.write(f"env/{number}.env", ""): text for number, text in enumerate(before)}
    for file, text in files.items():
        file.write_bytes(text)
    wanted = [replace(WANTED, path=f"env/{file.name}") for file in files]
    assert host.script("files/put", root=str(host.root), files=put_list(wanted)).returncode == 0
    return {text: file.read_bytes() for file, text in files.items()}


@pytest.mark.parametrize("line", WRITTEN, ids=repr)
def test_a_key_is_set_where_it_stands_however_it_was_written(edited: dict[bytes, bytes], line: str) -> None:
    assert edited[amid(line)] == amid(WANTED.lines["A"])


@pytest.mark.parametrize("before", WITHOUT, ids=repr)
def test_a_key_that_is_missing_comes_last(edited: dict[bytes, bytes], before: str) -> None:
    assert edited[before.encode()] == f"{before}A='new one'\n".encode()


@pytest.mark.parametrize("line", KEPT, ids=repr)
def test_every_other_line_stays_byte_for_byte(edited: dict[bytes, bytes], line: bytes) -> None:
    assert edited[around(line)] == around(line).replace(b"A=old", b"A='new one'")


def test_several_keys_that_are_missing_come_in_their_order(host: StubHost) -> None:
    wanted = EnvFile(PATH, "0600", {key: f"{key}=1" for key in ("Z", "A", "M")})
    assert edit(host, "A=0\n", wanted) == b"A=1\nZ=1\nM=1\n"


def test_a_key_that_stands_there_more_than_once_becomes_one(host: StubHost) -> None:
    assert edit(host, "A=1\nB=2\nexport A='x\ny'\n# A\nA\n") == b"A='new one'\nB=2\n# A\n"


def test_all_those_lines_together_stay_in_their_order(host: StubHost) -> None:
    text = b"\n".join(KEPT) + b"\n"
    assert edit(host, b"A=old\n" + text * 20) == b"A='new one'\n" + text * 20


def test_a_last_line_without_a_line_break_gets_one(host: StubHost) -> None:
    assert edit(host, "# mine\nB=2") == b"# mine\nB=2\nA='new one'\n"


def test_a_file_that_is_missing_holds_the_managed_lines_alone(host: StubHost) -> None:
    wanted = EnvFile(PATH, "0600", {"B": "B=2", "A": "A=1"})
    assert host.script("files/put", root=str(host.root), files=put_list([wanted])).stdout == f"wrote {PATH}\n"
    assert (host.root / PATH).read_bytes() == b"B=2\nA=1\n"


UNCLEAR = [
    "A=1\nB='open\nC=3\n", 'A=1\nB="open\nC=3\n', "A='open\n", "A='\\'\n", "A=1\nB='x\\'\n", 'A=1\nB="it\'s\n',
    "B='closed' C='open\nA=1\n'\n", "A=1\nB='x' A=2\n", 'A=1\nB="x" export A=2\n', "A=1\nB='x\ny'A=2\n", "A=1\nB='x' A: 2\n",
]  # fmt: skip


@pytest.mark.parametrize("text", UNCLEAR, ids=repr)
def test_a_file_whose_statements_cannot_be_told_apart_is_left_as_it_is(host: StubHost, text: str) -> None:
    file = host.write(PATH, text)
    done = host.script("files/put", root=str(host.root), files=put_list([File("first", "0600", "x"), WANTED]))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"{host.root}/{PATH}: cannot be written: a quote in it is never closed, or something follows a closed one; "
        "correct that by hand. Nothing was changed.\n"
    )
    assert file.read_text() == text
    assert [path for path in host.root.rglob("*") if path.is_file()] == [file]


@settings(max_examples=40, deadline=None)
@given(before=env_texts, lines=managed_lines)
def test_after_any_edit_all_is_as_wanted_and_all_else_as_before(one_host: StubHost, before: EnvText, lines: dict[str, str]) -> None:
    wanted = EnvFile(PATH, "0600", lines)
    after = edit(one_host, str(before), wanted)
    assert after.decode() == before.with_lines(lines)

    read = dotenv_values(stream=io.StringIO(after.decode(), newline=""), interpolate=False)
    meant = dotenv_values(stream=io.StringIO("\n".join(lines.values()), newline=""), interpolate=False)
    assert {key: read[key] for key in lines} == meant

    # asked for all keys at once, and for each
    asked = {"root": str(one_host.root), "files": {PATH: list(lines)}}
    for more, told in (({"wanted": [wanted]}, 1), ({"known": list(lines.values())}, len(lines))):
        fact = EnvKeys()
        answer = one_host.command(fact.command(**asked, **more)).stdout.splitlines()  # type: ignore[arg-type]
        assert len(answer) == told + 1
        assert fact.process(answer) == {PATH: wanted.hashes}

    seen = (one_host.root / PATH).stat()
    assert one_host.script("files/put", root=str(one_host.root), files=put_list([wanted])).stdout == ""
    now = (one_host.root / PATH).stat()
    assert (now.st_ino, now.st_mtime_ns) == (seen.st_ino, seen.st_mtime_ns)
