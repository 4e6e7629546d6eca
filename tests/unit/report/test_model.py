"""The report as an object, and its published JSON form."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operations.report import HostReport, RunReport, Status, run_id
from operations.report.model import Result, Service, Step
from operations.stack.changes import Change, Difference
from operations.stack.check import Check, Verdict

SCHEMA: dict[str, Any] = json.loads((Path(__file__).parents[3] / "docs" / "report.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
NOW = datetime(2026, 11, 24, 15, 1, 2, tzinfo=timezone.utc)

texts = st.text(max_size=20)
checks = st.builds(
    Check,
    id=st.text(min_size=1, max_size=20),
    verdict=st.sampled_from(Verdict),
    detail=texts,
    cause=st.none() | texts,
    remedy=st.none() | texts,
)
times = st.datetimes(min_value=datetime(2, 1, 1), timezones=st.sampled_from([timezone.utc, timezone(timedelta(hours=2))]))
fingerprints = st.none() | st.text("0123456789abcdef", min_size=12, max_size=12)
files = st.builds(
    Change,
    path=texts,
    reasons=st.lists(texts, max_size=2).map(tuple),
    content=st.booleans(),
    differences=st.lists(st.builds(Difference, key=texts, before=fingerprints, after=fingerprints), max_size=2).map(tuple),
)
steps = st.builds(Step, name=texts, result=st.sampled_from(get_args(Result)), started=st.none() | times, finished=st.none() | times)
services = st.builds(
    Service, name=st.text(min_size=1, max_size=9), state=texts, health=texts, needs=st.lists(texts, max_size=2).map(tuple)
)
hosts = st.builds(
    HostReport,
    name=texts,
    status=st.sampled_from(["ok", "changed", "failed", "unreachable"]),
    changes=st.lists(texts, max_size=3).map(tuple),
    checks=st.lists(checks, max_size=3).map(tuple),
    error=st.none() | texts,
    steps=st.lists(steps, max_size=2).map(tuple),
    services=st.lists(services, max_size=2).map(tuple),
    files=st.lists(files, max_size=2).map(tuple),
    password_changed=st.none() | st.floats(0, 1e10),
)
runs = st.builds(
    RunReport,
    id=st.builds(run_id, st.just(NOW)),
    started=times,
    finished=times,
    versions=st.dictionaries(texts, texts, max_size=3),
    hosts=st.lists(hosts, max_size=3, unique_by=lambda host: host.name).map(tuple),
    dry=st.booleans(),
)


def run(*hosts: HostReport) -> RunReport:
    return RunReport("20261124T150102Z-3f9a", NOW, NOW, {}, hosts)


def host(status: Status, *verdicts: Verdict) -> HostReport:
    return HostReport("a", status, checks=tuple(Check(f"c{n}", verdict, "") for n, verdict in enumerate(verdicts)))


def rich() -> HostReport:
    return replace(
        host("ok", Verdict.OK),
        steps=(Step("One", "changed", NOW, NOW + timedelta(seconds=2)), Step("Two", "skipped")),
        services=(Service("redis", "running", "healthy", ("watchtower",)),),
        files=(Change(".env", ("A differs",), True, (Difference("A", None, "0" * 12),)),),
    )


@settings(deadline=None)  # the machine may be busy
@given(runs)
def test_every_report_keeps_the_schema_and_can_be_read_back(report: RunReport) -> None:
    text = json.dumps(report.to_dict())
    VALIDATOR.validate(json.loads(text))
    again = RunReport.from_dict(json.loads(text))
    assert again == report
    assert again.to_dict() == report.to_dict()  # what is not compared, too


def test_the_schema_itself_is_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("where", ["checks", "steps", "services", "files", None])
def test_the_schema_refuses_what_it_does_not_describe(where: str | None) -> None:
    data = run(rich()).to_dict()
    jsonschema.validate(data, SCHEMA)
    (data["hosts"]["a"][where][0] if where else data["run"])["more"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, SCHEMA)


@pytest.mark.parametrize("status", ["ok", "changed"])
@pytest.mark.parametrize("verdicts", [(), (Verdict.OK,), (Verdict.OK, Verdict.SKIPPED)])
def test_a_run_is_ok_when_every_host_and_every_check_is(status: Status, verdicts: tuple[Verdict, ...]) -> None:
    assert run(host(status, *verdicts)).ok


@pytest.mark.parametrize(
    "bad",
    [
        host("failed", Verdict.OK),
        host("unreachable"),
        host("ok", Verdict.OK, Verdict.FAILED),
        host("changed", Verdict.UNKNOWN),
        HostReport("a", "ok", error="it broke"),
    ],
)
def test_one_bad_host_makes_the_run_bad(bad: HostReport) -> None:
    assert not run(host("ok", Verdict.OK), bad).ok


def test_a_host_takes_from_its_first_step_to_its_last() -> None:
    assert rich().duration == 2
    assert host("ok").duration is None


@pytest.mark.parametrize("full", ["the-Password", "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"])
def test_the_schema_takes_fingerprints_only(full: str) -> None:
    data = run(replace(host("ok"), files=(Change(".env", (), True, (Difference("A", None, full),)),))).to_dict()
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, SCHEMA)


def test_a_run_without_a_host_is_not_ok() -> None:
    assert not run().ok


def test_a_run_id_holds_the_time_and_differs() -> None:
    east = NOW.astimezone(timezone(timedelta(hours=3)))
    ids = {run_id(east) for _ in range(20)}
    assert len(ids) > 15
    assert all(name.startswith("20261124T150102Z-") and len(name) == 21 for name in ids)
