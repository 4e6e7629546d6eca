"""backup/make, backup/restore and backup/list: the files as they were, and the way back to them."""

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


# backup/make


def backups(host: StubHost) -> list[Path]:
    """The backups that a person sees with `ls`."""
    return sorted((host.root / "backups").glob("[!.]*"))


def back_up(host: StubHost, *paths: str, keep: int = 10, runs: bool = False) -> subprocess.CompletedProcess[str]:
    return host.script("backup/make", root=str(host.root), keep=keep, paths=paths, runs=runs)


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


def test_where_services_run_already_no_file_is_a_state_to_go_back_to(host: StubHost) -> None:
    host.write("compose.yml", "services: {}\n")
    back_up(host, ".env", "env/redis.env", runs=True)
    (copy,) = backups(host)
    for path in (".env", "env/redis.env"):
        host.write(path, "A=1\n")
    assert host.script("backup/restore", root=str(host.root), name=copy.name, stays="").returncode == 0
    assert not (host.root / ".env").exists()
    assert not (host.root / "env/redis.env").exists()
    assert (host.root / "compose.yml").exists()


def test_nobody_else_can_look_into_a_backup(host: StubHost) -> None:
    host.write("compose.yml", "services: {}\n", 0o644)
    back_up(host, "compose.yml")
    (copy,) = backups(host)
    assert (mode(host.root / "backups"), mode(copy)) == ("0700", "0700")


def test_no_folder_of_a_backup_is_open_whatever_it_was_in_the_stack(host: StubHost) -> None:
    host.write("env/redis.env", "A=b\n")
    (host.root / "env").chmod(0o755)
    assert back_up(host, "env/redis.env").returncode == 0
    (backup,) = backups(host)
    assert {mode(path) for path in (backup, backup / "env")} == {"0700"}


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
        ("20260304T050607Z", "one"), ("20260304T050607Z-02", "two"), ("20260304T050607Z-03", "three"),
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
    assert sorted(path.name for path in copy.rglob("*")) == [".absent", ".fleet-backup", "compose.yml"]
    assert (copy / ".absent").read_text() == "env/new.env\ncompose.d/a new one.yml\n"
    assert mode(copy / ".absent") == "0600"
    assert done.stdout == f"kept backups/{copy.name}\n"


def test_where_every_file_is_there_no_name_is_noted(host: StubHost) -> None:
    host.write("compose.yml", "x")
    back_up(host, "compose.yml")
    (copy,) = backups(host)
    assert sorted(path.name for path in copy.iterdir()) == [".fleet-backup", "compose.yml"]


@pytest.mark.parametrize("root", ["stack", "nowhere"])
def test_without_a_file_there_is_no_backup(host: StubHost, root: str) -> None:
    done = host.script("backup/make", root=str(host.root.parent / root), keep=10, paths=["compose.yml"])
    assert (done.returncode, done.stdout) == (0, "")
    assert not (host.root / "backups").exists()


def test_without_a_file_the_backups_that_there_are_stay(host: StubHost) -> None:
    host.write("backups/20260304T050607Z/compose.yml", "x")
    assert back_up(host, "compose.yml").returncode == 0
    assert [copy.name for copy in (host.root / "backups").iterdir()] == ["20260304T050607Z"]


def test_a_backup_that_fails_in_the_middle_is_none(host: StubHost) -> None:
    host.write("compose.yml", "x")
    host.write(".env", "x")
    host.stub("cp", 'case "$*" in *" .env "*) exit 1 ;; esac; exec /bin/cp "$@"')
    done = back_up(host, "compose.yml", ".env")
    assert done.returncode != 0
    assert done.stdout == ""
    assert backups(host) == []


def test_what_a_killed_backup_left_is_taken_away(host: StubHost) -> None:
    host.write(".fleet/mutex", "")
    host.write("backups/.fleet-new.0123456789/old", "half")
    host.write("compose.yml", "x")
    back_up(host, "compose.yml")
    (copy,) = (host.root / "backups").iterdir()
    assert sorted(path.name for path in copy.iterdir()) == [".fleet-backup", "compose.yml"]


def test_what_somebody_else_keeps_there_is_never_counted_nor_removed(host: StubHost) -> None:
    host.write("compose.yml", "x")
    theirs = ("20200101T000000Z", "20990101T000000Z", "dumps", "a dump", ".mine")
    for name in theirs:
        host.write(f"backups/{name}/dump.sql", "theirs")
    host.write("backups/notes", "theirs")
    for day in range(1, 5):
        host.stub("date", f"echo 2026030{day}T000000Z")
        back_up(host, "compose.yml", keep=2)
    # a copy of ours under another name is theirs too
    shutil.copytree(host.root / "backups/20260303T000000Z", host.root / "backups/20260303T000000Z.copy")
    shutil.copytree(host.root / "backups/20260303T000000Z", host.root / "backups/20250101T000000Z")
    host.stub("date", "echo 20260305T000000Z")
    back_up(host, "compose.yml", keep=2)
    ours = ["20260304T000000Z", "20260305T000000Z"]
    there = {path.name for path in (host.root / "backups").iterdir()}
    assert there == {*theirs, "notes", "20260303T000000Z.copy", "20250101T000000Z", *ours}
    assert listed(host) == dict.fromkeys(ours, 1)


def test_two_backups_of_one_second_leave_the_newer_one(host: StubHost) -> None:
    host.stub("date", "echo 20260304T050607Z")
    for content in ("one", "two"):
        host.write("compose.yml", content)
        assert back_up(host, "compose.yml", keep=1).returncode == 0
    (copy,) = backups(host)
    assert (copy / "compose.yml").read_text() == "two"


def test_the_newest_one_and_that_of_this_run_stay_where_the_clock_was_set_back(host: StubHost) -> None:
    host.write("compose.yml", "x")
    for time in ("20260304T050607Z", "20250101T000000Z"):
        host.stub("date", f"echo {time}")
        back_up(host, "compose.yml", keep=1)
    assert [copy.name for copy in backups(host)] == ["20250101T000000Z", "20260304T050607Z"]


def test_eleven_backups_of_one_second_are_in_order(host: StubHost) -> None:
    host.stub("date", "echo 20260304T050607Z")
    for number in range(11):
        host.write("compose.yml", str(number))
        back_up(host, "compose.yml", keep=99)
    assert [(copy / "compose.yml").read_text() for copy in backups(host)] == [str(number) for number in range(11)]


def test_a_backup_is_on_the_disk_before_it_has_its_name(host: StubHost) -> None:
    host.write("env/web.env", "x")
    for name in ("sync", "mv"):
        host.stub(name, f'echo "{name} $*" | sed "s/fleet-new.[A-Za-z0-9]*/NEW/g" >>"$HOME/order"; exec {shutil.which(name)} "$@"')
    host.stub("date", f"echo {BACKUP}")
    back_up(host, "env/web.env")
    first, *others = (host.home / "order").read_text().splitlines()
    assert set(first.split()[2:]) == {f"backups/.NEW{part}" for part in ("", "/env", "/env/web.env", "/.fleet-backup")}
    assert others == [f"mv -T -- backups/.NEW backups/{BACKUP}", "sync -- backups ."]


def test_a_link_in_the_stack_is_not_followed_into_a_backup(host: StubHost, tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("their secret")
    host.write("compose.yml", "x")
    (host.root / ".env").symlink_to(tmp_path / "theirs")
    assert back_up(host, "compose.yml", ".env").returncode == 0
    assert not any("their secret" in file.read_text() for file in (host.root / "backups").rglob("*") if file.is_file())


def test_backups_that_lie_elsewhere_are_left_alone(host: StubHost, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (host.root / "backups").symlink_to(tmp_path / "elsewhere")
    host.write("compose.yml", "x")
    done = back_up(host, "compose.yml")
    assert (done.returncode, done.stderr) == (1, f"{host.root}/backups: is no folder. Nothing was changed. Move it away.\n")
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("name", HOSTILE_FOLDERS)
def test_a_backup_in_a_hostile_folder_stays_there(tmp_path: Path, name: str) -> None:
    host = StubHost(tmp_path, root=name)
    host.write("compose.yml", "x")
    assert back_up(host, "compose.yml").returncode == 0
    assert len(backups(host)) == 1
    assert host.nothing_was_executed()


# backup/restore


def restore(host: StubHost, name: str = BACKUP) -> subprocess.CompletedProcess[str]:
    return host.script("backup/restore", root=str(host.root), name=name, stays=["secrets/redis/users.acl"])


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


def one_more(host: StubHost) -> None:
    """Another backup, of one file."""
    host.write("backups/20260305T000000Z/compose.yml", "x")
    host.write("backups/20260305T000000Z/.fleet-backup", "20260305T000000Z\n")


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
    one_more(changed)
    done = restore(changed, "20260301T000000Z")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"{changed.root}/backups/20260301T000000Z: there is no such backup. The others: {BACKUP}, 20260305T000000Z\n"
    )
    assert tree(changed) == AFTER


@pytest.mark.parametrize("name", ["", ".", "..", "../..", "../env", f"{BACKUP}/env", ".fleet-new.0123456789", "-x", "*"])
def test_what_is_no_backups_name_changes_nothing(changed: StubHost, name: str) -> None:
    changed.write("backups/.fleet-new.0123456789/compose.yml", "half")
    done = restore(changed, name)
    assert done.returncode != 0
    assert tree(changed) == AFTER


def test_a_backup_of_an_earlier_version_has_no_mark_and_can_be_restored(changed: StubHost) -> None:
    (changed.root / "backups" / BACKUP / ".fleet-backup").unlink()
    assert listed(changed) == {}
    assert restore(changed).returncode == 0
    assert tree(changed) == {**BEFORE, "data/redis/dump": "kept"}


@pytest.mark.parametrize("name", ["dumps", "20260304", "20260304T050607Z.copy", f"{BACKUP}-mine"])
def test_what_somebody_else_keeps_there_is_not_restored(changed: StubHost, name: str) -> None:
    shutil.copytree(changed.root / "backups" / BACKUP, changed.root / "backups" / name)
    done = restore(changed, name)
    assert (done.returncode, done.stdout, tree(changed)) == (1, "", AFTER)
    assert done.stderr.startswith(f"{changed.root}/backups/{name}: there is no such backup. ")


@pytest.mark.parametrize("name", ["a\n../../x", "a\n.env"])
def test_a_name_with_a_line_break_in_a_backup_writes_nothing(changed: StubHost, name: str) -> None:
    changed.write(f"backups/{BACKUP}/env/{name}", "forged")
    done = restore(changed)
    assert (done.returncode, done.stdout, tree(changed)) == (1, "", AFTER)
    assert not (changed.root.parent / "x").exists()


@pytest.mark.parametrize("target", ["/etc/hostname", "/etc", "nowhere"])
def test_a_link_in_a_backup_writes_nothing(changed: StubHost, target: str) -> None:
    (changed.root / "backups" / BACKUP / "env/link").symlink_to(target)
    assert restore(changed).returncode == 1
    assert tree(changed) == AFTER


@pytest.mark.parametrize("path", ["../precious", "env/../../precious", "/precious"])
def test_a_name_that_leads_out_of_the_stack_removes_nothing(changed: StubHost, path: str) -> None:
    (changed.root.parent / "precious").write_text("theirs")
    with (changed.root / "backups" / BACKUP / ".absent").open("a") as absent:
        absent.write(f"{path}\n")
    assert restore(changed).returncode == 1
    assert (changed.root.parent / "precious").exists()
    assert tree(changed) == AFTER


def test_a_link_in_the_stack_is_not_followed_by_a_restore(changed: StubHost, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    shutil.rmtree(changed.root / "env")
    (changed.root / "env").symlink_to(tmp_path / "elsewhere")
    done = restore(changed)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{changed.root}/env: is a symbolic link. Nothing was changed. Move it away.\n"
    assert list((tmp_path / "elsewhere").iterdir()) == []


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
    one_more(changed)
    assert listed(changed) == {BACKUP: 3, "20260305T000000Z": 1}


def test_what_is_no_backup_is_not_listed(changed: StubHost) -> None:
    changed.write("backups/.fleet-new.0123456789/compose.yml", "half")
    changed.write("backups/notes", "mine")
    assert listed(changed) == {BACKUP: 3}


def test_a_stack_without_backups_has_none(host: StubHost) -> None:
    assert listed(host) == {}
    assert listed(host, host.root / "nowhere") == {}
    (host.root / "backups").mkdir()
    assert listed(host) == {}


# Images, which have other names after a change

NAME, THEN_ID, NOW_ID = "reg.example/app:1", f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


def with_image(host: StubHost, id_: str, tagging: str = "exit 0") -> None:
    host.stub("docker", f"case $1 in image) echo {id_} ;; tag) {tagging} ;; esac")


def backed_up_image(host: StubHost) -> str:
    with_image(host, THEN_ID)
    host.script("backup/make", root=str(host.root), keep=9, paths=[], images=[NAME], runs=True)
    (copy,) = backups(host)
    assert (copy / ".images").read_text() == f"{NAME} {THEN_ID}\n"
    return copy.name


def test_an_image_gets_its_name_back(host: StubHost) -> None:
    name = backed_up_image(host)
    with_image(host, NOW_ID)
    done = host.script("backup/restore", root=str(host.root), name=name, stays=[])
    assert (done.returncode, done.stdout) == (0, f"image {NAME} is the one of then\n")
    assert host.calls("docker")[-1] == ["tag", THEN_ID, NAME]


def test_an_image_that_has_its_name_still_is_left_alone(host: StubHost) -> None:
    name = backed_up_image(host)
    assert host.script("backup/restore", root=str(host.root), name=name, stays=[]).stdout == ""
    assert not [words for words in host.calls("docker") if words[0] == "tag"]


def test_an_image_that_is_gone_is_told(host: StubHost) -> None:
    name = backed_up_image(host)
    with_image(host, NOW_ID, tagging="exit 1")
    done = host.script("backup/restore", root=str(host.root), name=name, stays=[])
    assert done.stdout == f"image {NAME} is not the one of then, which is no longer on this host\n"
