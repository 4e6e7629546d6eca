"""The report as JUnit XML for CI systems: a suite for each host, a case for each check."""

from __future__ import annotations

from xml.etree import ElementTree as xml

from ..stack.check import Check, Verdict
from ..stack.text import clean
from .model import HostReport, RunReport

_FAULTS = {Verdict.FAILED: "failure", Verdict.UNKNOWN: "error", Verdict.SKIPPED: "skipped"}
_COUNTS = {"failure": "failures", "error": "errors", "skipped": "skipped"}


def junit(report: RunReport) -> str:
    """The XML as text.

    A check that failed is a failure; one that could not be asked, a host that was not reached or that ended otherwise is an error.
    A warning passes, and is told in the case's `system-out`.
    """
    suites = [_suite(host, report) for host in report.hosts]
    counts = {name: str(sum(int(suite.get(name, "0")) for suite in suites)) for name in ("tests", *_COUNTS.values())}
    root = xml.Element("testsuites", {"name": "pyinfra-compose", **counts, "time": f"{report.duration:.3f}"})
    root.extend(suites)
    xml.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{xml.tostring(root, encoding="unicode")}\n'


def _suite(host: HostReport, report: RunReport) -> xml.Element:
    cases = [_case(host, check.id, *_told(check)) for check in host.checks]
    if host.error or not (host.ok or host.bad_checks):
        cases.append(_case(host, "run", "error", host.status, host.error or "no reason was given"))
    elif not cases:
        cases.append(_case(host, "run"))
    counts = {_COUNTS[fault]: str(sum(case.find(fault) is not None for case in cases)) for fault in _COUNTS}
    attributes = {"name": clean(host.name), "tests": str(len(cases)), **counts}
    attributes |= {"time": f"{host.duration or 0:.3f}", "timestamp": report.started.isoformat(timespec="seconds")}
    suite = xml.Element("testsuite", attributes)
    suite.extend(cases)
    return suite


def _told(check: Check) -> tuple[str, ...]:
    lines = (("Found", check.detail), ("Cause", check.cause), ("Remedy", check.remedy))
    text = "\n".join(f"{label}: {text}" for label, text in lines if text)
    if check.verdict is Verdict.WARNING:
        return "system-out", "", f"Warning\n{text}"
    return (_FAULTS[check.verdict], check.detail, text) if check.verdict in _FAULTS else ()


def _case(host: HostReport, name: str, part: str = "", message: str = "", text: str = "") -> xml.Element:
    case = xml.Element("testcase", {"classname": clean(host.name), "name": name})
    if part:
        xml.SubElement(case, part, {"message": message} if message else {}).text = text
    return case
