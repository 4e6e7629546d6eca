"""The runner of fleets with a real Dask cluster on this machine; pyinfra is a stand-in."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path
from shutil import copy
from threading import Thread, Timer
from typing import Any, cast

import dask
import pytest
from distributed.comm import tcp, utils
from rich.progress import Progress

from operations.fleet import cluster, received, worker
from operations.report import run_id
from operations.report.model import HostReport, RunReport
from operations.stack.errors import SettingsError
from tests.unit.fleet_project import ROOT, Project

NOW = datetime(2026, 11, 24, tzinfo=timezone.utc)
PASSWORD = "Secret('REDIS_PASSWORD')"
SECRET = "Marker_Password-0123456789abcdef"


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_fleet_is_changed_in_waves_and_becomes_one_report(tmp_path: Path) -> None:
    project = Project(tmp_path, dict.fromkeys(["a", "b", "c", "d", "e"], "changed"), {"e": "ok"})
    status, said = project.run("--workers", "2", "--parallel", "3")
    assert status == 0, said
    assert project.statuses() == {"a": "changed", "b": "changed", "c": "changed", "d": "changed", "e": "ok"}
    assert "Wave 1 of 2: a on " in said
    assert "5 hosts: 1 ok, 4 changed, 0 failed, 0 unreachable" in said
    assert {call["run"] for call in project.calls} == {project.report["run"]["id"]}
    assert all(call["words"][call["words"].index("--parallel") + 1] == "3" for call in project.calls)
    assert {call["key"] for call in project.calls} == {os.environ["FLEET_FINGERPRINT_KEY"]}
    looked = [call["hosts"] for call in project.calls if call["dry"]]
    changed = [call["hosts"] for call in project.calls if not call["dry"]]
    assert sorted(map(len, looked)) == [2, 3]
    assert changed[0] == ["a"]
    assert sorted(map(len, changed[1:])) == [1, 2]
    assert (tmp_path / "reports" / "latest.xml").exists()


def test_a_shard_whose_worker_is_killed_is_run_again(tmp_path: Path) -> None:
    project = Project(tmp_path, {"a": "changed", "b": "waits", "c": "changed"}, rollout_waves=["100%"])
    running = project.start("--workers", "2", "--shards", "3")
    of_worker, pyinfra = project.await_waiting()
    os.kill(of_worker, signal.SIGKILL)
    said, _ = running.communicate(timeout=120)
    assert running.returncode == 0, said
    assert project.statuses() == dict.fromkeys("abc", "changed")
    assert len([call for call in project.calls if call["hosts"] == ["b"] and not call["dry"]]) == 2
    assert not alive(pyinfra)


def test_what_kills_every_worker_is_told(tmp_path: Path) -> None:
    project = Project(tmp_path, {"a": "changed", "b": "changed"}, {"b": "kills its worker"})
    status, said = project.run("--workers", "2")
    assert status == 1
    assert "No worker could run its shard (KilledWorker" in project.report["hosts"]["b"]["error"]
    assert "Nothing was changed here: b could not be looked at." in project.report["hosts"]["a"]["error"], said
    assert sum(call["hosts"] == ["b"] for call in project.calls) == 4
    assert all(call["dry"] for call in project.calls)


def test_an_inventory_that_does_not_know_of_shards_is_seen_before_a_change(tmp_path: Path) -> None:
    project = Project(tmp_path, {"a": "changed", "b": "changed"}, {"b": "all hosts"})
    status, said = project.run("--workers", "2")
    assert status == 1
    told = project.report["hosts"]["b"]["error"]
    assert "does not keep to FLEET_SHARD. Its hosts must come from operations.controller.inventory.load." in told, said
    assert all(call["dry"] for call in project.calls)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_the_shards_and_is_told(tmp_path: Path, number: signal.Signals) -> None:
    project = Project(tmp_path, {"a": "changed", "b": "waits", "c": "changed"}, rollout_waves=["1", "2", "100%"])
    running = project.start("--workers", "2")
    _, pyinfra = project.await_waiting()
    os.killpg(running.pid, number) if number is signal.SIGINT else running.send_signal(number)
    said, _ = running.communicate(timeout=60)
    assert running.returncode == 130, said
    assert not alive(pyinfra)
    assert project.statuses() == {"a": "changed", "b": "failed", "c": "failed"}
    assert project.report["hosts"]["b"]["error"].startswith("The run was interrupted.")
    assert project.report["hosts"]["c"]["error"] == "Nothing was changed here: the run was interrupted. Run again."


def test_no_secret_goes_through_the_scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither on the way to a worker nor on the way back, also where the shard's own process says it and crashes."""
    sent: list[bytes] = []

    async def to_frames(*args: Any, **options: Any) -> Any:
        frames = await usual(*args, **options)
        sent.extend(bytes(frame) for frame in frames)
        return frames

    async def from_frames(frames: Any, **options: Any) -> Any:
        sent.extend(bytes(frame) for frame in frames)
        return await received(frames, **options)

    usual: Any = utils.to_frames
    received: Any = utils.from_frames
    monkeypatch.setattr(tcp, "to_frames", to_frames)
    monkeypatch.setattr(tcp, "from_frames", from_frames)
    Project(tmp_path, {"host-a": "changed", "host-b": "crash", "host-c": "refused"}, password=PASSWORD)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("REDIS_PASSWORD", SECRET)
    with dask.config.set({"distributed.comm.compression": None}), cluster.cluster(1, None) as client:
        agreed = cluster.agreed(client, ["--parallel", "3"])
        workers = cluster.Workers(client, run_id(), ["--parallel", "3"], "0f" * 32, agreed)
        found = dict(workers.run("Test", [("host-a",), ("host-b",), ("host-c",)], ["-y"]))
        scheduler = cast(Any, client.cluster).scheduler
        sent += [repr(value).encode() for value in (scheduler.tasks, scheduler.get_events(), scheduler.get_logs())]
    seen = b"".join(sent)
    assert b"host-a" in seen  # so it would be seen
    assert "the secret REDIS_PASSWORD" in agreed.digests
    assert SECRET.encode() not in seen
    assert sha256(SECRET.encode()).hexdigest().encode() not in seen
    assert found["host-a",].report
    assert_only_a_file_has_it(found["host-b",].said)
    assert found["host-c",].said.endswith("Nothing was connected or changed. There is no secret")


def assert_only_a_file_has_it(said: str) -> None:
    assert "was ended by signal 11. What it said is there, in " in said
    output = Path(said.rpartition(" in ")[2].rstrip("."))
    assert SECRET in output.read_text()
    assert output.parent.stat().st_mode & 0o77 == 0


@pytest.mark.parametrize(
    ("words", "env", "said"),
    [
        (["--workers", "0"], {}, "--workers: is 0, expected at least 1."),
        (["--shards", "0"], {}, "--shards: is 0, expected at least 1."),
        ([], {"FLEET_SHARD": "1/2"}, "FLEET_SHARD: is set, but this command makes the shards itself."),
        (["--ssh-password", "hidden"], {}, "--ssh-password: a secret would go through the scheduler"),
        (["--data", "secrets_command=cat hidden"], {}, "secrets_command: a secret would go through the scheduler"),
        (["--data=redis_password=hidden"], {}, "redis_password: a secret would go through the scheduler"),
        (["inventory", "deploy.py"], {}, "deploy.py: is not for this command"),
        (["--serial"], {}, "--serial: is not for this command"),
        (["--data", "token=hidden"], {}, "token: a secret would go through the scheduler"),
        (["--data=nested=hidden"], {}, "nested: a secret would go through the scheduler"),
        (["--data", "stack_dir"], {}, "--data stack_dir: has no value."),
        (["--scheduler", "tcp://127.0.0.1:1"], {}, "--scheduler: tcp://127.0.0.1:1 is without TLS."),
        (["--scheduler", "127.0.0.1:1"], {}, "--scheduler: 127.0.0.1:1 is without TLS."),
        (["--scheduler", "tls://127.0.0.1:1"], {}, "--scheduler: at tls://127.0.0.1:1 there is no scheduler with"),
        (["--scheduler", "nonsense://", "--insecure-scheduler"], {}, "--scheduler: at nonsense:// there is no scheduler with"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_run(tmp_path: Path, words: list[str], env: Mapping[str, str], said: str) -> None:
    project = Project(tmp_path, {"a": "changed"}, token="Secret('A')", nested={"b": ["Secret('A')"]})
    status, output = project.run(*words, **env)
    assert status == 1
    assert said in output
    assert "hidden" not in output
    assert "Traceback" not in output
    assert not (tmp_path / "calls").exists()


def test_without_dask_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "distributed.py").write_text("raise ImportError('absent')\n")
    status, output = Project(tmp_path, {"a": "changed"}).run()
    assert status == 1
    assert output == "This command needs Dask: pip install pyinfra-compose[dask]\n"


def test_a_stopped_run_begins_no_shard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_stopped", {"run"})
    assert worker.run(["a"], [], "run", "").stopped


KEY = bytes(32)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project's folder as a worker has it."""
    (tmp_path / "operations").symlink_to(ROOT / "operations")
    copy(ROOT / "inventory", tmp_path)
    (tmp_path / "hosts.yml").write_text("all: {hosts: {a: {catalog_dirs: [mine]}}, data: {ssh_key: key}}")
    (tmp_path / "deploy.py").write_text("")
    (tmp_path / "mine").mkdir()
    (tmp_path / "group_data").mkdir()
    (tmp_path / "group_data/all.py").write_text(GROUP_DATA)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REDIS_PASSWORD", SECRET)
    monkeypatch.setenv("OF_A_SERVICE", "one")
    monkeypatch.delenv("FLEET_HOSTS", raising=False)
    return tmp_path


GROUP_DATA = """\
from operations.controller.secrets import Secret
redis_password = Secret("REDIS_PASSWORD")
openwebui_env = {"TOKEN": Secret(name='OF_A_SERVICE')}
"""


def answer(*words: str, key: bytes = KEY) -> Mapping[str, Any]:
    worker._inputs.clear()
    return worker.inputs(key, words)


def digests(*words: str, key: bytes = KEY) -> Mapping[str, str]:
    found: Mapping[str, str] = answer(*words, key=key)["digests"]
    return found


@pytest.mark.parametrize(
    "path", ["hosts.yml", "deploy.py", "group_data/all.py", ".env", "group_data/web.py", "mine/x.yml", "more.py"]
)
def test_workers_with_other_files_are_told_apart(folder: Path, path: str) -> None:
    before = digests()
    with (folder / path).open("a") as file:
        file.write("# more\n")
    (folder / path).chmod(0o600)
    assert len(worker.differing([before, digests()])) == 1


@pytest.mark.parametrize("name", ["REDIS_PASSWORD", "OF_A_SERVICE"])
def test_workers_with_another_secret_are_told_apart_wherever_it_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    before = digests()
    monkeypatch.setenv("UNRELATED", "x")
    assert digests() == before
    monkeypatch.setenv(name, "two")
    assert worker.differing([before, digests()]) == [f"the secret {name}"]


def test_workers_with_another_secret_that_a_setting_adds_are_told_apart(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (folder / "group_data/all.py").open("a") as file:
        file.write("redis_users = {'web': {'commands': ['+@read']}}\n")
    monkeypatch.setenv("REDIS_PASSWORD_WEB", "one")
    before = digests()
    monkeypatch.setenv("REDIS_PASSWORD_WEB", "two")
    assert worker.differing([before, digests()]) == ["the secret REDIS_PASSWORD_WEB"]


def test_a_secret_counts_by_its_value_and_not_by_its_source(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (folder / "group_data/all.py").open("a") as file:
        file.write("secrets_command = 'cat secrets'\n")
    before = digests()
    monkeypatch.delenv("REDIS_PASSWORD")
    (folder / "secrets").write_text(f"REDIS_PASSWORD={SECRET}\n")
    assert digests() == before


def test_workers_whose_settings_come_to_something_else_are_told_apart(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (folder / "group_data/all.py").open("a") as file:
        file.write("import os\nsecrets_command = 'true ' + os.environ.get('VAULT', '')\n")
    before = digests()
    monkeypatch.setenv("VAULT", "2")
    assert worker.differing([before, digests()]) == ["the setting secrets_command"]


def test_digests_cannot_be_compared_between_runs(folder: Path) -> None:
    one, other = digests(), digests(key=bytes(31) + b"1")
    assert one.keys() == other.keys()
    assert not set(one.values()) & set(other.values())


def test_a_worker_without_a_secret_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OF_A_SERVICE")
    (problem,) = answer()["problems"]
    assert problem.startswith("OF_A_SERVICE: there is no such secret, or it is empty.")


def test_a_worker_whose_command_for_secrets_fails_says_so_and_shows_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OF_A_SERVICE")
    with (folder / "group_data/all.py").open("a") as file:
        file.write("secrets_command = 'echo $REDIS_PASSWORD >&2; exit 3'\n")
    (problem,) = answer()["problems"]
    assert "secrets_command: ended with exit status 3" in problem
    assert SECRET not in problem


def test_a_worker_that_breaks_while_it_is_asked_shows_nothing_of_why(folder: Path) -> None:
    (folder / "inventory").write_text("import os\nraise SystemError(os.environ['REDIS_PASSWORD'])\n")
    assert answer()["problems"] == ["pyinfra cannot read the inventory. To see why: pyinfra inventory debug-inventory"]


def test_workers_that_differ_run_nothing() -> None:
    assert cluster._same({"tls://a:1": {"code": "x"}, "tls://b:1": {"code": "x"}}) == {"code": "x"}
    with pytest.raises(SettingsError, match=r"differ in the code, secret: tls://a:1; tls://b:1\. Nothing was changed"):
        cluster._same({"tls://a:1": {"the code": "x", "secret": "x"}, "tls://b:1": {"the code": "y"}})


def elsewhere(folder: Path, running: ExitStack) -> tuple[str, Callable[..., None]]:
    """A cluster that the runner did not start: its address, and what starts a worker of it."""
    at = folder / "scheduler.json"

    def start(*words: str, cwd: Path = folder, **env: str) -> None:
        started = subprocess.Popen(
            [sys.executable, "-m", "dask", *words, "--no-dashboard", "--scheduler-file", str(at)], cwd=cwd,
            env={**os.environ, "REDIS_PASSWORD": SECRET, **env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        running.callback(started.wait)
        running.callback(started.terminate)

    def work(**more: Any) -> None:
        start("worker", "--nthreads", "1", **more)

    start("scheduler", "--host", "127.0.0.1", "--port", "0")
    for _ in range(300):
        if at.exists():
            break
        time.sleep(0.1)
    return json.loads(at.read_text())["address"], work


def test_a_cluster_that_runs_elsewhere_is_used(tmp_path: Path) -> None:
    project = Project(tmp_path, {"a": "changed", "b": "changed"})
    with ExitStack() as running:
        address, work = elsewhere(tmp_path, running)
        work()
        status, said = project.run("--scheduler", address, "--workers", "1", "--shards", "2", "--insecure-scheduler")
    assert status == 0, said
    assert project.statuses() == {"a": "changed", "b": "changed"}
    assert len([call for call in project.calls if call["dry"]]) == 2


def test_workers_with_other_secrets_or_none_are_named_and_run_nothing(tmp_path: Path) -> None:
    project = Project(tmp_path, {"a": "changed"}, password=PASSWORD)
    with ExitStack() as running:
        address, work = elsewhere(tmp_path, running)
        work()
        work(REDIS_PASSWORD="another")
        words = ("--scheduler", address, "--workers", "2", "--insecure-scheduler")
        status, said = project.run(*words)
        assert status == 1
        assert "the workers differ in the secret REDIS_PASSWORD: tcp://" in said
        work(REDIS_PASSWORD="")
        status, said = project.run(*words, "--workers", "3")
        assert status == 1
        assert "cannot run this: REDIS_PASSWORD: there is no such secret, or it is empty." in said
    assert SECRET not in said
    assert not (tmp_path / "calls").exists()


def test_a_worker_that_comes_later_and_differs_runs_nothing_and_is_dismissed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = Project(tmp_path, {"a": "changed"}, password=PASSWORD)
    with ExitStack() as running:
        address, work = elsewhere(tmp_path, running)
        work()
        with cluster.cluster(1, address) as client:
            workers = cluster.Workers(client, run_id(), [], "0f" * 32, cluster.agreed(client, []))
            first = list(client.nthreads())
            work(REDIS_PASSWORD="another")
            client.wait_for_workers(2, timeout=60)
            client.retire_workers(first)  # so the shard can only go to the later one

            def replace() -> None:
                while client.nthreads():
                    time.sleep(0.1)
                work()

            Thread(target=replace, daemon=True).start()
            ((_, outcome),) = workers.run("Test", [("a",)], ["-y"])
    assert outcome.report["hosts"]["a"]["status"] == "changed"
    assert len(project.calls) == 1
    assert "came later and differs from the others in the secret REDIS_PASSWORD." in capsys.readouterr().err


def test_a_worker_that_comes_after_an_interruption_runs_nothing(tmp_path: Path) -> None:
    Project(tmp_path, {"a": "changed"})
    with ExitStack() as running:
        address, work = elsewhere(tmp_path, running)
        work()
        with cluster.cluster(1, address) as client:
            stopping = cluster.Workers(client, "run", [], "")
            stopping._stop(signal.SIGINT)
            assert client.submit(worker.run, ("a",), [], "run", "").result().stopped
            client.run(worker._stopped.clear)  # as in a worker that was not there
            assert client.submit(worker.run, ("a",), [], "run", "", pure=False).result().stopped


def test_an_interruption_ends_where_no_worker_is_left(tmp_path: Path) -> None:
    Project(tmp_path, {"a": "changed"})
    with ExitStack() as running:
        address, work = elsewhere(tmp_path, running)
        work()
        with cluster.cluster(1, address) as client:
            client.retire_workers(list(client.nthreads()))
            workers = cluster.Workers(client, "run", [], "")
            Timer(1, workers._interrupt, (signal.SIGINT, None)).start()
            ((_, outcome),) = workers.run("Test", [("a",)], [])
    assert outcome.stopped


def test_how_far_a_shard_is_shows_while_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[float] = []
    monkeypatch.setattr(Progress, "update", lambda *_, completed: shown.append(completed))
    Project(tmp_path, {"a": "half done", "b": "changed", "c": "changed"}, password=PASSWORD)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with cluster.cluster(1, None) as client:
        workers = cluster.Workers(client, run_id(), [], "0f" * 32)
        assert len(dict(workers.run("Test", [("a", "b"), ("c",)], ["-y"]))) == 2
    assert (shown[0], shown[-2:]) == (1.0, [2.0, 3.0])


@pytest.mark.parametrize("said", [None, "ab", ["a"], ["a", 2.0], ["a", "0.5"], [7, 0.5], ["a", float("nan")]])
def test_what_is_no_progress_is_not_shown(said: object) -> None:
    assert received.progress(said) is None


def test_what_a_worker_says_is_data() -> None:
    report = RunReport("id", NOW, NOW, {}, (HostReport("a", "ok", error="it\x1b[2J broke"),)).to_dict()

    def got(report: object, **more: Any) -> worker.Outcome:
        return received.outcome(worker.Outcome(json.dumps(report).encode(), **more), ("a",))

    assert got(report).said == ""
    assert got(report).report["hosts"]["a"]["error"] == "it�[2J broke"
    found = got(report, said="x" * 10_000, where="b\x1b]0;title\x07")
    assert len(found.said) < 5_000
    assert found.where == "b�]0;title�"
    both = {**report, "hosts": {**report["hosts"], "other": report["hosts"]["a"]}}
    assert list(got(both).report["hosts"]) == ["a"]
    assert "does not keep to FLEET_SHARD" in got(both).said


@pytest.mark.parametrize(
    "change",
    [
        {"status": "splendid"},
        {"status": ["ok"]},
        {"error": 3},
        {"changes": "abc", "checks": None},
        {"checks": [{"id": "x", "verdict": "ok", "detail": []}]},
        {"steps": [{"name": "x"}]},
        {"password_changed": "then"},
    ],
)
def test_a_report_of_another_form_is_an_error_of_its_shard(change: Mapping[str, object]) -> None:
    report = RunReport("id", NOW, NOW, {}, (HostReport("a", "ok"),)).to_dict()
    report["hosts"]["a"] |= change
    found = received.outcome(worker.Outcome(json.dumps(report).encode(), where="b"), ("a",))
    assert found.report is None
    assert found.said == "The report of its shard on b is not of the form or size that it must have."


@pytest.mark.parametrize("report", [b"", b"[" * 100_000, b"[]", b'{"run": 1, "hosts": 2}', b"\xff", "text", 7, b" " * 2_000_000])
def test_what_is_no_report_is_an_error_of_its_shard(report: object) -> None:
    found = received.outcome(worker.Outcome(report, where="b"), ("a",))
    assert found.report is None
    assert "is not of the form or size" in found.said


def test_no_more_of_a_report_is_read_than_it_may_have(tmp_path: Path) -> None:
    (tmp_path / "report").write_bytes(b" " * (worker.limit(1) + 1))
    with pytest.raises(ValueError, match="it has more than 1500000 bytes"):
        worker._read(tmp_path / "report", 1)
    assert len(worker._read(tmp_path / "report", 2)) == worker.limit(1) + 1


@pytest.mark.parametrize("answer", [None, 7, worker.Outcome(None, said=7), worker.Outcome(None, seconds="long")])  # type: ignore[arg-type]
def test_what_is_no_answer_is_an_error_of_its_shard(answer: object) -> None:
    assert received.outcome(answer, ("a",)).said.startswith("The worker's answer is none.")
    assert isinstance(received.digests(answer), str)


def test_a_shard_whose_report_is_no_report_fails_alone(tmp_path: Path) -> None:
    project = Project(tmp_path, {"a": "changed", "b": "no report"}, rollout_waves=["100%"], max_failures=5)
    status, said = project.run("--workers", "2")
    assert status == 1
    assert "Traceback" not in said
    assert project.statuses() == {"a": "changed", "b": "failed"}
    assert "is not of the form or size that it must have" in project.report["hosts"]["b"]["error"]
