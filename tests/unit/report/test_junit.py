"""The report as CI systems read it."""

from __future__ import annotations

from xml.etree import ElementTree as xml

from operations.report import HostReport, RunReport
from operations.report.junit import junit
from operations.stack.check import Check, Verdict
from tests.page.fleets import HOSTILE, NOW

OK = Check("files.in_sync", Verdict.OK, "as wanted")
PING = Check("redis.ping", Verdict.FAILED, "NOAUTH", "The ACL is another one.", "Run the deploy again.")
UNASKED = Check("openwebui.health", Verdict.UNKNOWN, "was not asked")
SKIPPED = Check("clock.skew", Verdict.SKIPPED, "by a setting")
WARNED = Check("disk.space", Verdict.WARNING, "400 MB free", "It fills.", "Make room.")


def read(*hosts: HostReport) -> xml.Element:
    return xml.fromstring(junit(RunReport("20261124T150102Z-3f9a", NOW, NOW, {}, hosts)))


def host(*checks: Check, **more: str) -> HostReport:
    return HostReport("erni-1", "failed" if checks[1:] else "ok", checks=checks, **more)  # type: ignore[arg-type]


def test_a_host_is_a_suite_and_a_check_a_case() -> None:
    (suite,) = read(host(OK, PING, UNASKED, SKIPPED))
    assert [(case.get("classname"), case.get("name"), [fault.tag for fault in case]) for case in suite] == [
        ("erni-1", "files.in_sync", []),
        ("erni-1", "redis.ping", ["failure"]),
        ("erni-1", "openwebui.health", ["error"]),
        ("erni-1", "clock.skew", ["skipped"]),
    ]
    assert {name: suite.get(name) for name in ("name", "tests", "failures", "errors", "skipped")} == {
        "name": "erni-1", "tests": "4", "failures": "1", "errors": "1", "skipped": "1",
    }  # fmt: skip


def test_a_failure_holds_detail_cause_and_remedy() -> None:
    fault = read(host(OK, PING)).find(".//failure")
    assert fault is not None
    assert fault.get("message") == "NOAUTH"
    assert fault.text == "Found: NOAUTH\nCause: The ACL is another one.\nRemedy: Run the deploy again."


def test_a_warning_passes_and_is_told() -> None:
    (suite,) = read(HostReport("erni-1", "ok", checks=(OK, WARNED)))
    assert [suite.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["2", "0", "0", "0"]
    assert [(part.tag, part.text, part.attrib) for case in suite for part in case] == [
        ("system-out", "Warning\nFound: 400 MB free\nCause: It fills.\nRemedy: Make room.", {})
    ]


def test_all_suites_are_counted() -> None:
    root = read(host(OK, PING), host(OK, UNASKED), host(OK))
    assert (root.get("tests"), root.get("failures"), root.get("errors"), root.get("skipped")) == ("5", "1", "1", "0")


def test_an_unreachable_host_is_an_error() -> None:
    (suite,) = read(HostReport("erni-1", "unreachable", error="timed out"))
    (case,) = suite
    assert (case.get("name"), case[0].tag, case[0].get("message"), case[0].text) == ("run", "error", "unreachable", "timed out")


def test_a_host_that_failed_although_its_checks_are_ok_is_an_error() -> None:
    (suite,) = read(HostReport("erni-1", "failed", checks=(OK,)))
    assert [fault.tag for case in suite for fault in case] == ["error"]


def test_a_host_without_checks_passes_with_one_case() -> None:
    (suite,) = read(HostReport("erni-1", "ok"))
    assert [(case.get("name"), len(case)) for case in suite] == [("run", 0)]


def test_what_xml_cannot_hold_is_replaced() -> None:
    odd = Check("a", Verdict.FAILED, f"\x1b[2J\0\ud800\ufffe{HOSTILE}]]>")
    fault = read(host(OK, odd)).find(".//failure")
    assert fault is not None
    assert fault.get("message", "").startswith("\ufffd[2J\ufffd\ufffd\ufffd</script>")
