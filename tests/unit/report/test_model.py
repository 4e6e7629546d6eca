"""The report as an object, and its published JSON form."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.report import HostReport, RunReport, Status, run_id
from operations.stack.check import Check, Verdict

SCHEMA: dict[str, Any] = json.loads((Path(__file__).parents[3] / "docs" / "report.schema.json").read_text())
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
hosts = st.builds(
    HostReport,
    name=texts,
    status=st.sampled_from(["ok", "changed", "failed", "unreachable"]),
    changes=st.lists(texts, max_size=3).map(tuple),
    checks=st.lists(checks, max_size=3).map(tuple),
    error=st.none() | texts,
)
times = st.datetimes(timezones=st.sampled_from([timezone.utc, timezone(timedelta(hours=2))]))
runs = st.builds(
    RunReport,
    id=st.builds(run_id, st.just(NOW)),
    started=times.filter(lambda time: time.year > 1),
    finished=times.filter(lambda time: time.year > 1),
    versions=st.dictionaries(texts, texts, max_size=3),
    hosts=st.lists(hosts, max_size=3, unique_by=lambda host: host.name).map(tuple),
    dry=st.booleans(),
)


def run(*hosts: HostReport) -> RunReport:
    return RunReport("20261124T150102Z-3f9a", NOW, NOW, {}, hosts)


def host(status: Status, *verdicts: Verdict) -> HostReport:
    return HostReport("a", status, checks=tuple(Check(f"c{n}", verdict, "") for n, verdict in enumerate(verdicts)))


@given(runs)
def test_every_report_keeps_the_schema_and_can_be_read_back(report: RunReport) -> None:
    text = json.dumps(report.to_dict())
    jsonschema.validate(json.loads(text), SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    assert RunReport.from_dict(json.loads(text)) == report


def test_the_schema_itself_is_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("where", ["run", "host", "check"])
def test_the_schema_refuses_what_it_does_not_describe(where: str) -> None:
    data = run(host("ok", Verdict.OK)).to_dict()
    {"run": data["run"], "host": data["hosts"]["a"], "check": data["hosts"]["a"]["checks"][0]}[where]["more"] = 1
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


def test_a_run_without_a_host_is_not_ok() -> None:
    assert not run().ok


def test_a_run_id_holds_the_time_and_differs() -> None:
    east = NOW.astimezone(timezone(timedelta(hours=3)))
    ids = {run_id(east) for _ in range(20)}
    assert len(ids) > 15
    assert all(name.startswith("20261124T150102Z-") and len(name) == 21 for name in ids)
