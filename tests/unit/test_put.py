"""Writing on a host: all of it or nothing, never readable by others on the way, and nothing of it in a process list.

The script runs with the real programs; stand-ins only watch them, or make them fail at a chosen moment.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from pyinfra.api import StringCommand

from operations.controller.files import put as put_command
from operations.controller.files import put_list
from operations.stack.files import EnvFile, File, Folder, ManagedFile
from tests.unit.stubs import HOSTILE_FOLDERS, StubHost

SECRET = "Marker_Password-0123456789"
PROGRAMS = ("awk", "base64", "cat", "chmod", "chown", "cmp", "dirname", "mkdir", "mv", "rm", "stat", "sync", "tail")
HOSTILE_PATHS = ["a b.env", "it's.env", "$(touch x).env", "-n", "--", "A=b.env", "*", "a\\nb", "ü.env", "%s"]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def host(tmp_path: Path) -> StubHost:
    return StubHost(tmp_path)


def put(host: StubHost, *files: ManagedFile | Folder, remove: Iterable[str] = ()) -> subprocess.CompletedProcess[str]:
    return host.script("files/put", root=str(host.root), files=put_list(files, remove))


def mode(path: Path) -> str:
    return f"{stat.S_IMODE(path.stat().st_mode):04o}"


def tree(host: StubHost) -> dict[str, bytes]:
    """Every file below the stack's folder, also what should not be there."""
    files = {str(path.relative_to(host.root)): path.read_bytes() for path in host.root.rglob("*") if path.is_file()}
    return {path: content for path, content in files.items() if path != ".fleet/mutex"}


def touched(host: StubHost) -> dict[str, tuple[int, int, int]]:
    """What changes of a file when it is written, replaced or given away."""
    found = {path: path.stat() for path in host.root.rglob("*") if path.is_file() and path.name != "mutex"}
    return {str(path): (seen.st_ino, seen.st_mtime_ns, seen.st_ctime_ns) for path, seen in found.items()}


def watch(host: StubHost, code: str = "") -> None:
    """Every program of the script is noted with its words and environment; `code` is run before and after it."""
    for name in PROGRAMS:
        host.stub(name, f'{code}\n{shutil.which(name)} "$@"\ncode=$?\n{code}\nexit $code\n')


def at_call(host: StubHost, name: str, number: int, code: str) -> None:
    """The program does its work, but at its call number `number` this happens first."""
    host.stub(name, f"""
        count=0
        [ ! -e "$HOME/count" ] || read -r count <"$HOME/count"
        count=$((count + 1))
        echo $count >"$HOME/count"
        [ $count -ne {number} ] || {{ {code}; }}
        exec {shutil.which(name)} "$@"
    """)  # fmt: skip


def forget(host: StubHost, name: str) -> None:
    """The real program again."""
    (host.bin / name).unlink()


A_PASSWORD = File("secrets/redis/password", "0600", f"{SECRET}\n")
AN_ENV = EnvFile("env/web.env", "0600", {"URL": f"URL=redis://:{SECRET}@redis"})
A_FRAGMENT = File("compose.d/web.yml", "0644", "services: {}\n")
ALL = (A_PASSWORD, AN_ENV, A_FRAGMENT)

BEFORE = {"secrets/redis/password": b"old\n", "env/web.env": b"# mine\nURL=old\nMINE=kept\n", "compose.d/web.yml": b"old\n"}
AFTER = {
    "secrets/redis/password": f"{SECRET}\n".encode(),
    "env/web.env": f"# mine\nURL=redis://:{SECRET}@redis\nMINE=kept\n".encode(),
    "compose.d/web.yml": b"services: {}\n",
}


@pytest.fixture
def written(host: StubHost) -> StubHost:
    """A host on which each file already lies, in another version."""
    for path, content in BEFORE.items():
        host.write(path, content.decode())
    (host.root / ".fleet").mkdir()
    return host


# What is written


CONTENTS = ["", "x", "x\n", "\n\n", "a\r\nb\r\n", "\ttab  \n", "ü\U0001f600\n", "\\n $HOME `x` 'y' \"z\"\n", "end\n", "x" * 300_000]


@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: repr(content[:20]))
def test_a_file_is_written_as_it_was_given(host: StubHost, content: str) -> None:
    done = put(host, File("compose.d/web.yml", "0644", content))
    assert (done.returncode, done.stdout, done.stderr) == (0, "wrote compose.d/web.yml\n", "")
    assert tree(host) == {"compose.d/web.yml": content.encode()}


def test_one_list_writes_replaces_and_removes(written: StubHost) -> None:
    written.write("compose.d/gone.yml", "x")
    done = put(written, *ALL, File(".env", "0644", "new\n"), remove=["compose.d/gone.yml"])
    assert done.stdout.splitlines() == [
        "wrote secrets/redis/password", "wrote env/web.env", "wrote compose.d/web.yml", "wrote .env", "removed compose.d/gone.yml",
    ]  # fmt: skip
    assert tree(written) == AFTER | {".env": b"new\n"}


def test_a_file_that_is_already_gone_need_not_be_removed(host: StubHost) -> None:
    done = put(host, remove=["compose.d/gone.yml", "gone"])
    assert (done.returncode, done.stdout) == (0, "")


def test_an_empty_list_is_no_work(host: StubHost) -> None:
    done = put(host)
    assert (done.returncode, done.stdout, done.stderr, tree(host)) == (0, "", "", {})


def test_what_is_as_wanted_is_not_touched(written: StubHost) -> None:
    put(written, *ALL)
    before = touched(written)
    done = put(written, *ALL)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert touched(written) == before
    assert tree(written) == AFTER


def test_a_stacks_folder_that_is_missing_is_made(host: StubHost) -> None:
    host.root.rmdir()
    assert put(host, A_FRAGMENT).returncode == 0
    assert mode(host.root) == "0755"


@pytest.mark.parametrize("name", HOSTILE_FOLDERS)
def test_in_a_hostile_folder_the_files_land_there(tmp_path: Path, name: str) -> None:
    host = StubHost(tmp_path, root=name)
    host.write("gone", "x")
    assert put(host, *ALL, remove=["gone"]).returncode == 0
    assert put(host, *ALL).stdout == ""
    assert tree(host).keys() == AFTER.keys()
    assert host.nothing_was_executed()


@pytest.mark.parametrize("name", HOSTILE_PATHS)
def test_a_hostile_path_is_one_word(host: StubHost, name: str) -> None:
    host.write(f"env/{name}", "A=old\nB=2\n")
    host.write(name, "old")
    assert put(host, EnvFile(f"env/{name}", "0600", {"A": "A=1"}), EnvFile(name, "0600", {"A": "A=1"})).returncode == 0
    assert tree(host) == {f"env/{name}": b"A=1\nB=2\n", name: b"old\nA=1\n"}
    assert put(host, remove=[f"env/{name}", name]).returncode == 0
    assert tree(host) == {}
    assert host.nothing_was_executed()


# Modes and owners


@pytest.mark.parametrize(("wanted", "expected"), [("0600", "0600"), ("0644", "0644"), ("keep0644", "0644"), ("keep0600", "0600")])
@pytest.mark.parametrize("managed", [File("x", "", "A=1\n"), EnvFile("x", "", {"A": "A=1"})])
def test_a_new_file_has_the_mode_that_is_wanted(host: StubHost, managed: ManagedFile, wanted: str, expected: str) -> None:
    put(host, replace(managed, mode=wanted))
    assert mode(host.root / "x") == expected


@pytest.mark.parametrize(("wanted", "expected"), [("0600", "0600"), ("keep0644", "0640")])
def test_an_existing_file_keeps_its_mode_only_where_it_should(host: StubHost, wanted: str, expected: str) -> None:
    host.write(".env", "old", mode=0o640)
    put(host, File(".env", wanted, "new"))
    assert (mode(host.root / ".env"), tree(host)) == (expected, {".env": b"new"})


def test_a_mode_that_alone_is_wrong_is_put_right(host: StubHost) -> None:
    host.write("env/web.env", "A=1\n", mode=0o644)
    done = put(host, EnvFile("env/web.env", "0600", {"A": "A=1"}))
    assert done.stdout == "set mode and owner of env/web.env\n"
    assert (mode(host.root / "env/web.env"), tree(host)) == ("0600", {"env/web.env": b"A=1\n"})


def test_an_env_file_without_managed_keys_only_gets_its_mode(host: StubHost) -> None:
    host.write("env/web.env", "# mine\n\nB=1\n", mode=0o644)
    put(host, EnvFile("env/web.env", "0600", {}))
    assert (mode(host.root / "env/web.env"), tree(host)) == ("0600", {"env/web.env": b"# mine\n\nB=1\n"})


@pytest.mark.parametrize(
    ("path", "expected"),
    [("env/x", "0755"), ("compose.d/x", "0755"), ("secrets/redis/x", "0700"), (".fleet/x", "0700"), ("backups/now/x", "0700")],
)
def test_folders_of_secrets_are_for_their_owner_alone(host: StubHost, path: str, expected: str) -> None:
    put(host, File(path, "0600", "x"))
    folders = [folder for folder in (host.root / path).parents if folder.is_relative_to(host.root) and folder != host.root]
    assert {mode(folder) for folder in folders} == {expected}


@needs_root
def test_a_containers_own_user_gets_the_file_and_its_folder(host: StubHost) -> None:
    put(host, File("secrets/redis/users.acl", "0600", "x", owner="1234:2345"))
    for path in ("secrets/redis", "secrets/redis/users.acl"):
        found = (host.root / path).stat()
        assert (found.st_uid, found.st_gid) == (1234, 2345)
    assert (host.root / "secrets").stat().st_uid == 0


@needs_root
def test_an_owner_that_alone_is_wrong_is_put_right(host: StubHost) -> None:
    host.write("secrets/redis/users.acl", "x")
    done = put(host, File("secrets/redis/users.acl", "0600", "x", owner="1234:2345"))
    assert done.stdout == "set mode and owner of secrets/redis/users.acl\n"
    assert (host.root / "secrets/redis/users.acl").stat().st_uid == 1234


@needs_root
@pytest.mark.parametrize("managed", [A_FRAGMENT, AN_ENV])
def test_an_owner_that_somebody_chose_stays(written: StubHost, managed: ManagedFile) -> None:
    os.chown(written.root / managed.path, 1234, 2345)
    put(written, managed)
    found = (written.root / managed.path).stat()
    assert (found.st_uid, found.st_gid) == (1234, 2345)
    assert tree(written)[managed.path] == AFTER[managed.path]


# What others may see on the way


def test_no_secret_is_readable_by_others_for_an_instant(written: StubHost) -> None:
    watch(written, f"find {written.root} ! -path '*/compose.d/*' -printf '%y %m %P\\n' >>\"$HOME/modes\" 2>/dev/null")
    assert put(written, A_PASSWORD, AN_ENV, File("secrets/new", "0600", SECRET)).returncode == 0
    seen = {tuple(line.split(" ", 2)) for line in (written.home / "modes").read_text().splitlines()}
    (stage,) = {(mode, path) for kind, mode, path in seen if kind == "d" and path.startswith(".fleet-new.")}
    assert stage[0] == "700"
    files = {path: mode for kind, mode, path in seen if kind == "f" and path != ".fleet/mutex"}
    assert {f"{stage[1]}/{number}" for number in (1, 2, 3)} < files.keys()
    assert {mode for kind, mode, path in seen if kind == "f" and path != ".fleet/mutex"} == {"600"}


def test_no_content_is_in_an_argv_or_the_environment_of_a_program(written: StubHost) -> None:
    watch(written)
    assert put(written, *ALL).returncode == 0
    assert tree(written) == AFTER
    assert written.calls("awk")
    shown = written.shown_to_processes()
    for content in (*BEFORE.values(), *AFTER.values(), SECRET.encode(), b"MINE=kept"):
        assert content.decode() not in shown
        assert base64.b64encode(content).decode() not in shown


# All of it, or nothing


def test_a_program_that_was_cut_off_changes_nothing(written: StubHost) -> None:
    command = put_command(str(written.root), ALL, ["compose.d/web.yml"])
    whole = str(command.connector_arguments["_stdin"])
    for length in range(0, whole.index("exec 3>&1"), len(whole) // 14):
        done = written.command(StringCommand(command.get_raw_value(), _stdin=whole[:length]))
        assert done.stdout == ""
        assert tree(written) == BEFORE


def test_a_list_that_was_cut_off_changes_nothing(written: StubHost) -> None:
    whole = put_list(ALL, ["compose.d/web.yml"])
    for length in (1, 4, 7, 14, 19):
        done = written.script("files/put", root=str(written.root), files=whole[:length])
        assert (done.returncode, done.stdout, tree(written)) == (1, "", BEFORE)
        assert "cut off" in done.stderr


def test_a_content_that_was_damaged_changes_nothing(written: StubHost) -> None:
    whole = put_list([A_FRAGMENT, AN_ENV])
    for number in (4, 9):
        damaged = [*whole[:number], "!" + whole[number][1:], *whole[number + 1 :]]
        done = written.script("files/put", root=str(written.root), files=damaged)
        assert (done.returncode, done.stdout, tree(written)) == (1, "", BEFORE)
        assert "Nothing was changed" in done.stderr


@pytest.mark.parametrize("call", [1, 2, 3])
@pytest.mark.parametrize("program", ["base64", "chmod", "chown", "sync"])
def test_a_write_that_fails_changes_nothing(written: StubHost, program: str, call: int) -> None:
    # base64 reads what the shell writes, which would complain too if nobody did
    drain = "cat >/dev/null; " if program == "base64" else ""
    at_call(written, program, call, f"{drain}echo No space left on device >&2; exit 1")
    done = put(written, *ALL)
    failed = ALL[call - 1].path
    assert (done.returncode, done.stdout, tree(written)) == (1, "", BEFORE)
    assert done.stderr == f"{written.root}/{failed}: cannot be written: No space left on device. Nothing was changed.\n"


def test_an_edit_that_fails_changes_nothing(written: StubHost) -> None:
    at_call(written, "awk", 1, "cat >/dev/null; echo URL=half; echo awk: read error >&2; exit 2")
    done = put(written, *ALL)
    assert (done.returncode, done.stdout, tree(written)) == (1, "", BEFORE)
    assert "env/web.env: cannot be written: awk: read error." in done.stderr


def test_a_file_that_does_not_fit_on_the_disk_changes_nothing(written: StubHost) -> None:
    # a limit of a block a file: the write really stops in the middle
    at_call(written, "base64", 2, "ulimit -f 1")
    done = put(written, A_PASSWORD, File("compose.d/web.yml", "0644", "x" * 100_000))
    assert (done.returncode, done.stdout, tree(written)) == (1, "", BEFORE)
    assert "compose.d/web.yml: cannot be written" in done.stderr


def test_a_file_is_on_the_disk_before_it_is_renamed_and_its_folder_after(written: StubHost) -> None:
    for name in ("sync", "mv"):
        written.stub(name, f'echo "{name} $*" >>"$HOME/order"; exec {shutil.which(name)} "$@"')
    put(written, AN_ENV, File(".env", "0644", "x"))
    assert re.sub(r"\.fleet-new\.\w+", "new", (written.home / "order").read_text()).splitlines() == [
        "sync -- new/1", "sync -- new/2", "mv -fT -- new/1 env/web.env", "sync -- env", "mv -fT -- new/2 .env", "sync -- .",
    ]  # fmt: skip


def test_a_parent_that_is_a_file_changes_nothing(host: StubHost) -> None:
    host.write("env", "mine")
    done = put(host, A_FRAGMENT, AN_ENV)
    assert (done.returncode, done.stdout, tree(host)) == (1, "", {"env": b"mine"})
    assert "env/web.env: cannot be written: " in done.stderr


def test_a_replacing_that_fails_is_told_and_the_next_run_goes_on(written: StubHost) -> None:
    at_call(written, "mv", 2, "echo Read-only file system >&2; exit 1")
    done = put(written, *ALL)
    assert (done.returncode, done.stdout) == (1, "wrote secrets/redis/password\n")
    assert "Run again" in done.stderr
    assert tree(written) == BEFORE | {"secrets/redis/password": AFTER["secrets/redis/password"]}
    assert put(written, *ALL).stdout == "wrote env/web.env\nwrote compose.d/web.yml\n"
    assert tree(written) == AFTER


# finds the shells above a stand-in, down to the one that was started first
SHELLS = """
    pid=$PPID
    while read -r name </proc/$pid/comm && [ "$name" = sh ]; do
        shells="$shells $pid"
        pid=$(sed -n 's/^PPid:[[:space:]]*//p' /proc/$pid/status)
    done
"""


@pytest.mark.parametrize("call", [1, 2])
@pytest.mark.parametrize("program", ["base64", "chmod", "sync", "cmp", "mv"])
def test_a_put_that_is_killed_leaves_whole_files_and_the_next_one_finishes(written: StubHost, program: str, call: int) -> None:
    at_call(written, program, call, f"{SHELLS} kill -9 $shells")
    assert put(written, *ALL).returncode in (-9, 128 + 9)
    left = tree(written)
    assert all(left[path] in (BEFORE[path], AFTER[path]) for path in BEFORE)
    assert {mode(folder) for folder in written.root.glob(".fleet-new.*")} == {"0700"}
    forget(written, program)
    assert put(written, *ALL).returncode == 0
    assert tree(written) == AFTER


@pytest.mark.parametrize("signal", ["HUP", "INT", "TERM"])
def test_a_put_that_is_ended_takes_away_what_it_began(written: StubHost, signal: str) -> None:
    at_call(written, "sync", 2, f"{SHELLS} kill -{signal} $shells")
    assert put(written, *ALL).returncode != 0
    assert tree(written) == BEFORE


def test_what_a_killed_put_left_is_taken_away(written: StubHost) -> None:
    for path in (".fleet-new.0123456789/1", "secrets/redis/.fleet-new.0123456789"):
        written.write(path, "half", mode=0o644)
    assert put(written, *ALL).returncode == 0
    assert tree(written) == AFTER


# What is somebody else's


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder of somebody else, with a file in it."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "web.yml").write_text("theirs")
    return folder


@pytest.mark.parametrize("link", ["compose.d/web.yml", "compose.d", "compose.d/deep", "nowhere"])
@pytest.mark.parametrize("verb", ["write", "remove"])
def test_nothing_is_written_or_removed_through_a_symbolic_link(host: StubHost, elsewhere: Path, link: str, verb: str) -> None:
    paths = {"compose.d": "compose.d/web.yml", "compose.d/deep": "compose.d/deep/web.yml"}
    path = paths.get(link, link)
    targets = {"compose.d/web.yml": elsewhere / "web.yml", "nowhere": elsewhere / "missing"}
    (host.root / link).parent.mkdir(exist_ok=True)
    (host.root / link).symlink_to(targets.get(link, elsewhere))
    done = put(host, A_PASSWORD, *([File(path, "0644", "x")] if verb == "write" else []), remove=[path] if verb == "remove" else [])
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{host.root}/{link}: is a symbolic link. Nothing was changed. Move it away.\n"
    assert (host.root / link).is_symlink()
    assert [file.read_text() for file in elsewhere.iterdir()] == ["theirs"]
    assert not (host.root / A_PASSWORD.path).exists()


@pytest.mark.parametrize("kind", ["folder", "fifo"])
@pytest.mark.parametrize("verb", ["write", "edit", "remove"])
def test_what_is_no_file_is_neither_replaced_nor_removed(host: StubHost, kind: str, verb: str) -> None:
    if kind == "folder":
        host.write("x/mine", "kept")
    else:
        os.mkfifo(host.root / "x")
    files: dict[str, ManagedFile] = {"write": File("x", "0644", ""), "edit": EnvFile("x", "0600", {"A": "A=1"})}
    done = put(host, A_PASSWORD, *([files[verb]] if verb in files else []), remove=["x"] if verb == "remove" else [])
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{host.root}/x: is no regular file. Nothing was changed. Move it away.\n"
    assert tree(host) == ({"x/mine": b"kept"} if kind == "folder" else {})


def test_a_link_that_takes_the_place_of_a_file_at_the_last_moment_is_replaced_and_not_followed(
    written: StubHost, elsewhere: Path
) -> None:
    # to a folder: a plain `mv` would go into it
    at_call(written, "mv", 1, f"rm compose.d/web.yml; ln -s {elsewhere} compose.d/web.yml")
    put(written, A_FRAGMENT)
    assert tree(written)[A_FRAGMENT.path] == A_FRAGMENT.content.encode()
    assert not (written.root / A_FRAGMENT.path).is_symlink()
    assert [path.name for path in elsewhere.iterdir()] == ["web.yml"]


@pytest.mark.parametrize("path", ["../x", "env/../../x", "/etc/x", "env//x", "env/./x"])
@pytest.mark.parametrize("verb", ["write", "remove"])
def test_a_path_that_leads_out_of_the_folder_is_refused(written: StubHost, path: str, verb: str) -> None:
    (written.root.parent / "x").write_text("theirs")
    done = put(written, *([File(path, "0600", "")] if verb == "write" else []), remove=[path] if verb == "remove" else [])
    assert (done.returncode, done.stdout, tree(written)) == (1, "", BEFORE)
    assert (written.root.parent / "x").read_text() == "theirs"


def test_a_path_with_a_line_break_cannot_become_two(host: StubHost) -> None:
    with pytest.raises(ValueError, match="line break"):
        put(host, File("a\n../b", "0600", ""))


# Folders


def test_a_folder_is_made_with_its_mode(host: StubHost) -> None:
    done = put(host, Folder("data/redis", "0700"))
    assert (done.returncode, done.stdout) == (0, "made data/redis\n")
    assert (mode(host.root / "data"), mode(host.root / "data/redis")) == ("0755", "0700")
    assert put(host, Folder("data/redis", "0700")).stdout == ""


def test_a_folder_that_is_there_is_put_right_and_what_is_in_it_stays(host: StubHost) -> None:
    host.write("data/redis/dump.rdb", "data", mode=0o644)
    (host.root / "data/redis").chmod(0o755)
    done = put(host, Folder("data/redis", "0700"))
    assert (done.returncode, done.stdout) == (0, "set mode and owner of data/redis\n")
    assert mode(host.root / "data/redis") == "0700"
    assert (mode(host.root / "data/redis/dump.rdb"), tree(host)) == ("0644", {"data/redis/dump.rdb": b"data"})


@needs_root
def test_a_folder_gets_its_owner(host: StubHost) -> None:
    for _ in range(2):
        put(host, Folder("data/redis", "0700", "1234:2345"))
        found = (host.root / "data/redis").stat()
        assert (found.st_uid, found.st_gid, (host.root / "data").stat().st_uid) == (1234, 2345, 0)
        os.chown(host.root / "data/redis", 0, 0)


@pytest.mark.parametrize("kind", ["link", "file"])
def test_what_is_no_folder_is_left_alone(host: StubHost, elsewhere: Path, kind: str) -> None:
    (host.root / "data").mkdir()
    elsewhere.chmod(0o755)
    if kind == "link":
        (host.root / "data/redis").symlink_to(elsewhere)
    else:
        host.write("data/redis", "mine")
    done = put(host, A_PASSWORD, Folder("data/redis", "0700"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "Nothing was changed" in done.stderr
    assert mode(elsewhere) == "0755"
    assert not (host.root / A_PASSWORD.path).exists()
