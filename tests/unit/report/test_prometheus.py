"""The report as Prometheus reads it. That promtool accepts it: tests/page/test_promtool.py."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from operations.report import HostReport, RunReport
from operations.report.prometheus import metrics
from operations.stack.check import Check, Verdict
from tests.page.fleets import NOW, fleet

PING = Check("redis.ping", Verdict.FAILED, "NOAUTH")


def run(*hosts: HostReport, minute: int = 0) -> RunReport:
    end = NOW + timedelta(minutes=minute)
    return RunReport("20261124T150102Z-3f9a", end - timedelta(seconds=4), end, {}, hosts)


def samples(text: str) -> dict[str, float]:
    pairs = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name.removeprefix("pyinfra_compose_"): float(value) for name, value in pairs}


def test_a_run_tells_its_end_its_length_and_whether_it_was_ok() -> None:
    found = samples(metrics(run(HostReport("a", "ok"))))
    assert found["run_ok"] == 1
    assert found["run_timestamp_seconds"] == NOW.timestamp()
    assert found["run_duration_seconds"] == 4


def test_a_host_tells_its_status_and_its_checks() -> None:
    found = samples(metrics(run(HostReport("a", "failed", checks=(PING,), password_changed=12.0))))
    assert found['host{host="a",status="failed"}'] == 1
    assert found['check{host="a",check="redis.ping",verdict="failed"}'] == 1
    assert found['password_changed_timestamp_seconds{host="a"}'] == 12


def test_a_host_with_a_warning_is_ok() -> None:
    warned = Check("disk.space", Verdict.WARNING, "400 MB free")
    found = samples(metrics(run(HostReport("a", "ok", checks=(warned,)))))
    assert (found["run_ok"], found['check{host="a",check="disk.space",verdict="warning"}']) == (1, 1)
    assert found['host_success_timestamp_seconds{host="a"}'] == NOW.timestamp()


def test_a_last_success_outlives_a_failure() -> None:
    first = metrics(run(HostReport("a", "ok")), fleet=["a"])
    second = metrics(run(HostReport("a", "failed", checks=(PING,)), minute=5), first, ["a"])
    third = samples(metrics(run(HostReport("a", "unreachable"), minute=9), second, ["a"]))
    assert third['host_success_timestamp_seconds{host="a"}'] == NOW.timestamp()
    assert third['host_run_timestamp_seconds{host="a"}'] == NOW.timestamp() + 540
    assert 'check{host="a",check="redis.ping",verdict="failed"}' not in third


def test_a_run_on_some_hosts_keeps_what_is_known_of_the_others() -> None:
    first = metrics(run(HostReport("a", "failed", checks=(PING,)), HostReport("b", "ok"), HostReport("gone", "ok")))
    found = samples(metrics(run(HostReport("b", "changed"), minute=5), first, ["a", "b"]))
    assert found['check{host="a",check="redis.ping",verdict="failed"}'] == 1
    assert found['host_run_timestamp_seconds{host="a"}'] == NOW.timestamp()
    assert [name for name in found if name.startswith('host{host="b"')] == ['host{host="b",status="changed"}']
    assert not any("gone" in name for name in found)


def test_labels_are_escaped_and_found_again() -> None:
    odd = 'a"b\\c\nd{}'
    first = metrics(run(HostReport(odd, "failed", checks=(PING,))))
    assert r'host="a\"b\\c\nd{}"' in first
    assert first.count("\n") == len(first.splitlines())
    second = metrics(run(HostReport("b", "ok")), first, [odd, "b"])
    assert r'check{host="a\"b\\c\nd{}",check="redis.ping",verdict="failed"} 1' in second


def test_a_series_is_told_once() -> None:
    report = fleet(50, 7)
    text = metrics(report, metrics(replace(report, hosts=report.hosts[:9]), "", [host.name for host in report.hosts]))
    names = [line.rsplit(" ", 1)[0] for line in text.splitlines()]
    assert len(names) == len(set(names))
