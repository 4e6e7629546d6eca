"""The report as a person reads it."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone

import pytest

from operations.report import HostReport, RunReport, Status
from operations.report.terminal import folded, show, show_plan, summary
from operations.stack.check import Check, Verdict

NOW = datetime(2026, 11, 24, 15, 1, 2, tzinfo=timezone.utc)
IDS = [
    "files.in_sync",
    *(f"container.{service}" for service in ("watchtower", "redis", "redis-exporter", "openwebui")),
    *(f"redis.{what}" for what in ("ping", "anonymous_refused", "data_on_volume")),
    "exporter.redis_up",
    "openwebui.health",
]
PING = Check("redis.ping", Verdict.FAILED, "NOAUTH", "The ACL is another one.", "Run the deploy again.")
UNASKED = Check("openwebui.health", Verdict.UNKNOWN, "was not asked")
SKIPPED = Check("exporter.redis_up", Verdict.SKIPPED, "is skipped by a setting")
WARNED = Check("files.in_sync", Verdict.WARNING, "12 lines", "A service complains.", "Read its log.")


def host(number: int, status: Status = "ok", *bad: Check) -> HostReport:
    found = {check.id: check for check in bad}
    checks = tuple(found.get(name, Check(name, Verdict.OK, "fine")) for name in IDS)
    return HostReport(f"erni-{number}", status, checks=checks)


def run(hosts: Iterable[HostReport], dry: bool = False) -> RunReport:
    return RunReport("20261124T150102Z-3f9a", NOW, NOW, {}, tuple(hosts), dry)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(hosts: Iterable[HostReport], width: int = 80) -> list[str]:
    out = io.StringIO()
    show(run(hosts), out, width)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def row(lines: Sequence[str], check: str) -> list[str]:
    (found,) = [line.split()[1:] for line in lines if line.startswith(f"{check} ")]
    return found


def test_a_warning_is_told_behind_what_failed_and_the_run_is_ok() -> None:
    assert run([host(1, "ok", WARNED)]).ok
    lines = shown([host(1, "ok", WARNED), host(2, "failed", WARNED, PING)])
    assert row(lines, "files.in_sync") == ["!", "!"]
    told = [line for line in lines if line[:2] in ("✗ ", "! ", "? ")]
    assert told == ["✗ redis.ping on erni-2", "! files.in_sync on erni-1, erni-2"]
    assert lines[lines.index(told[1]) + 1 :][:3] == [
        "    found   12 lines",
        "    cause   A service complains.",
        "    remedy  Read its log.",
    ]
    assert lines[-1].endswith("; 17 checks ok, 1 failed, 2 warnings")


def test_equal_hosts_share_a_column() -> None:
    lines = shown(host(n) for n in (1, 2, 3))
    assert lines[1].strip() == "erni-1 … erni-3 (3 hosts)"
    assert lines[2].strip() == "ok"
    assert row(lines, "redis.ping") == ["✓"]


def test_each_verdict_has_its_symbol() -> None:
    lines = shown([host(1), host(2, "failed", PING, UNASKED, SKIPPED)])
    assert lines[1].split() == ["erni-1", "erni-2"]
    assert row(lines, "redis.ping") == ["✓", "✗"]
    assert row(lines, "openwebui.health") == ["✓", "?"]
    assert row(lines, "exporter.redis_up") == ["✓", "–"]


def test_three_hundred_hosts_fit_where_few_differ() -> None:
    hosts = [host(n) for n in range(1, 301)]
    hosts[6], hosts[8] = host(7, "failed", PING), host(9, "failed", PING, UNASKED)
    hosts[99] = HostReport("erni-100", "unreachable", error="timed out")
    lines = shown(hosts)
    assert lines[1:5] == [
        "1  erni-1 … erni-300 (297 hosts): ok",
        "2  erni-7: failed",
        "3  erni-9: failed",
        "4  erni-100: unreachable",
    ]
    assert row(lines, "redis.ping") == ["✓", "✗", "✗"]
    assert max(map(len, lines[:-1])) <= 80
    assert len(lines) < 40


def test_a_fleet_in_which_every_host_differs_is_counted() -> None:
    checks = [Check(f"check.{n}", Verdict.FAILED, "odd") for n in range(60)]
    lines = shown(HostReport(f"erni-{n}", "failed", checks=tuple(checks[: n + 1])) for n in range(60))
    assert lines[1].split() == ["hosts", "✓", "ok", "!", "warning", "✗", "failed", "–", "skipped", "?", "unknown"]
    assert row(lines, "check.59") == ["1"]
    assert row(lines, "check.0") == ["60"]


def test_a_failure_is_told_once_in_full_for_all_its_hosts() -> None:
    lines = shown([host(1), host(2, "failed", PING), host(3, "failed", PING), host(5, "failed", PING)])
    start = lines.index("✗ redis.ping on erni-2, erni-3, erni-5 (3 hosts)")
    assert lines[start + 1 : start + 4] == [
        "    found   NOAUTH",
        "    cause   The ACL is another one.",
        "    remedy  Run the deploy again.",
    ]
    assert sum("redis.ping on" in line for line in lines) == 1


def test_what_could_not_be_asked_is_told_like_a_failure() -> None:
    assert "? openwebui.health on erni-1" in shown([host(1, "ok", UNASKED)])


def test_hosts_with_the_same_error_are_told_together() -> None:
    hosts = [HostReport(f"erni-{n}", "unreachable", error="timed out") for n in (1, 2, 3, 4)]
    lines = shown([*hosts, HostReport("erni-9", "failed")])
    assert lines[1:3] == ["✗ erni-1 … erni-4 (4 hosts): unreachable", "    error   timed out"]
    assert "✗ erni-9: failed" in lines


def test_a_failed_host_is_told_although_its_checks_are_ok() -> None:
    assert "✗ erni-1: failed" in shown([host(1, "failed")])


def test_what_interrupted_a_service_is_told_although_all_went_well() -> None:
    away = "restarted redis, which does not let its ACL be changed: away for 720 ms"
    lines = shown([HostReport("erni-1", "changed", ("wrote .env", away)), host(2)], width=40)
    assert f"erni-1: {away}" in lines
    assert not any("wrote" in line for line in lines)


def test_the_last_line_is_one_sentence_of_any_length() -> None:
    lines = shown([host(1), host(2, "changed"), host(3, "failed", PING, UNASKED, SKIPPED)], width=40)
    assert lines[-1] == ("3 hosts: 1 ok, 1 changed, 1 failed, 0 unreachable; 27 checks ok, 1 failed, 1 unknown, 1 skipped")


def test_the_sentence_says_when_nothing_was_changed() -> None:
    text = summary(run([HostReport("a", "changed")], dry=True))
    assert text == "1 host: 0 ok, 1 changed, 0 failed, 0 unreachable (dry run: nothing was changed)"


def test_colours_are_for_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    plain, terminal = io.StringIO(), Terminal()
    for out in (plain, terminal):
        show(run([host(1, "failed", PING)]), out, 80)
    assert "\x1b[" in terminal.getvalue()
    assert "\x1b" not in plain.getvalue()


def test_what_a_host_says_cannot_steer_the_terminal_or_the_layout() -> None:
    odd = Check("redis.ping", Verdict.FAILED, "\x1b[2J\x07[red]a[/red]\ttab\nsecond")
    text = "\n".join(shown([host(1, "failed", odd)]))
    assert "\x1b" not in text
    assert "found   \ufffd[2J\ufffd[red]a[/red] tab second" in text


def test_a_stream_without_unicode_gets_ascii() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii", errors="strict")
    show(run([host(n, "failed", PING) for n in (1, 2, 3)]), out, 80)
    text = raw.getvalue().decode()
    assert "erni-1 ... erni-3 (3 hosts)" in text
    assert "x redis.ping on" in text


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["b", "a"], "a, b"),
        (["e-2", "e-1"], "e-1, e-2"),
        (["e-10", "e-9", "e-8"], "e-8 … e-10"),
        (["e-1", "e-3", "e-4", "e-5"], "e-1, e-3 … e-5"),
        (["a1.x", "a2.x", "a3.y"], "a1.x, a2.x, a3.y"),
        (["10.0.0.1", "10.0.0.2", "10.0.0.3"], "10.0.0.1 … 10.0.0.3"),
    ],
)
def test_names_are_folded_into_ranges(names: list[str], text: str) -> None:
    assert folded(names) == text


# The plan, before anything is done


def planned(plans: Mapping[str, Sequence[str]]) -> list[str]:
    out = io.StringIO()
    show_plan({name: tuple(sentences) for name, sentences in plans.items()}, out)
    return out.getvalue().splitlines()


def test_the_plan_of_a_host_is_a_line_for_each_thing_that_is_due() -> None:
    assert planned({"erni-1": ["redis: accept, switch openwebui, retire", "write .env: is missing"]}) == [
        "--> Plan:",
        "erni-1:",
        "    redis: accept, switch openwebui, retire",
        "    write .env: is missing",
    ]


def test_hosts_on_which_the_same_is_due_are_named_together_in_their_order() -> None:
    hosts = {f"erni-{number}": ["start redis"] if number in (2, 10) else [] for number in range(12, 0, -1)}
    assert planned(hosts) == [
        "--> Plan:",
        "erni-1, erni-3 … erni-9, erni-11, erni-12 (10 hosts): nothing to do",
        "erni-2, erni-10:",
        "    start redis",
    ]


def test_hosts_are_only_alike_where_the_same_is_due_in_the_same_order() -> None:
    assert [line for line in planned({"a": ["x", "y"], "b": ["y", "x"]}) if line.endswith(":")] == ["--> Plan:", "a:", "b:"]


def test_a_fleet_on_which_nothing_is_due_is_one_line() -> None:
    assert planned({f"erni-{number}": [] for number in range(1, 301)}) == [
        "--> Plan:", "erni-1 … erni-300 (300 hosts): nothing to do",
    ]  # fmt: skip


def test_a_problem_is_shown_like_all_else_that_is_due() -> None:
    assert planned({"a": ["engine: could not be observed. Nothing is changed"]})[1:] == [
        "a:", "    engine: could not be observed. Nothing is changed",
    ]  # fmt: skip


def test_the_plan_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    show_plan({"a": ()})
    out, error = capsys.readouterr()
    assert (out, error) == ("", "--> Plan:\na: nothing to do\n")
