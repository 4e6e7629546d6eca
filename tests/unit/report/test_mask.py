"""The report never holds a secret: its faces show what the model has, and that is fingerprints, and masked once more."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace

import pytest

from operations.report import HostReport, RunReport
from operations.report.junit import junit
from operations.report.mask import MASK, masked
from operations.report.model import Service, Step
from operations.report.page import page
from operations.report.prometheus import metrics
from operations.report.terminal import show
from operations.stack.changes import Change, Difference
from operations.stack.check import Check, Verdict
from operations.stack.plan import plan
from operations.stack.snapshot import UNKNOWN, Snapshot
from operations.stack.verdicts import checks
from tests.page.fleets import NOW
from tests.unit.stack.hosts import (
    OLD_PASSWORD,
    PASSWORD,
    Drift,
    a_stack,
    bare,
    converged,
    sha256,
    with_acl_on_disk,
    with_password_file_of,
    with_redis,
)

STACK = a_stack()


def run(host: HostReport) -> RunReport:
    return RunReport("20261124T150102Z-3f9a", NOW, NOW, {"pyinfra": "3.10.0"}, (host,))


def faces(report: RunReport) -> dict[str, str]:
    terminal = io.StringIO()
    show(report, terminal, 400)
    return {
        "json": json.dumps(report.to_dict(), ensure_ascii=False),
        "html": page(report),
        "xml": junit(report),
        "prom": metrics(report),
        "terminal": terminal.getvalue(),
    }


def telling(secret: str) -> HostReport:
    """A host that has the secret in every text that it could have a say in."""
    said = f"dial redis://:{secret}@redis:6379: refused"
    return HostReport(
        name="erni-1",
        status="failed",
        changes=(said,),
        checks=tuple(Check(f"check.{verdict}", verdict, said, said, said) for verdict in Verdict),
        error=said,
        steps=(Step(said, "failed", NOW, NOW),),
        services=(Service("redis", said, said, (said,)),),
        files=(Change(said, (said,), True, (Difference(said, said, said),)),),
    )


@pytest.mark.parametrize("secret", [PASSWORD, "a+b/c=$(x).*[", "zwölf Zeichen"])
def test_no_face_holds_a_secret_that_a_host_said(secret: str) -> None:
    told = faces(run(telling(secret)))
    assert all(secret in told[face] for face in ("json", "terminal"))  # so the search can find it
    for name, text in faces(masked(run(telling(secret)), {secret})).items():
        assert secret not in text
        assert name == "prom" or MASK in text


def test_a_secret_that_holds_another_goes_as_a_whole() -> None:
    assert masked(run(telling("abcdef")), {"abcd", "abcdef"}).hosts[0].error == f"dial redis://:{MASK}@redis:6379: refused"


def test_nothing_else_is_touched() -> None:
    report = run(telling("something"))
    assert masked(report, ()).to_dict() == masked(report, {"", "a", "elsewhere"}).to_dict() == report.to_dict()


def with_other_keys(seen: Snapshot) -> Snapshot:
    assert seen.env is not UNKNOWN
    return replace(seen, env={path: dict.fromkeys(keys or {}, sha256(OLD_PASSWORD)) for path, keys in seen.env.items()})


@pytest.mark.parametrize(
    "drift",
    [
        with_password_file_of(OLD_PASSWORD),
        with_acl_on_disk(sha256(OLD_PASSWORD)),
        with_redis(hashes=(sha256(OLD_PASSWORD), sha256(PASSWORD))),
        with_redis(login="WRONGPASS invalid username-password pair"),
        with_other_keys,
        lambda _: bare(STACK),
    ],
)
def test_what_is_planned_and_found_is_told_in_fingerprints(drift: Drift) -> None:
    seen = drift(converged(STACK))
    due = plan(STACK, seen)
    assert due.due or due.problems or not all(check.verdict.good for check in checks(STACK, seen))
    host = HostReport("erni-1", "failed", tuple(due.sentences()), checks(STACK, seen), files=due.files)
    for name, text in faces(run(host)).items():
        assert PASSWORD not in text
        assert OLD_PASSWORD not in text
        if name != "html":  # the page names its own script and style by their hash
            assert not re.search(r"[0-9a-f]{13,}", text), name
        assert sha256(PASSWORD) not in text
