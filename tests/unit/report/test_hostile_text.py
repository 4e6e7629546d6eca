"""Whatever a host says, no face of the report holds a control character or markup of its making."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from xml.etree import ElementTree as xml

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from operations.report import RunReport
from operations.report.mask import masked
from operations.stack.check import Verdict
from tests.unit.report.test_mask import faces, run, telling

MARKS = [
    "\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "[bold red]x[/]", "[/]", "</script>", "<!--", "<script>alert(1)</script>", "]]>",
    '" onload="x', "'", "\n##fleet:end\n", "\r", "\u202e", "\u2066", "\ud800", "\x00", "\ufffe", "%s", "{{ 7 * 7 }}",
]  # fmt: skip
FORM = "it said {} and more"
hostile = st.lists(st.sampled_from(MARKS) | st.text(max_size=5), min_size=1, max_size=6).map("".join)


class Elements(HTMLParser):
    """What a browser would make of the page: its elements, and what its JSON says."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.data, self._in = "", False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(f"{tag} {' '.join(name for name, _ in attrs)}")
        self._in = tag == "script" and ("id", "data") in attrs

    def handle_data(self, data: str) -> None:
        self.data += data if self._in else ""

    def handle_endtag(self, tag: str) -> None:
        self._in = False


HARMLESS = Elements(faces(run(telling("x", FORM)))["html"]).found


@given(hostile)
@example("".join(MARKS))
def test_no_face_can_be_steered(said: str) -> None:
    report = run(telling(said, FORM))
    shown = faces(masked(report, {"a-secret"}))
    for name, text in shown.items():
        assert all(c.isprintable() or c == "\n" for c in text), name
        text.encode()  # no lone surrogate
    assert RunReport.from_dict(json.loads(shown["json"])) == report
    page = Elements(shown["html"])
    assert page.found == HARMLESS
    assert report.hosts[0].to_dict()["checks"][0] in json.loads(page.data)["pool"]
    cases = xml.fromstring(shown["xml"]).findall(".//testcase")
    assert [case.get("classname") for case in cases] == ["erni-1"] * (len(Verdict) + 1)
    lines = shown["prom"].splitlines()
    assert len(lines) == len(set(lines))
    assert all(line.startswith(("# ", "pyinfra_compose_")) for line in lines)


@given(hostile)
def test_a_field_of_one_line_stays_one(said: str) -> None:
    (host,) = run(telling(said, FORM)).hosts
    texts = [*host.changes, *(text for check in host.checks for text in (check.id, check.detail, check.cause, check.remedy))]
    assert all(text is not None and text.isprintable() for text in texts)


@pytest.mark.parametrize("markup", ["[bold red]x[/]", "[/]", "[link=file:///etc]y[/link]", ":skull:"])
def test_markup_is_shown_and_not_read(markup: str) -> None:
    terminal = faces(run(telling(markup, FORM)))["terminal"]
    assert terminal.count(f"it said {markup} and more") >= 4


def test_what_could_not_be_asked_is_told_with_its_cause_on_every_face() -> None:
    shown = faces(run(telling("why it is so", FORM)))
    for name in ("json", "html", "xml", "terminal"):
        assert "check.unknown" in shown[name]
        assert "why it is so" in shown[name]
