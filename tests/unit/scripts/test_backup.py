"""backup.sh, restore.sh and backup/list: the files as they were, and the way back to them."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from operations.facts.past import Backups
from tests.unit.stubs import HOSTILE_FOLDERS, StubHost

PASSWORD = "Marker_Password-0123456789"
OLD_PASSWORD = "Former_Password-9876543210"
BACKUP = "20260304T050607Z"
THEN = 1_700_000_000


@pytest.fixture
def host(tmp_path: Path) -> StubHost:
    return StubHost(tmp_path)


def mode(path: Path) -> str:
    return f"{stat.S_IMODE(path.stat().st_mode):04o}"


# backup.sh


def backups(host: StubHost) -> list[Path]:
    """The backups that a person sees with `ls`."""
    return sorted((host.root / "backups").glob("[!.]*"))


def back_up(host: StubHost, *paths: str, keep: int = 10) -> subprocess.CompletedProcess[str]:
    return host.script("backup.sh", str(host.root), str(keep), *paths)


def test_a_backup_holds_the_files_as_they_are(host: StubHost) -> None:
    file = host.write("env/redis.env", f"REDIS_PASSWORD={OLD_PASSWORD}\n", 0o600)
    host.write("compose.yml", "services: {}\n", 0o640)
    os.utime(file, (1_700_000_000, 1_700_000_000))
    done = back_up(host, "env/redis.env", "compose.yml")
    (copy,) = backups(host)
    assert done.stdout == f"kept backups/{copy.name}\n"
    assert (copy / "env/redis.env").read_text() == f"REDIS_PASSWORD={OLD_PASSWORD}\n"
    assert (copy / "env/redis.env").stat().st_mtime == 1_700_000_000
    assert (mode(copy / "env/redis.env"), mode(copy / "compose.yml")) == ("0600", "0640")


def test_nobody_else_can_look_into_a_backup(host: StubHost) -> None:
    host.write("compose.yml", "services: {}\n", 0o644)
    back_up(host, "compose.yml")
    (copy,) = backups(host)
    assert (mode(host.root / "backups"), mode(copy)) == ("0700", "0700")


def test_a_backup_is_named_by_the_time_in_utc(host: StubHost) -> None:
    host.write("compose.yml", "x")
    host.stub("date", 'TZ=America/New_York exec /bin/date "$@" --date "2026-03-04 05:06:07 UTC"')
    back_up(host, "compose.yml")
    assert [copy.name for copy in backups(host)] == ["20260304T050607Z"]


def test_two_backups_of_one_second_are_two(host: StubHost) -> None:
    host.stub("date", "echo 20260304T050607Z")
    for content in ("one", "two", "three"):
        host.write("compose.yml", content)
        assert back_up(host, "compose.yml").returncode == 0
    assert [(copy.name, (copy / "compose.yml").read_text()) for copy in backups(host)] == [
        ("20260304T050607Z", "one"), ("20260304T050607Z-2", "two"), ("20260304T050607Z-3", "three"),
    ]  # fmt: skip


def test_the_newest_backups_are_kept(host: StubHost) -> None:
    host.write("compose.yml", "x")
    for day in range(1, 6):
        host.stub("date", f"echo 2026030{day}T000000Z")
        back_up(host, "compose.yml", keep=3)
    assert [copy.name for copy in backups(host)] == ["20260303T000000Z", "20260304T000000Z", "20260305T000000Z"]


def test_of_files_that_are_not_there_yet_the_names_are_noted(host: StubHost) -> None:
    host.write("compose.yml", "x")
    done = back_up(host, "env/new.env", "compose.yml", "compose.d/a new one.yml")
    (copy,) = backups(host)
    assert sorted(path.name for path in copy.rglob("*")) == [".absent", "compose.yml"]
    assert (copy / ".absent").read_text() == "env/new.env\ncompose.d/a new one.yml\n"
    assert mode(copy / ".absent") == "0600"
    assert done.stdout == f"kept backups/{copy.name}\n"


def test_where_every_file_is_there_no_name_is_noted(host: StubHost) -> None:
    host.write("compose.yml", "x")
    back_up(host, "compose.yml")
    (copy,) = backups(host)
    assert [path.name for path in copy.iterdir()] == ["compose.yml"]


@pytest.mark.parametrize("root", ["stack", "nowhere"])
def test_without_a_file_there_is_no_backup(host: StubHost, root: str) -> None:
    done = host.script("backup.sh", str(host.root.parent / root), "10", "compose.yml")
    assert (done.returncode, done.stdout) == (0, "")
    assert not (host.root / "backups").exists()


def test_without_a_file_the_backups_that_there_are_stay(host: StubHost) -> None:
    host.write("backups/20260304T050607Z/compose.yml", "x")
    assert back_up(host, "compose.yml").returncode == 0
    assert [copy.name for copy in (host.root / "backups").iterdir()] == ["20260304T050607Z"]


def test_a_backup_that_fails_in_the_middle_is_none(host: StubHost) -> None:
    host.write("compose.yml", "x")
    host.write(".env", "x")
    host.stub("cp", '[ "$4" != .env ] || exit 1; exec /bin/cp "$@"')
    done = back_up(host, "compose.yml", ".env")
    assert done.returncode != 0
    assert done.stdout == ""
    assert backups(host) == []


def test_what_a_killed_backup_left_is_taken_away(host: StubHost) -> None:
    host.write("backups/.partial/old", "half")
    host.write("compose.yml", "x")
    back_up(host, "compose.yml")
    (copy,) = (host.root / "backups").iterdir()
    assert [path.name for path in copy.iterdir()] == ["compose.yml"]


@pytest.mark.parametrize("name", HOSTILE_FOLDERS)
def test_a_backup_in_a_hostile_folder_stays_there(tmp_path: Path, name: str) -> None:
    host = StubHost(tmp_path, root=name)
    host.write("compose.yml", "x")
    assert back_up(host, "compose.yml").returncode == 0
    assert len(backups(host)) == 1
    assert host.nothing_was_executed()


# restore.sh


def restore(host: StubHost, name: str = BACKUP) -> subprocess.CompletedProcess[str]:
    return host.script("restore.sh", str(host.root), name)


def tree(host: StubHost) -> dict[str, str]:
    """Every file of the stack but its backups, also what should not be there."""
    files = (path for path in host.root.rglob("*") if path.is_file() and "backups" not in path.relative_to(host.root).parts)
    return {str(path.relative_to(host.root)): path.read_text() for path in files}


BEFORE = {"compose.yml": "services: {}\n", "env/web.env": f"URL=redis://:{OLD_PASSWORD}@redis\n", ".env": "A=1\n"}
AFTER = {**BEFORE, "env/web.env": f"URL=redis://:{PASSWORD}@redis\n", "compose.d/web.yml": "new", "data/redis/dump": "kept"}


@pytest.fixture
def changed(host: StubHost) -> StubHost:
    """A run has changed one file and written another; what was there before is in a backup."""
    host.stub("date", f"echo {BACKUP}")
    for path, content in BEFORE.items():
        os.utime(host.write(path, content, 0o640 if path == ".env" else 0o600), (THEN, THEN))
    assert back_up(host, *BEFORE, "compose.d/web.yml", "secrets/redis/password").returncode == 0
    for path, content in AFTER.items():
        host.write(path, content, 0o644)
    return host


def test_files_come_back_and_those_that_were_not_there_go(changed: StubHost) -> None:
    done = restore(changed)
    assert (done.returncode, done.stderr) == (0, "")
    assert tree(changed) == {**BEFORE, "data/redis/dump": "kept"}
    assert sorted(done.stdout.splitlines()) == ["removed compose.d/web.yml", "restored env/web.env"]


def test_files_come_back_with_their_mode_and_their_time(changed: StubHost) -> None:
    restore(changed)
    assert {path: mode(changed.root / path) for path in BEFORE} == {"compose.yml": "0600", "env/web.env": "0600", ".env": "0640"}
    assert {(changed.root / path).stat().st_mtime for path in BEFORE} == {THEN}


def test_a_file_whose_folder_is_gone_comes_back(changed: StubHost) -> None:
    shutil.rmtree(changed.root / "env")
    assert restore(changed).returncode == 0
    assert (changed.root / "env/web.env").read_text() == BEFORE["env/web.env"]


def test_the_backup_itself_stays(changed: StubHost) -> None:
    restore(changed)
    (copy,) = backups(changed)
    assert (copy / "env/web.env").read_text() == BEFORE["env/web.env"]


def test_what_is_back_already_is_not_said_again(changed: StubHost) -> None:
    restore(changed)
    done = restore(changed)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert tree(changed) == {**BEFORE, "data/redis/dump": "kept"}


def test_no_secret_is_said(changed: StubHost) -> None:
    done = restore(changed)
    assert PASSWORD not in done.stdout + done.stderr
    assert OLD_PASSWORD not in done.stdout + done.stderr


def test_what_redis_accepts_stays_as_it_is(changed: StubHost) -> None:
    changed.write("secrets/redis/users.acl", "both\n")
    changed.write(f"backups/{BACKUP}/secrets/redis/users.acl", "old\n")
    done = restore(changed)
    assert (changed.root / "secrets/redis/users.acl").read_text() == "both\n"
    assert "users.acl" not in done.stdout


def test_what_redis_accepts_stays_where_there_was_nothing_before(changed: StubHost) -> None:
    changed.write("secrets/redis/users.acl", "both\n")
    with (changed.root / "backups" / BACKUP / ".absent").open("a") as absent:
        absent.write("secrets/redis/users.acl\n")
    assert restore(changed).returncode == 0
    assert (changed.root / "secrets/redis/users.acl").read_text() == "both\n"


def test_a_backup_that_is_not_there_is_named_with_those_that_are(changed: StubHost) -> None:
    changed.write("backups/20260305T000000Z/compose.yml", "x")
    done = restore(changed, "20260301T000000Z")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"{changed.root}/backups/20260301T000000Z: there is no such backup. The others: {BACKUP}, 20260305T000000Z\n"
    )
    assert tree(changed) == AFTER


@pytest.mark.parametrize("name", ["", ".", "..", "../..", "../env", f"{BACKUP}/env", ".partial", "-x", "*"])
def test_what_is_no_backups_name_changes_nothing(changed: StubHost, name: str) -> None:
    changed.write("backups/.partial/compose.yml", "half")
    done = restore(changed, name)
    assert done.returncode != 0
    assert tree(changed) == AFTER


@pytest.mark.parametrize("program", ["cp", "sync"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_full_disk_changes_nothing(changed: StubHost, program: str, number: int) -> None:
    changed.stub(program, f"""
        echo x >>"$HOME/count"
        [ "$(wc -l <"$HOME/count")" -ne {number} ] || exit 1
        exec {shutil.which(program)} "$@"
    """)  # fmt: skip
    assert restore(changed).returncode != 0
    assert tree(changed) == AFTER
    assert len((changed.home / "count").read_text().splitlines()) == number


def test_a_restore_that_was_killed_in_its_middle_can_be_run_again(changed: StubHost) -> None:
    changed.stub("cmp", "kill -KILL $PPID; exit 1")
    restore(changed)
    (changed.bin / "cmp").unlink()
    assert restore(changed).returncode == 0
    assert tree(changed) == {**BEFORE, "data/redis/dump": "kept"}


@pytest.mark.parametrize("name", HOSTILE_FOLDERS)
def test_a_hostile_folder_is_restored_there(tmp_path: Path, name: str) -> None:
    host = StubHost(tmp_path, root=name)
    host.write("env/a b's.env", "x")
    back_up(host, "env/a b's.env", "a new one")
    host.write("env/a b's.env", "y")
    host.write("a new one", "y")
    (copy,) = backups(host)
    assert restore(host, copy.name).returncode == 0
    assert tree(host) == {"env/a b's.env": "x"}
    assert host.nothing_was_executed()


# backup/list


def listed(host: StubHost, root: Path | None = None) -> object:
    fact = Backups()
    return fact.process(host.command(fact.command(str(root or host.root))).stdout.splitlines())


def test_backups_are_listed_oldest_first_with_their_number_of_files(changed: StubHost) -> None:
    changed.write("backups/20260305T000000Z/compose.yml", "x")
    assert listed(changed) == {BACKUP: 3, "20260305T000000Z": 1}


def test_what_is_no_backup_is_not_listed(changed: StubHost) -> None:
    changed.write("backups/.partial/compose.yml", "half")
    changed.write("backups/notes", "mine")
    assert listed(changed) == {BACKUP: 3}


def test_a_stack_without_backups_has_none(host: StubHost) -> None:
    assert listed(host) == {}
    assert listed(host, host.root / "nowhere") == {}
    (host.root / "backups").mkdir()
    assert listed(host) == {}
