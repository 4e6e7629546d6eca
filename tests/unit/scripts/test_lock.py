"""lock/take, lock/release and the mutex: one run at a time changes a stack, one script at a time is at work, each is noted."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from operations.controller.files import put_list
from operations.facts.past import History
from operations.facts.state import State
from operations.stack.files import File, ManagedFile
from operations.stack.lock import Owner
from operations.stack.snapshot import UNKNOWN
from tests.unit.stubs import HOSTILE_FOLDERS, StubHost

MINE, OTHER = "20261124T150102Z-3f9a", "20261124T140000Z-0b1c"


@pytest.fixture
def host(tmp_path: Path) -> StubHost:
    return StubHost(tmp_path)


def owner(run: str) -> str:
    """What `lock.acquire` sends, in one line."""
    return json.dumps(Owner(run, "ann", "laptop", "4711:99", "2026-11-24T15:01:02Z").to_json())


def take(host: StubHost, run: str = MINE, over: str = "", ttl: int = 3600) -> subprocess.CompletedProcess[str]:
    return host.script("lock/take", root=str(host.root), ttl=ttl, over=over, run=run, owner=owner(run))


def taking_it(host: StubHost, run: str) -> subprocess.Popen[str]:
    return host.start("lock/take", root=str(host.root), ttl=60, over="", run=run, owner=owner(run))


def held_by(host: StubHost) -> str | None:
    """The run that holds the lock, as the next one sees it."""
    fact = State()
    seen = fact.process(host.command(fact.command(str(host.root))).stdout.splitlines())
    assert seen is not UNKNOWN
    return seen.lock.run if seen.lock else None


def held_since(host: StubHost, seconds: int) -> None:
    """The lock was taken so long ago."""
    then = time.time() - seconds
    os.utime(host.root / ".fleet" / "lock", (then, then))


def mode(path: Path) -> str:
    return f"{stat.S_IMODE(path.stat().st_mode):04o}"


# lock/take


def test_a_lock_is_taken_and_tells_by_whom(host: StubHost) -> None:
    done = take(host)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert json.loads((host.root / ".fleet/lock/owner").read_text()) == json.loads(owner(MINE))
    assert held_by(host) == MINE


def test_a_stack_that_is_not_there_yet_is_locked_too(host: StubHost) -> None:
    host.root.rmdir()
    assert take(host).returncode == 0
    assert held_by(host) == MINE
    assert (mode(host.root), mode(host.root / ".fleet")) == ("0755", "0700")


def test_nobody_else_can_look_into_a_lock(host: StubHost) -> None:
    take(host)
    assert (mode(host.root / ".fleet/lock"), mode(host.root / ".fleet/lock/owner")) == ("0700", "0600")


def test_a_lock_that_another_run_holds_fails_and_tells_whose_it_is(host: StubHost) -> None:
    take(host, OTHER)
    done = take(host)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{host.root} is locked by run {OTHER}, by ann from laptop, since 2026-11-24T15:01:02Z\n"
    assert held_by(host) == OTHER


FORGED = [
    json.dumps({"run": OTHER, "operator": "x", "note": f'"run": "{MINE}"'}),
    json.dumps({"run": OTHER, "operator": f'x", "run": "{MINE}'}),
    f'{{"run": "{OTHER}",\n"operator": "\\u001b[2Jx\\n{MINE}"}}',
    json.dumps({"run": f"{OTHER}\n{MINE}"}),
    json.dumps({"run": OTHER, "operator": "x" * 3000}),
]


@pytest.mark.parametrize("text", FORGED, ids=range(len(FORGED)))
@pytest.mark.parametrize("noted", [True, False], ids=["run", "owner alone"])
def test_whatever_an_owner_file_says_it_is_nobody_elses_lock(host: StubHost, text: str, noted: bool) -> None:
    host.write(".fleet/lock/owner", text)
    if noted:
        host.write(".fleet/lock/run", f"{OTHER}\n{MINE}\n")
    done = take(host)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr) < 700
    assert done.stderr.count("\n") == 1
    assert "\x1b" not in done.stderr
    give_back(host)
    assert (host.root / ".fleet/lock/owner").exists()


def test_a_lock_works_on_a_host_without_jq(host: StubHost) -> None:
    host.without("jq")
    assert take(host, OTHER).returncode == 0
    assert take(host).stderr == f"{host.root} is locked by another run\n"
    assert give_back(host, "{}", OTHER).returncode == 0
    assert not (host.root / ".fleet/lock").exists()


def test_a_lock_that_failed_leaves_nothing_behind(host: StubHost) -> None:
    take(host, OTHER)
    before = sorted(path.name for path in (host.root / ".fleet").iterdir())
    take(host)
    assert sorted(path.name for path in (host.root / ".fleet").iterdir()) == before == ["lock", "mutex"]


def test_what_a_killed_script_left_is_in_nobodys_way(host: StubHost) -> None:
    host.write(".fleet/lock-new.0123456789/owner", owner(OTHER))
    assert take(host).returncode == 0
    assert held_by(host) == MINE


def test_the_same_run_takes_its_lock_again(host: StubHost) -> None:
    take(host)
    done = take(host)
    assert (done.returncode, done.stdout) == (0, "")
    assert held_by(host) == MINE


@pytest.mark.parametrize("over", [OTHER, "*"])
def test_a_lock_is_taken_over_where_that_is_asked_for_and_it_is_said(host: StubHost, over: str) -> None:
    take(host, OTHER)
    done = take(host, over=over)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"took over the lock of run {OTHER}, ")
    assert held_by(host) == MINE


def test_a_run_whose_lock_is_taken_over_is_in_the_history(host: StubHost) -> None:
    host.write(".fleet/history.jsonl", '{"run": "cut o')
    take(host, OTHER)
    take(host, over=OTHER)
    cut, noted = history(host)
    assert cut == '{"run": "cut o'
    assert json.loads(noted) == {**json.loads(owner(OTHER)), "result": "interrupted"}


@pytest.mark.parametrize("before", [None, MINE], ids=["free", "its own"])
def test_a_lock_that_is_taken_over_from_nobody_is_not_noted(host: StubHost, before: str | None) -> None:
    if before:
        take(host, before)
    take(host)
    assert not (host.root / ".fleet/history.jsonl").exists()


def test_the_lock_of_a_third_run_is_not_taken_over(host: StubHost) -> None:
    # the run that was found dead has been followed by another since
    take(host, "20261124T145959Z-ffff")
    assert take(host, over=OTHER).returncode == 1
    assert held_by(host) == "20261124T145959Z-ffff"


@pytest.mark.parametrize(("age", "code"), [(0, 1), (50, 1), (70, 0), (100_000, 0)])
def test_a_lock_that_is_older_than_its_time_is_taken_over(host: StubHost, age: int, code: int) -> None:
    take(host, OTHER)
    held_since(host, age)
    done = take(host, ttl=60)
    assert done.returncode == code
    assert held_by(host) == (MINE if code == 0 else OTHER)
    if code == 0:
        said, _, seconds = done.stdout.removesuffix(" s old\n").rpartition(", ")
        assert said == f"took over the lock of run {OTHER}"
        assert age <= int(seconds) <= age + 10


@pytest.mark.parametrize("text", ["", "{", "[]", '{"run": ""}'])
def test_a_lock_that_names_nobody_belongs_to_nobody(host: StubHost, text: str) -> None:
    host.write(".fleet/lock/owner", text)
    assert take(host).returncode == 0
    assert held_by(host) == MINE


def test_a_full_disk_leaves_the_lock_as_it_was(host: StubHost) -> None:
    take(host, OTHER)
    host.stub("mktemp", "exit 1")
    assert take(host, over="*").returncode == 1
    assert held_by(host) == OTHER


@pytest.mark.parametrize("old", [False, True], ids=["free", "old"])
def test_of_many_runs_that_come_at_once_one_gets_the_lock(host: StubHost, old: bool) -> None:
    # the time between looking and taking is made long
    host.stub("mv", f'sleep 0.05; exec {shutil.which("mv")} "$@"')
    if old:
        take(host, OTHER)
        held_since(host, 100)
    runs = [f"20261124T15010{number}Z-3f9a" for number in range(5)]
    processes = [taking_it(host, run) for run in runs]
    codes = [process.wait(timeout=20) for process in processes]
    for process in processes:
        process.communicate()
    assert sorted(codes) == [0, 1, 1, 1, 1]
    assert held_by(host) == runs[codes.index(0)]


def test_the_lock_never_stands_there_without_its_owner(host: StubHost) -> None:
    # at the moment of each program, an owner is there if a lock is
    look = '[ ! -d "$STACK/.fleet/lock" ] || [ -s "$STACK/.fleet/lock/owner" ] || echo bare >>"$HOME/bare"'
    for name in ("mkdir", "mktemp", "rm", "mv", "stat", "jq", "date", "flock"):
        host.stub(name, f'STACK="{host.root}"\n{look}\n{shutil.which(name)} "$@"\ncode=$?\n{look}\nexit $code')
    for run in (OTHER, MINE, "third"):
        take(host, run, over="*")
        take(host, OTHER)
    assert not (host.home / "bare").exists()
    assert held_by(host) == "third"


@pytest.mark.parametrize("name", HOSTILE_FOLDERS)
def test_a_stack_in_a_hostile_folder_is_locked_and_released_there(tmp_path: Path, name: str) -> None:
    host = StubHost(tmp_path, root=name)
    assert take(host).returncode == 0
    assert (host.root / ".fleet/lock/owner").exists()
    assert give_back(host, '{"a": 1}').returncode == 0
    assert (host.root / ".fleet/history.jsonl").read_text() == '{"a": 1}\n'
    assert not (host.root / ".fleet/lock").exists()
    assert host.nothing_was_executed()


# lock/release


def give_back(host: StubHost, line: str = "", run: str = MINE, counters: str = "") -> subprocess.CompletedProcess[str]:
    return host.script("lock/release", root=str(host.root), run=run, line=line, counters=counters)


def history(host: StubHost) -> list[str]:
    path = host.root / ".fleet" / "history.jsonl"
    return path.read_text().splitlines() if path.exists() else []


def test_a_lock_is_given_back_and_what_was_done_is_noted(host: StubHost) -> None:
    take(host)
    done = give_back(host, '{"run": "one"}')
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert held_by(host) is None
    assert history(host) == ['{"run": "one"}']
    assert mode(host.root / ".fleet/history.jsonl") == "0600"


def test_what_servers_had_counted_is_noted_and_stays_where_a_run_could_not_ask(host: StubHost) -> None:
    for counters in ('{"redis": {"evicted_keys": "3"}}', ""):
        take(host)
        assert give_back(host, "{}", counters=counters).returncode == 0
    fact = State()
    said = host.command(fact.command(str(host.root))).stdout.splitlines()
    found = fact.process(said)
    assert found is not UNKNOWN
    assert found.counted == {"redis": {"evicted_keys": "3"}}
    assert found.texts == {}
    assert mode(host.root / ".fleet/counters.json") == "0600"
    for broken in ('{"redis": {"evicted_keys": 3', '{"redis": 3}', "[]", ""):
        host.write(".fleet/counters.json", broken)
        found = fact.process(host.command(fact.command(str(host.root))).stdout.splitlines())
        assert found is not UNKNOWN
        assert found.counted == {}


def test_each_run_adds_a_line(host: StubHost) -> None:
    for line in ("one", "two", "three"):
        take(host)
        give_back(host, line)
    assert history(host) == ["one", "two", "three"]


def test_nothing_to_note_is_no_line(host: StubHost) -> None:
    take(host)
    assert give_back(host, "").returncode == 0
    assert history(host) == []
    assert held_by(host) is None


def test_a_lock_that_another_run_has_taken_over_stays(host: StubHost) -> None:
    take(host, OTHER)
    assert give_back(host, "{}").returncode == 0
    assert held_by(host) == OTHER
    assert history(host) == ["{}"]


def test_a_line_that_was_cut_off_stays_alone(host: StubHost) -> None:
    host.write(".fleet/history.jsonl", '{"run": "one"}\n{"run": "tw')
    give_back(host, '{"run": "three"}')
    assert history(host) == ['{"run": "one"}', '{"run": "tw', '{"run": "three"}']
    fact = History()
    command = fact.command(str(host.root), 5)
    assert fact.process(host.command(command).stdout.splitlines()) == [{"run": "one"}, {"run": "three"}]


def test_a_line_break_cannot_make_two_lines_of_one(host: StubHost) -> None:
    take(host)
    give_back(host, '{"run": "one"}\n{"run": "forged"}')
    assert history(host) == ['{"run": "one"} {"run": "forged"}']


def test_a_run_that_could_not_be_noted_fails_and_gives_its_lock_back_all_the_same(host: StubHost) -> None:
    take(host)
    host.stub("sync", "exit 1")
    assert give_back(host, "{}").returncode == 1
    assert held_by(host) is None


def test_a_stack_that_is_gone_needs_nothing_to_be_given_back(host: StubHost) -> None:
    host.root.rmdir()
    done = give_back(host, "{}")
    assert (done.returncode, done.stderr) == (0, "")
    assert not host.root.exists()


# history/list


@pytest.mark.parametrize(("last", "entries"), [(1, [{"n": 3}]), (2, [{"n": 2}, {"n": 3}]), (9, [{"n": 1}, {"n": 2}, {"n": 3}])])
def test_the_last_entries_are_told_oldest_first(host: StubHost, last: int, entries: list[dict[str, int]]) -> None:
    host.write(".fleet/history.jsonl", '{"n": 1}\n{"n": 2}\n{"n": 3}\n')
    fact = History()
    assert fact.process(host.command(fact.command(str(host.root), last)).stdout.splitlines()) == entries


def test_lines_that_are_no_entry_are_left_out(host: StubHost) -> None:
    host.write(".fleet/history.jsonl", '{"n": 1}\n[7]\n\nnonsense\n{"n": 2}\n{"n":')
    fact = History()
    assert fact.process(host.command(fact.command(str(host.root))).stdout.splitlines()) == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize("root", ["stack", "nowhere"])
def test_a_stack_without_a_history_has_no_entry(host: StubHost, root: str) -> None:
    fact = History()
    assert fact.process(host.command(fact.command(str(host.root.parent / root))).stdout.splitlines()) == []


# lib/mutex.sh


class Gate:
    """A program of a host that waits until it is let through."""

    def __init__(self, host: StubHost, name: str, first: str = "") -> None:
        self.reached, self.open = host.home / "reached", host.home / "open"
        host.stub(name, f"""
            {first}
            echo $$ >>"$HOME/reached"
            while [ ! -e "$HOME/open" ]; do sleep 0.02; done
            exec {shutil.which(name)} "$@"
        """)  # fmt: skip


def until(condition: Callable[[], object], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def put(host: StubHost, *files: ManagedFile) -> subprocess.Popen[str]:
    return host.start("files/put", root=str(host.root), files=put_list(files))


def said(process: subprocess.Popen[str]) -> str:
    out, error = process.communicate(timeout=20)
    assert (process.returncode, error) == (0, "")
    return out


@pytest.fixture
def gate(host: StubHost) -> Iterator[Gate]:
    """The first script that writes is held up in its middle."""
    (host.root / ".fleet").mkdir()
    gate = Gate(host, "sync")
    yield gate
    gate.open.touch()


def test_two_scripts_that_write_go_one_after_the_other(host: StubHost, gate: Gate) -> None:
    first = put(host, File("a", "0600", "first\n"), File("b", "0600", "first\n"))
    until(gate.reached.exists)
    second = put(host, File("a", "0600", "second\n"), File("b", "0600", "second\n"))
    time.sleep(0.3)
    assert second.poll() is None
    assert len(gate.reached.read_text().splitlines()) == 1
    gate.open.touch()
    assert said(first) == "wrote a\nwrote b\n"
    assert said(second) == "wrote a\nwrote b\n"
    assert [(host.root / name).read_text() for name in ("a", "b")] == ["second\n", "second\n"]


def test_a_lock_is_taken_only_when_the_script_before_is_done(host: StubHost, gate: Gate) -> None:
    # the run that was killed left a script at work
    first = put(host, File("a", "0600", "first\n"))
    until(gate.reached.exists)
    taking = taking_it(host, MINE)
    until(lambda: held_by(host) == MINE)
    time.sleep(0.2)
    assert taking.poll() is None
    gate.open.touch()
    said(first)
    said(taking)


def test_who_waits_is_told_for_whom(host: StubHost, gate: Gate) -> None:
    take(host, OTHER)
    first = put(host, File("a", "0600", "first\n"))
    until(gate.reached.exists)
    shutil.rmtree(host.root / ".fleet/lock")
    taking = taking_it(host, MINE)
    assert taking.stdout is not None
    waits = taking.stdout.readline()
    gate.open.touch()
    said(first)
    assert said(taking) == ""
    assert (
        waits == f"waiting until a script of run {OTHER}, by ann from laptop, since 2026-11-24T15:01:02Z has ended on this host\n"
    )


def test_who_waits_for_that_keeps_nobody_from_being_told_who_it_is(host: StubHost, gate: Gate) -> None:
    first = put(host, File("a", "0600", "first\n"))
    until(gate.reached.exists)
    taking = taking_it(host, MINE)
    until(lambda: held_by(host) == MINE)
    before = time.monotonic()
    assert take(host, OTHER).returncode == 1
    assert time.monotonic() - before < 5
    gate.open.touch()
    said(first)
    said(taking)


def test_a_script_that_was_killed_is_in_nobodys_way(host: StubHost, gate: Gate) -> None:
    first = put(host, File("a", "0600", "first\n"))
    until(gate.reached.exists)
    subprocess.run(["kill", "-KILL", str(first.pid), *gate.reached.read_text().split()], check=True)
    first.communicate()
    gate.open.touch()
    assert said(put(host, File("a", "0600", "second\n"))) == "wrote a\n"


def test_a_stack_without_a_past_is_written_without_waiting(host: StubHost) -> None:
    assert said(put(host, File("a", "0600", "first\n"))) == "wrote a\n"
    assert not (host.root / ".fleet").exists()


def test_two_stacks_do_not_wait_for_each_other(host: StubHost, gate: Gate, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / ".fleet").mkdir(parents=True)
    first = put(host, File("a", "0600", "first\n"))
    until(gate.reached.exists)
    second = host.start("files/put", root=str(other), files=put_list([File("a", "0600", "second\n")]))
    until(lambda: len(gate.reached.read_text().splitlines()) == 2)
    gate.open.touch()
    said(first)
    said(second)


def test_a_script_that_runs_another_does_not_wait_for_itself(host: StubHost) -> None:
    host.stub("docker")
    (host.root / ".fleet").mkdir()
    files = put_list([File("compose.yml", "0644", "services: {}\n")])
    done = host.script("project/write", root=str(host.root), files=files, compose_files=["compose.yml"], clients="{}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "wrote compose.yml\nwrote compose.d/.overlay.yml\n", "")
