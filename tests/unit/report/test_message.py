"""What people are told of a run, and when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operations.report import HostReport, RunReport
from operations.report.message import Message, message, states
from operations.stack.check import Check, Verdict
from tests.page.fleets import NOW

PING = Check("redis.ping", Verdict.FAILED, "NOAUTH, expected PONG")
WELL, CHANGED = HostReport("a", "ok"), HostReport("a", "changed", changes=("wrote compose.d/redis.yml", "restarted redis"))
BAD, AWAY = HostReport("a", "failed", checks=(PING,)), HostReport("a", "unreachable", error="no route to host\nand more")


def run(*hosts: HostReport) -> RunReport:
    return RunReport("20261124T150102Z-3f9a", NOW, NOW, {}, hosts)


def told(now: HostReport, before: HostReport | None = None, always: bool = False) -> Message | None:
    return message(run(now, HostReport("b", "ok")), states(run(before)) if before else {}, "https://reports/x.html", always)


@pytest.mark.parametrize(
    ("now", "before", "title", "line", "kind"),
    [
        (CHANGED, WELL, "2 hosts ok, 1 changed", "a: 2 changes: wrote compose.d/redis.yml; restarted redis", "success"),
        (BAD, WELL, "1 host of 2 failed", "a: failed: redis.ping: NOAUTH, expected PONG", "failure"),
        (BAD, None, "1 host of 2 failed", "a: failed: redis.ping: NOAUTH, expected PONG", "failure"),
        (BAD, AWAY, "1 host of 2 failed", "a: failed: redis.ping: NOAUTH, expected PONG", "failure"),
        (AWAY, BAD, "1 host of 2 failed", "a: unreachable: no route to host", "failure"),
        (WELL, BAD, "2 hosts ok", "a: well again", "success"),
    ],
)
def test_news_are_told(now: HostReport, before: HostReport | None, title: str, line: str, kind: str) -> None:
    assert told(now, before) == Message(title, f"{line}\nReport: https://reports/x.html", kind)


@pytest.mark.parametrize(("now", "before"), [(WELL, None), (WELL, WELL), (WELL, CHANGED), (BAD, BAD), (AWAY, AWAY)])
def test_what_is_as_it_was_is_told_only_where_all_is_asked_for(now: HostReport, before: HostReport | None) -> None:
    assert told(now, before) is None
    assert told(now, before, always=True) is not None


def test_a_preview_is_no_news() -> None:
    assert message(replace(run(CHANGED), dry=True), {}, "", always=True) is None


def test_a_large_fleet_is_folded() -> None:
    found = message(run(*(HostReport(f"h{n}", "unreachable", error="x" * 1000) for n in range(300))), {}, "https://reports/x.html")
    assert found is not None
    *hosts, more, _ = found.body.splitlines()
    assert (len(hosts), more) == (20, "and 280 more")
    assert max(map(len, hosts)) == 300
