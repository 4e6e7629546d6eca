"""The runner of fleets with a real Dask cluster on this machine; pyinfra is a stand-in."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import dask
import pytest
from distributed.comm import tcp, utils

from operations.fleet import cluster, worker
from operations.report import run_id
from operations.stack.errors import SettingsError
from tests.unit.fleet_project import Project

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
    Project(tmp_path, {"host-a": "changed", "host-b": "crash", "host-c": "refused"})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("REDIS_PASSWORD", SECRET)
    with dask.config.set({"distributed.comm.compression": None}), cluster.cluster(1, None) as client:
        workers = cluster.Workers(client, run_id(), ["--parallel", "3"], "0f" * 32)
        found = dict(workers.run("Test", [("host-a",), ("host-b",), ("host-c",)], ["-y"]))
        scheduler = cast(Any, client.cluster).scheduler
        sent += [repr(value).encode() for value in (scheduler.tasks, scheduler.get_events(), scheduler.get_logs())]
    seen = b"".join(sent)
    assert b"host-a" in seen  # so it would be seen
    assert SECRET.encode() not in seen
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
        (["--scheduler", "nonsense://"], {}, "--scheduler: at nonsense:// there is no scheduler with"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_run(tmp_path: Path, words: list[str], env: Mapping[str, str], said: str) -> None:
    project = Project(tmp_path, {"a": "changed"})
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


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project's folder as a worker has it."""
    (tmp_path / "hosts.yml").write_text("all: {hosts: {a: }}")
    (tmp_path / "deploy.py").write_text("")
    (tmp_path / "group_data").mkdir()
    (tmp_path / "group_data/all.py").write_text('redis_password = Secret("REDIS_PASSWORD")\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REDIS_PASSWORD", "one")
    monkeypatch.delenv("FLEET_HOSTS", raising=False)
    return tmp_path


@pytest.mark.parametrize("path", ["hosts.yml", "deploy.py", "group_data/all.py", ".env", "group_data/web.py"])
def test_workers_with_other_files_are_told_apart(folder: Path, path: str) -> None:
    before = worker.source()
    with (folder / path).open("a") as file:
        file.write("# more\n")
    assert worker.source() != before


def test_workers_with_another_secret_are_told_apart(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = worker.source()
    monkeypatch.setenv("PATH", "/bin")
    assert worker.source() == before
    monkeypatch.setenv("REDIS_PASSWORD", "two")
    assert worker.source() != before


def test_workers_that_differ_run_nothing() -> None:
    cluster._alike({"tls://a:1": "x", "tls://b:1": "x"})
    with pytest.raises(SettingsError, match=r"differ.*: tls://a:1; tls://b:1\. Nothing was changed"):
        cluster._alike({"tls://a:1": "x", "tls://b:1": "y"})


def test_a_cluster_that_runs_elsewhere_is_used(tmp_path: Path) -> None:
    project = Project(tmp_path, {"a": "changed", "b": "changed"})
    at = tmp_path / "scheduler.json"
    with ExitStack() as running:
        for words in (
            ["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"],
            ["worker", "--no-dashboard", "--nthreads", "1"],
        ):
            command = [sys.executable, "-m", "dask", *words, "--scheduler-file", str(at)]
            started = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            running.callback(started.wait)
            running.callback(started.terminate)
            for _ in range(300):
                if at.exists():
                    break
                time.sleep(0.1)
        address = json.loads(at.read_text())["address"]
        status, said = project.run("--scheduler", address, "--workers", "1", "--shards", "2")
    assert status == 0, said
    assert project.statuses() == {"a": "changed", "b": "changed"}
    assert len([call for call in project.calls if call["dry"]]) == 2
