"""Engine, Project, Probe, Logs, Machine, Metrics and Literals: the facts that tell a few lines each."""

from __future__ import annotations

import time

import pytest

from operations.facts.engine import Engine
from operations.facts.logs import Logs
from operations.facts.machine import Literals, Machine, Metrics
from operations.facts.probe import Probe
from operations.facts.project import Project
from operations.stack.snapshot import UNKNOWN, SeenEngine, SeenLog, SeenMachine, SeenProject
from tests.unit.facts.answers import read

# Engine


@pytest.mark.parametrize(
    ("lines", "engine"),
    [
        (
            ["docker=yes", "curl=yes", "server=28.2.2", "compose=2.26.1-4"],
            SeenEngine(cli=True, server="28.2.2", compose="2.26.1-4", curl=True),
        ),
        (
            ["docker=yes", "curl=no", "server=", "compose="],
            SeenEngine(cli=True, server=None, compose=None, curl=False),
        ),
        (
            ["docker=no", "curl=yes", "server=", "compose="],
            SeenEngine(cli=False, server=None, compose=None, curl=True),
        ),
    ],
)
def test_engine_tells_what_is_there_and_in_which_version(lines: list[str], engine: SeenEngine) -> None:
    assert read(Engine(), *lines) == engine


@pytest.mark.parametrize("missing", ["docker", "curl", "server", "compose"])
def test_engine_is_unknown_when_a_line_is_missing(missing: str) -> None:
    lines = ["docker=yes", "curl=yes", "server=28.2.2", "compose=2.26.1-4"]
    assert read(Engine(), *(line for line in lines if not line.startswith(missing))) is UNKNOWN


@pytest.mark.parametrize(("server", "knows"), [("28.2.2", True), ("25.0.0", True), ("24.0.9", False), (None, False)])
def test_engines_from_25_on_know_start_interval(server: str | None, knows: bool) -> None:
    assert SeenEngine(cli=True, server=server, compose=None, curl=True).start_interval is knows


# Project and Probe


def test_project_tells_hashes_and_dependencies() -> None:
    lines = ["hash\twatchtower\tw1", "hash\tredis\tr1", "hash\tweb\tb1", "needs\tweb\tredis", "needs\tweb\twatchtower"]
    assert read(Project(), *lines, "needs\tredis\twatchtower") == SeenProject(
        definitions={"watchtower": "w1", "redis": "r1", "web": "b1"},
        needs={"watchtower": (), "redis": ("watchtower",), "web": ("redis", "watchtower")},
    )


def test_project_tells_who_can_start_it() -> None:
    assert read(Project(), "hash\tweb\tb1", "starts\tcompose\t") == SeenProject({"web": "b1"}, {"web": ()}, "compose")


@pytest.mark.parametrize(("lines", "answer"), [(["200"], "200"), ([], ""), (["1", "0"], "1")])
def test_probe_tells_the_first_value_or_none(lines: list[str], answer: str) -> None:
    assert read(Probe(), *lines) == answer


# Logs, Machine, Literals, Metrics


def test_logs_tell_refused_logins_and_the_last_error_lines_of_each_service() -> None:
    lines = [
        "auth\topenwebui\t3\t",
        "auth\tredis\t0\t",
        "line\topenwebui\t2026-11-24T15:00:00\tERROR a\tb",
        "line\topenwebui\t2026-11-24T15:00:01\tERROR c",
    ]
    assert read(Logs(), *lines) == {
        "openwebui": SeenLog(3, ("ERROR a\tb", "ERROR c")), "redis": SeenLog(0, ()),
    }  # fmt: skip


def test_what_a_service_complains_about_while_another_is_replaced_does_not_count() -> None:
    times = ["14:59:59", "15:00:00", "15:00:05", "15:00:06"]
    lines = [f"line\tweb\t2026-11-24T{time}\t{time}" for time in times]
    assert read(Logs(), "auth\tweb\t0\t2026-11-24T15:00:00", *lines)["web"].errors == ("15:00:06",)


def test_a_machine_tells_its_clock_and_its_free_space() -> None:
    before = time.time()
    seen = read(Machine(), f"time\t{before + 30}", "free\t/\t2", "free\t/var\t1000")
    assert isinstance(seen, SeenMachine)
    assert seen.free == {"/": 2048, "/var": 1_024_000}
    assert seen.time == before + 30
    assert 29 < seen.ahead <= 30


@pytest.mark.parametrize("lines", [["free\t/\t2"], ["time\t1700000000.5"], ["time\t", "free\t/\t2"], ["time\t1", "free\t/\t-"]])
def test_a_machine_without_a_clock_or_a_disk_is_unknown(lines: list[str]) -> None:
    assert read(Machine(), *lines) is UNKNOWN


def test_metrics_are_told_with_their_labels() -> None:
    assert read(Metrics(), "redis_up 1", 'redis_errors_total{err="WRONG PASS"} 3e2') == {
        "redis_up": 1.0, 'redis_errors_total{err="WRONG PASS"}': 300.0,
    }  # fmt: skip


def test_literals_are_told_by_file_and_line() -> None:
    assert read(Literals(), "compose.yml\t3", "compose.d/a b.yml\t12") == (("compose.yml", 3), ("compose.d/a b.yml", 12))
