"""A fleet in shards: run by Dask workers, waves and their gates go through all of them; or each by a run of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from operations.controller.secrets import new
from tests.fleet import catalogs
from tests.fleet.fleet import ROOT, SERVICES, STACK, Fleet, Run, containers, files
from tests.fleet.passwords import accepted, accepts, digest, on_disk, refused
from tests.lab import Host

RUNNER = ("operations", "fleet", "run", "--workers", "2")


@pytest.fixture(scope="module")
def provisioned(shared: Fleet) -> tuple[Fleet, Run]:
    """Empty hosts that the runner brought to their state."""
    return shared, shared.module(*RUNNER)


@pytest.fixture
def whole(provisioned: tuple[Fleet, Run]) -> Iterator[Fleet]:
    fleet, run = provisioned
    assert run.ok, run.output
    yield fleet
    fleet.host_settings.clear()


def statuses(run: Run, fleet: Fleet) -> dict[str, str]:
    return {host.name: run.host(host.name)["status"] for host in fleet.hosts}


def history(host: Host) -> Mapping[str, object]:
    """The newest entry."""
    return dict(json.loads(host.run(f"tail -n 1 {STACK}/.fleet/history.jsonl")))


def test_empty_hosts_are_provisioned(provisioned: tuple[Fleet, Run]) -> None:
    fleet, run = provisioned
    assert run.ok, run.output
    assert set(statuses(run, fleet).values()) == {"changed"}
    assert [run.bad_checks(host.name) for host in fleet.hosts] == [[]] * 3
    assert {str(history(host)["run"]) for host in fleet.hosts} == {run.report["run"]["id"]}
    assert {path.suffix for path in (fleet.folder / "reports").glob("latest.*")} == {".json", ".html", ".xml"}


def test_a_fleet_that_is_as_wanted_costs_one_command_a_host(whole: Fleet) -> None:
    before = [host.sessions() for host in whole.hosts]
    run = whole.module(*RUNNER)
    assert run.ok, run.output
    assert set(statuses(run, whole).values()) == {"ok"}
    assert all(run.host(host.name)["checks"] for host in whole.hosts)
    assert [host.sessions() - count for host, count in zip(whole.hosts, before, strict=True)] == [1, 1, 1]


def test_a_preview_changes_nothing(whole: Fleet) -> None:
    host = whole.hosts[0]
    host.run(f"rm {STACK}/env/redis.env")
    before = files(host)
    run = whole.module(*RUNNER, "--dry")
    assert run.ok, run.output
    assert statuses(run, whole)[host.name] == "changed"
    assert "(dry run: nothing was changed)" in run.output
    assert files(host) == before


def test_shards_by_hand_are_the_fleet(whole: Fleet) -> None:
    runs = [whole.deploy(env={"FLEET_SHARD": f"{number}/3"}) for number in (1, 2, 3)]
    assert all(run.ok for run in runs)
    assert sorted(name for run in runs for name in run.report["hosts"]) == sorted(host.name for host in whole.hosts)
    metrics = (whole.folder / "reports" / "report.prom").read_text()
    assert all(f'pyinfra_compose_host{{host="{host.name}",status=' in metrics for host in whole.hosts)


def test_a_failing_host_stops_the_later_waves_of_all_shards(whole: Fleet) -> None:
    catalogs.write(whole, picky=catalogs.PICKY)
    first, *others = whole.hosts
    whole.settings["services"] = [*SERVICES, "picky"]
    assert whole.module(*RUNNER).ok
    former, whole.password = whole.password, new()
    whole.host_settings[first.name] = {"picky_only": digest(former)}
    before = [(files(host), containers(host)) for host in others]
    run = whole.module(*RUNNER)
    assert run.status == 1
    assert "The files were rolled back" in run.host(first.name)["error"]
    for host in others:
        assert run.host(host.name)["error"].startswith(f"Nothing was changed here: {first.name} failed in an earlier wave")
    assert [(files(host), containers(host)) for host in others] == before
    assert all(accepts(host, former) for host in whole.hosts)

    whole.host_settings.clear()
    run = whole.module(*RUNNER)
    assert run.ok, run.output
    assert_one_password(whole)


def assert_one_password(fleet: Fleet) -> None:
    for host in fleet.hosts:
        assert accepted(host, fleet.password) == on_disk(host) == {digest(fleet.password)}
        assert refused(host) == []


@pytest.mark.parametrize("what", ["worker", "runner"])
def test_what_is_killed_or_interrupted_leaves_nothing_that_a_run_does_not_finish(whole: Fleet, what: str) -> None:
    host = whole.hosts[0]
    whole.password = new()
    running = start(whole)
    pid = at_work(running.pid, host)
    if what == "worker":
        os.kill(parent(pid), signal.SIGKILL)
    else:
        running.send_signal(signal.SIGINT)
    said, _ = running.communicate(timeout=240)
    assert not Path(f"/proc/{pid}/cmdline").exists() or not Path(f"/proc/{pid}/cmdline").read_bytes()
    assert refused(host) == []
    if what == "worker":
        assert running.returncode == 0, said
    else:
        assert running.returncode == 130, said
        run = whole.module(*RUNNER)
        assert run.ok, run.output
    assert_one_password(whole)
    assert not any(one.succeeds(f"[ -e {STACK}/.fleet/lock ]") for one in whole.hosts)


def start(fleet: Fleet) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *RUNNER], cwd=ROOT, env=fleet.environment(), text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip


def at_work(runner: int, host: Host) -> int:
    """The process of the shard with this host, as soon as it holds the host's lock."""
    host.run(f"for i in $(seq 1200); do [ ! -e {STACK}/.fleet/lock/owner ] || exit 0; sleep 0.05; done; exit 1", timeout=90)
    # only the first wave's one shard is at work
    (pid,) = [pid for pid in everything() if b"operations.fleet.worker" in command(pid) and runner in ancestors(pid)]
    return pid


def everything() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]


def command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def ancestors(pid: int) -> Iterator[int]:
    while pid > 1:
        pid = parent(pid)
        yield pid
