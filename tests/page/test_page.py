"""The report's page in a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from operations.report import RunReport
from operations.report.model import HostReport, Service, Step
from operations.report.page import page
from operations.stack.changes import Change, Difference
from operations.stack.check import Check, Verdict

from .chromium import Chromium
from .fleets import HOSTILE, NOW, fleet, host

Saved = Callable[[RunReport], Path]

# Every text that can be seen whose contrast with what lies behind it is too low: WCAG 2.1, 1.4.3
FAINT = """(() => {
  const parse = (colour) => (colour.match(/[\\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, n) => sum + v * [0.2126, 0.7152, 0.0722][n], 0);
  const ground = (element) => {
    const rect = element.parentNode.querySelector?.(":scope > rect");
    if (element.tagName === "text" && rect) return parse(getComputedStyle(rect).fill);
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const faint = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility() || element.closest(".hidden, script, title")) continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(parse(element.tagName === "text" ? style.fill : style.color)), light(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faint.add(`${texts.currentNode.data.trim().slice(0, 30)} ${ratio.toFixed(2)} ${element.className}`);
  }
  return [...faint];
})()"""
OPEN_ALL = 'for (const one of document.querySelectorAll("details")) one.open = true; document.querySelector("#fleet .link").click()'
ODD_TABLES = """[...document.querySelectorAll("table")].filter((table) => !(table.caption?.textContent
  && [...table.tHead.querySelectorAll("th")].every((head) => head.scope)
  && [...table.tBodies[0].rows].every((row) => row.cells[0].scope === "row"))).map((table) => table.outerHTML.slice(0, 200))"""
ROWS = '[...document.querySelectorAll("#fleet tbody tr")].map((row) => [...row.cells].map((cell) => cell.innerText.trim()))'


def shown(chromium: Chromium) -> str:
    return str(chromium.ask('document.getElementById("shown").textContent'))


def focused(chromium: Chromium) -> str:
    return str(chromium.ask("document.activeElement.textContent.trim() || document.activeElement.id"))


def search(chromium: Chromium, text: str) -> None:
    chromium.ask('document.getElementById("search").select()')
    chromium.type(text)


@pytest.mark.parametrize("report", [fleet(3), fleet(3, 2), fleet(200, 9), fleet(0)], ids=["fine", "broken", "many", "none"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_loads_from_disk_asks_nobody_and_can_be_read(chromium: Chromium, saved: Saved, report: RunReport, dark: bool) -> None:
    path = saved(report)
    chromium.open(path, dark=dark)
    assert chromium.complaints == []
    assert chromium.requested == [path.as_uri()]
    assert chromium.ask(FAINT) == []
    assert chromium.ask("getComputedStyle(document.body).backgroundColor") == ("rgb(18, 21, 26)" if dark else "rgb(247, 248, 250)")


def test_equal_hosts_share_a_row(chromium: Chromium, saved: Saved) -> None:
    chromium.open(saved(fleet(200, 9)))
    rows = chromium.ask(ROWS)
    assert len(rows) == 5
    assert sum(int(row[0].split()[-2]) for row in rows) == 200


def test_the_filter_by_text(chromium: Chromium, saved: Saved) -> None:
    chromium.open(saved(fleet(200, 9)))
    search(chromium, "ERNI-18")
    assert shown(chromium) == "11 of 200 hosts"
    search(chromium, "redis.ping erni-18")
    assert shown(chromium) == "2 of 200 hosts"  # erni-18 and erni-180
    assert chromium.ask('document.querySelectorAll("#timeline tbody tr").length') == 2
    search(chromium, "no such host")
    assert shown(chromium) == "0 of 200 hosts"
    search(chromium, "timed out")
    assert shown(chromium) == "6 of 200 hosts"
    assert chromium.complaints == []


def test_the_filter_by_status_with_the_keyboard(chromium: Chromium, saved: Saved) -> None:
    chromium.open(saved(fleet(200, 9)))
    chromium.ask('document.getElementById("search").focus()')
    chromium.press("Tab")
    chromium.press("ArrowRight", "ArrowRight", "ArrowRight")
    assert chromium.ask("document.activeElement.value") == "failed"
    assert shown(chromium) == "16 of 200 hosts"
    assert [row[1] for row in chromium.ask(ROWS)] == ["✗ failed"]
    before = chromium.ask('document.querySelectorAll("#fleet thead th").length')
    chromium.press("Tab", "Space")
    assert chromium.ask('document.querySelectorAll("#fleet thead th").length') == 4 < before  # host, status and what failed


def test_a_host_opens_and_closes_with_the_keyboard(chromium: Chromium, saved: Saved) -> None:
    chromium.open(saved(fleet(3, 2)))
    chromium.ask('[...document.querySelectorAll("#fleet button.link")].find((one) => one.textContent === "erni-2").focus()')
    chromium.press("Enter")
    assert chromium.ask('document.getElementById("host").open')
    assert focused(chromium) == "Close"
    text = chromium.ask('document.getElementById("host").innerText')
    for word in (
        "erni-2",
        "running, unhealthy",
        "The disk is nearly full",
        "Credentials: every other password is refused",
        "skipped",
    ):
        assert word in text
    assert chromium.ask(FAINT) == []
    chromium.press("Escape")
    assert not chromium.ask('document.getElementById("host").open')
    assert focused(chromium) == "erni-2"


def test_the_first_tab_skips_to_the_results_and_focus_can_be_seen(chromium: Chromium, saved: Saved) -> None:
    chromium.open(saved(fleet(3, 2)))
    seen = []
    for _ in range(12):
        chromium.press("Tab")
        seen.append(focused(chromium))
        box = "const box = document.activeElement.closest('.chip') ?? document.activeElement"
        assert chromium.ask(f"(() => {{ {box}; return getComputedStyle(box).outlineStyle }})()") == "solid", seen
    assert seen[0] == "Skip to the results"
    assert "erni-2" in seen


def test_tables_can_be_followed_without_seeing_them(chromium: Chromium, saved: Saved) -> None:
    chromium.open(saved(fleet(3, 2)))
    chromium.ask(
        'for (const one of document.querySelectorAll("details")) one.open = true; document.querySelector("#fleet .link").click()'
    )
    assert chromium.ask(ODD_TABLES) == []
    failed = 'document.querySelector("#fleet td.failed:not(.status) .hidden").textContent'
    assert chromium.ask(failed) == "failed"
    graph = chromium.ask('[...document.querySelectorAll("#services .hidden li")].map((one) => one.textContent)')
    assert "redis: running, unhealthy; waits for watchtower" in graph
    tree = chromium.call("Accessibility.getFullAXTree")["nodes"]
    unnamed = [
        node["role"]["value"]
        for node in tree
        if node.get("role", {}).get("value") in ("button", "link", "radio", "checkbox", "searchbox", "dialog", "region", "table")
        and not node.get("name", {}).get("value")
    ]
    assert unnamed == []


WARNED = Check("disk.space", Verdict.WARNING, "400 MB free on /opt", "It fills.", "Make room.")
PING = Check("redis.ping", Verdict.FAILED, "NOAUTH", "The ACL is another one.", "Run the deploy again.")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_warning_is_shown_and_the_host_is_well(chromium: Chromium, saved: Saved, dark: bool) -> None:
    hosts = (host("erni-1", "ok", WARNED), host("erni-2", "ok", Check("disk.space", Verdict.OK, "9 GB free")))
    chromium.open(saved(RunReport("20261124T150102Z-3f9a", NOW, NOW, {}, hosts)), dark=dark)
    assert chromium.ask('document.querySelector("h1").innerText') == "✓ All 2 hosts are well, with 1 warning"
    (card,) = chromium.ask('[...document.querySelectorAll("#failures .card")].map((one) => [one.className, one.innerText])')
    assert card[0] == "card warning"
    for word in ("! disk.space warning", "erni-1", "400 MB free on /opt", "It fills.", "Make room."):
        assert word in card[1]
    assert [row[2] for row in chromium.ask(ROWS)] == ["!\nwarning", "✓\nok"]
    assert chromium.ask(FAINT) == []
    search(chromium, "it fills")
    assert shown(chromium) == "1 of 2 hosts"
    chromium.ask('document.getElementById("bad-only").click()')
    assert chromium.ask('document.querySelectorAll("#fleet thead th").length') == 3


def test_warnings_stand_behind_failures(chromium: Chromium, saved: Saved) -> None:
    chromium.open(saved(RunReport("20261124T150102Z-3f9a", NOW, NOW, {}, (host("erni-1", "failed", WARNED, PING),))))
    heads = chromium.ask('[...document.querySelectorAll("#failures h3")].map((one) => one.innerText)')
    assert heads == ["✗ redis.ping failed", "! disk.space warning"]


@pytest.mark.parametrize(
    ("took", "labels", "told"),
    [
        (0.001, ["0 ms", "1 ms"], "1 ms"),
        (0.34, ["0 ms", "100 ms", "200 ms", "300 ms", "400 ms"], "340 ms"),
        (2.6, ["0 s", "0.5 s", "1 s", "1.5 s", "2 s", "2.5 s", "3 s"], "2.60 s"),
        (41, ["0 s", "10 s", "20 s", "30 s", "40 s", "50 s"], "41.0 s"),
        (119.6, ["0 s", "20 s", "40 s", "60 s", "80 s", "100 s", "120 s"], "2 min 0 s"),
        (435, ["0 min", "2 min", "4 min", "6 min", "8 min"], "7 min 15 s"),
        (9000, ["0 min", "30 min", "60 min", "90 min", "120 min", "150 min"], "2 h 30 min"),
        (40000, ["0 h", "2 h", "4 h", "6 h", "8 h", "10 h", "12 h"], "11 h 6 min"),
    ],
)
@pytest.mark.parametrize("width", [1280, 360])
def test_the_time_axis_has_a_unit_that_fits_the_run(
    chromium: Chromium, saved: Saved, took: float, labels: list[str], told: str, width: int
) -> None:
    steps = (Step("Services run", "changed", NOW, NOW + timedelta(seconds=took)),)
    report = RunReport("20261124T150102Z-3f9a", NOW, NOW + timedelta(seconds=took), {}, (HostReport("erni-1", "ok", steps=steps),))
    chromium.open(saved(report), width=width, height=740)
    assert chromium.ask('[...document.querySelectorAll(".ticks span")].map((one) => one.textContent)') == labels
    assert chromium.ask('document.querySelector("#timeline tbody .took").textContent') == told
    # the bar ends where the axis says, which ends with its last label
    ends = chromium.ask(
        """(() => {
      const right = (place) => document.querySelector(place).getBoundingClientRect().right;
      const axis = document.querySelector(".bars svg").getBoundingClientRect();
      return [(right(".bars rect") - axis.left) / axis.width, right(".ticks span:last-child") - axis.right];
    })()"""
    )
    last = float(labels[-1].split()[0]) * {"ms": 0.001, "s": 1, "min": 60, "h": 3600}[labels[-1].split()[1]]
    assert ends[0] == pytest.approx(took / last, abs=0.01)
    assert ends[1] == pytest.approx(0, abs=1)
    assert chromium.ask("document.documentElement.scrollWidth") <= width


def test_it_fits_a_phone(chromium: Chromium, saved: Saved) -> None:
    chromium.open(saved(fleet(200, 9)), width=360, height=740)
    assert chromium.ask("document.documentElement.scrollWidth") <= 360
    chromium.ask('document.querySelector("#timeline .link").click()')
    assert chromium.ask('document.getElementById("host").scrollWidth') <= 360


def test_it_prints_whole_and_on_white(chromium: Chromium, saved: Saved) -> None:
    chromium.open(saved(fleet(60, 9)), dark=True, media="print")
    assert chromium.ask("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert chromium.ask(FAINT) == []
    chromium.look()
    assert chromium.ask('document.querySelectorAll("#timeline tbody tr").length') == 40
    assert chromium.printed().startswith(b"%PDF")
    assert chromium.ask('document.querySelectorAll("#timeline tbody tr").length') == 58  # nothing ran on the others


def hostile() -> RunReport:
    """A host that says the same bad thing wherever it has a say."""
    bad = HOSTILE
    checks = tuple(Check(f"{bad}{v}", v, bad, bad, bad) for v in Verdict)
    whole = HostReport(
        name=bad,
        status="failed",
        changes=(bad,),
        checks=checks,
        error=bad,
        steps=(Step(bad, "failed", NOW, NOW), Step(bad, "skipped")),
        services=(Service(bad, bad, bad, (bad,)), Service("b", bad, bad, (bad,))),
        files=(Change(bad, (bad,), True, (Difference(bad, bad, bad),)),),
    )
    return RunReport("20261124T150102Z-3f9a", NOW, NOW, {bad: bad, "odd": "\udcff"}, (whole, HostReport("__proto__", "ok")))


def test_what_a_host_says_cannot_run(chromium: Chromium, saved: Saved) -> None:
    path = saved(hostile())
    chromium.open(path)
    chromium.ask(
        'for (const one of document.querySelectorAll("details")) one.open = true; document.querySelector("#fleet .link").click()'
    )
    assert chromium.ask("document.title") == "1 of 2 hosts is not well · 20261124T150102Z-3f9a"
    assert chromium.ask('document.querySelectorAll("img").length') == 0
    assert chromium.ask("document.scripts.length") == 2
    assert chromium.ask('document.getElementById("failures").innerText.includes("<img src=x")')
    assert chromium.complaints == []
    assert chromium.requested == [path.as_uri()]


def test_nothing_but_its_own_script_may_run(chromium: Chromium, saved: Saved) -> None:
    path = saved(fleet(3))
    path.write_text(
        path.read_text().replace("</body>", "<script>document.title = 'pwned'</script><img src=http://127.0.0.1:1/></body>")
    )
    chromium.open(path)
    assert chromium.ask("document.title") != "pwned"
    assert any("Content Security Policy" in complaint for complaint in chromium.complaints)


@pytest.mark.parametrize(("report", "size"), [(fleet(1000, 9), 0.6), (fleet(1000, unlike=True), 3)], ids=["alike", "unlike"])
def test_a_thousand_hosts_are_small_and_quick(chromium: Chromium, saved: Saved, report: RunReport, size: float) -> None:
    path = saved(report)
    assert path.stat().st_size < size * 1e6
    chromium.call("Performance.enable", timeDomain="threadTicks")  # the page's own work, however busy the machine is
    chromium.open(path)
    search(chromium, "erni-77")
    assert shown(chromium) == "11 of 1000 hosts"
    spent = {each["name"]: each["value"] for each in chromium.call("Performance.getMetrics")["metrics"]}["TaskDuration"]
    assert spent < 2
    assert chromium.complaints == []


def test_more_rows_come_when_they_are_asked_for(chromium: Chromium, saved: Saved) -> None:
    chromium.open(saved(fleet(150, unlike=True)))
    seen = []
    for _ in range(3):
        rows, more = 'document.querySelectorAll("#fleet tbody tr").length', 'document.querySelector("#fleet > div > .more")'
        seen.append((chromium.ask(rows), chromium.ask(f"{more}.checkVisibility() && {more}.textContent")))
        chromium.ask(f"{more}.click()")
    assert seen == [(60, "Show 60 more of 90"), (120, "Show 30 more of 30"), (150, False)]


def test_without_scripts_it_says_where_to_look() -> None:
    assert "<noscript>" in page(fleet(1))
    assert json.loads(page(fleet(1)).split('id="data">')[1].split("</script>")[0])["checks"]
