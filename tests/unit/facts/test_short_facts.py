"""Engine, Project, Probe, Logs, Machine, Metrics and Literals: the facts that tell a few lines each."""

from __future__ import annotations

import json
import time

import pytest

from operations.facts.engine import Engine
from operations.facts.logs import Logs
from operations.facts.machine import Literals, Machine, Metrics
from operations.facts.probe import Probe
from operations.facts.project import Project
from operations.stack.snapshot import UNKNOWN, SeenEngine, SeenLiteral, SeenLog, SeenMachine, SeenProject
from tests.unit.facts.answers import encoded, read

# Engine


@pytest.mark.parametrize(
    ("lines", "engine"),
    [
        (
            ["docker=yes", "bash=yes", "curl=yes", "jq=yes", "server=28.2.2", "podman=no", "compose=2.26.1-4"],
            SeenEngine(cli=True, server="28.2.2", compose="2.26.1-4", curl=True),
        ),
        (
            ["docker=yes", "bash=no", "curl=no", "jq=yes", "server=", "podman=yes", "compose="],
            SeenEngine(cli=True, server=None, compose=None, curl=False, bash=False, podman=True),
        ),
        (
            ["docker=no", "bash=yes", "curl=yes", "jq=no", "server=", "podman=no", "compose="],
            SeenEngine(cli=False, server=None, compose=None, curl=True, jq=False),
        ),
    ],
)
def test_engine_tells_what_is_there_and_in_which_version(lines: list[str], engine: SeenEngine) -> None:
    assert read(Engine(), *lines) == engine


@pytest.mark.parametrize("missing", ["docker", "curl", "jq", "server", "podman", "compose"])
def test_engine_is_unknown_when_a_line_is_missing(missing: str) -> None:
    lines = ["docker=yes", "bash=yes", "curl=yes", "jq=yes", "server=28.2.2", "podman=no", "compose=2.26.1-4"]
    assert read(Engine(), *(line for line in lines if not line.startswith(missing))) is UNKNOWN


@pytest.mark.parametrize(("server", "knows"), [("28.2.2", True), ("25.0.0", True), ("24.0.9", False), (None, False)])
def test_engines_from_25_on_know_start_interval(server: str | None, knows: bool) -> None:
    assert SeenEngine(cli=True, server=server, compose=None, curl=True).start_interval is knows


# Project and Probe


PROJECT = {"definitions": {"redis": "r1", "web": "b1"}, "needs": {"redis": [], "web": ["redis"]}, "starter": "compose"}


def test_project_tells_hashes_and_dependencies_and_who_can_start_it() -> None:
    assert read(Project(), json.dumps(PROJECT)) == SeenProject(
        {"redis": "r1", "web": "b1"}, {"redis": (), "web": ("redis",)}, "compose"
    )


@pytest.mark.parametrize("field", [{"definitions": ["x"]}, {"definitions": {"a": 1}}, {"needs": {"a": [1]}}, {"starter": None}])
def test_a_project_of_another_form_is_unknown(field: dict[str, object]) -> None:
    assert read(Project(), json.dumps(PROJECT | field)) is UNKNOWN


@pytest.mark.parametrize(
    ("lines", "answer"), [(["200"], "200"), ([], ""), (["1", "0"], UNKNOWN), (["\x1b[2J"], UNKNOWN), (["a" * 41], UNKNOWN)]
)
def test_probe_tells_one_short_value_or_none(lines: list[str], answer: object) -> None:
    assert read(Probe(), *lines) == answer


# Logs, Machine, Literals, Metrics


def container(service: str = "web", **fields: object) -> dict[str, object]:
    return {"service": service, "started": "2026-11-24T14:00:00", "running": True, "refused": 0, "errors": [], **fields}


def test_logs_tell_refused_logins_and_the_last_error_lines_of_each_service() -> None:
    errors = [["2026-11-24T15:00:00", "ERROR a"], ["2026-11-24T15:00:01", "ERROR c"]]
    assert read(Logs(), json.dumps([container(refused=3, errors=errors), container("redis")])) == {
        "web": SeenLog(3, ("ERROR a", "ERROR c")), "redis": SeenLog(0, ()),
    }  # fmt: skip


def test_the_containers_of_one_service_are_told_together() -> None:
    errors = [[["2026-11-24T15:00:00", f"ERROR {name} {number}"] for number in range(15)] for name in "ab"]
    found = read(Logs(), json.dumps([container(refused=1, errors=one) for one in errors]))["web"]
    assert found.refused == 2
    assert found.errors == (*(f"ERROR a {n}" for n in range(10, 15)), *(f"ERROR b {n}" for n in range(15)))


def test_what_a_service_complains_about_while_another_is_replaced_does_not_count() -> None:
    errors = [[f"2026-11-24T{time}", time] for time in ("14:59:59", "15:00:00", "15:00:05", "15:00:06")]
    said = [container(errors=errors), container("redis", started="2026-11-24T15:00:00")]
    assert read(Logs(), json.dumps(said))["web"].errors == ("15:00:06",)


def test_no_sign_that_steers_a_terminal_is_told() -> None:
    said = [container(errors=[["2026-11-24T15:00:00", "ERROR \x9b2J\u202eabc\x1b\x07ü"]])]
    assert read(Logs(), json.dumps(said))["web"].errors == ("ERROR ?2J?abc??ü",)


@pytest.mark.parametrize(
    "said", ["", "null", "{}", "[7]", json.dumps([container(refused="x")]), json.dumps([container(errors=[7])])]
)
def test_logs_of_another_form_are_unknown(said: str) -> None:
    assert read(Logs(), said) in (UNKNOWN, {})


def table(*rows: str) -> str:
    head = "Filesystem     1024-blocks      Used Available Capacity Mounted on\n"
    return encoded(head + "".join(f"/dev/vda 264212084 26958524 {row}\n" for row in rows))


def test_a_machine_tells_its_clock_and_its_free_space() -> None:
    before = time.time()
    seen = read(Machine(), f"{before + 30}", table("2 25% /", "    1000 - /var/a b"))
    assert isinstance(seen, SeenMachine)
    assert seen.free == {"/": 2048, "/var/a b": 1_024_000}
    assert seen.time == before + 30
    assert 29 < seen.ahead <= 30


@pytest.mark.parametrize(
    "lines", [[table("2 1% /")], ["1700000000"], ["", table("2 1% /")], ["1", table("- 1% /")], ["1", table()]]
)
def test_a_machine_without_a_clock_or_a_disk_is_unknown(lines: list[str]) -> None:
    assert read(Machine(), *lines) is UNKNOWN


def test_metrics_are_told_with_their_labels() -> None:
    assert read(Metrics(), encoded('redis_up 1\nredis_errors_total{err="WRONG PASS"} 3e2\n')) == {
        "redis_up": 1.0, 'redis_errors_total{err="WRONG PASS"}': 300.0,
    }  # fmt: skip
    assert read(Metrics()) == {}


def test_literals_are_told_by_file_and_line() -> None:
    assert read(Literals(), encoded("3 0 compose.yml\n\n12 1 compose.d/a b%0A%25.yml\n")) == (
        SeenLiteral("compose.yml", 3), SeenLiteral("compose.d/a b\n%.yml", 12, previous=True),
    )  # fmt: skip
    assert read(Literals(), "") == read(Literals()) == ()
