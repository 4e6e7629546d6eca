"""The report never holds a secret: its faces show what the model has, and that is fingerprints, and masked once more."""

from __future__ import annotations

import base64
import io
import json
import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from operations.report import HostReport, RunReport
from operations.report.junit import junit
from operations.report.mask import MASK, Mask, masked
from operations.report.model import Service, Step
from operations.report.page import page
from operations.report.prometheus import metrics
from operations.report.terminal import show
from operations.stack.changes import Change, Difference
from operations.stack.check import Check, Verdict
from operations.stack.plan import plan
from operations.stack.snapshot import UNKNOWN, Snapshot
from operations.stack.text import clean
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


def telling(secret: str, form: str = "dial redis://:{}@redis:6379: refused") -> HostReport:
    """A host that has the secret in every text that it could have a say in."""
    said = form.format(secret)
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
    report = run(telling("something", "it is {}"))
    assert masked(report, ()).to_dict() == masked(report, {"", "a", "elsewhere"}).to_dict() == report.to_dict()


FORMS: list[Callable[[str], str]] = [
    str,
    lambda secret: json.dumps({"said": secret}),
    lambda secret: json.dumps([secret], ensure_ascii=False),
    quote,
    lambda secret: quote(secret, safe=""),
    lambda secret: quote_plus(secret).replace("%2F", "%2f"),
    shlex.quote,
    lambda secret: f"export A={shlex.quote(f'1 {secret}')}",
    *(
        lambda secret, before=before, encode=encode: encode(f"{before}{secret}:more".encode()).decode()
        for before in ("", "a", "ab", "user:")
        for encode in (base64.b64encode, base64.urlsafe_b64encode)
    ),
]


@given(st.text(min_size=12, max_size=30), st.sampled_from(FORMS))
@example("a+b/c=$(x).*[ 'q\"\\", FORMS[6])
@example("ends with a break\n", FORMS[0])
@example("0000000\n000\x1f", FORMS[0])
def test_a_secret_is_masked_in_every_form(secret: str, form: Callable[[str], str]) -> None:
    assume(len(clean(secret).strip("\ufffd ")) > 8)
    told = masked(run(HostReport("erni-1", "failed", error=f"it said {form(secret)} and more")), {secret}).hosts[0].error
    assert MASK in str(told)
    assert len(str(told)) < len(f"it said {MASK} and more") + 50


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("redis://:a@redis:6379/0", f"redis://:{MASK}@redis:6379/0"),
        ("postgresql://me:a/b@c@db/x", f"postgresql://me:{MASK}@db/x"),
        ("URL='https://u:p@ss@h' next a@b", f"URL='https://u:{MASK}@h' next a@b"),
        ("see https://docs.docker.com/a?b=c for a@b", "see https://docs.docker.com/a?b=c for a@b"),
        ("7 URLs are redis://:<password>@<host>:<port>", "7 URLs are redis://:<password>@<host>:<port>"),
    ],
)
def test_a_password_in_a_url_is_masked_whoever_it_belongs_to(said: str, shown: str) -> None:
    assert Mask()(said) == shown


def test_a_secret_of_several_lines_is_masked_where_a_line_of_it_is_told() -> None:
    mask = Mask(["-----BEGIN KEY-----\nMIIEvQIBADANBgkq\n-----END KEY-----"])
    assert "MIIEvQ" not in mask("line 2: MIIEvQIBADANBgkq")


def test_a_colour_in_the_middle_of_a_secret_does_not_hide_it() -> None:
    error = masked(run(HostReport("a", "failed", error="it is abc\x1b[31mdefgh")), {"abcdefgh"}).hosts[0].error
    assert error == f"it is {MASK}"


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
