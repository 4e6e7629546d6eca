"""Declared checks: what is asked for each kind, and which answer is the one that is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from operations.stack.probes import KINDS, Probe, probe, problems

WRITTEN: Mapping[str, Mapping[str, Any]] = {
    "http": {"http": "http://x/health", "status": 200},
    "metric": {"metric": "up", "url": "http://x/metrics", "equals": 1},
    "websocket": {"websocket": "http://x/ws"},
    "tcp": {"tcp": "127.0.0.1:80"},
    "command": {"command": ["nginx", "-t"], "exit": 0},
    "log": {"log": "upstream timed out"},
}
TARGETS = {
    "http": ("http://x/health",),
    "metric": ("http://x/metrics", "up"),
    "websocket": ("http://x/ws",),
    "tcp": ("127.0.0.1:80",),
    "command": ("nginx", "-t"),
    "log": ("upstream timed out",),
}
EXPECTED = {"http": "200", "metric": "1", "websocket": "connected", "tcp": "open", "command": "0", "log": "0"}


def test_every_kind_is_shown_here() -> None:
    assert WRITTEN.keys() == TARGETS.keys() == EXPECTED.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_read_as_it_is_written(kind: str) -> None:
    check = {"id": "web.x", "cause": "why", "remedy": "what now", **WRITTEN[kind]}
    assert list(problems(check)) == []
    assert probe("web", check) == Probe("web.x", "web", kind, TARGETS[kind], EXPECTED[kind], "equals", "why", "what now")


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        ({"websocket": "wss://x/ws"}, "a: websocket: 'wss://x/ws' does not begin with http://, and nothing else is asked."),
        (
            {"metric": 'up{job="x"}', "url": "http://x", "equals": 1},
            "a: metric: 'up{job=\"x\"}' is no metric's name. Leave its labels out.",
        ),
    ],
)
def test_what_could_never_be_answered_is_a_problem(check: dict[str, Any], problem: str) -> None:
    assert list(problems({"id": "a", **check})) == [problem]


@pytest.mark.parametrize("comparison", ["equals", "above", "below"])
def test_a_metric_is_compared_as_it_is_written(comparison: str) -> None:
    check = {"id": "a", "metric": "up", "url": "http://x", comparison: 100}
    assert list(problems(check)) == []
    found = probe("web", check)
    assert (found.compare, found.expected) == (comparison, "100")


@pytest.mark.parametrize(
    ("compare", "expected", "answer", "good"),
    [
        ("equals", "200", "200", True),
        ("equals", "200", "503", False),
        ("equals", "200", "", False),
        ("equals", "1", "1.0", True),
        ("equals", "1", "1e0", True),
        ("equals", "1", "NaN", False),
        ("equals", "connected", "connected", True),
        ("equals", "connected", "opened and refused", False),
        ("equals", "open", "", False),
        ("equals", "0", "0", True),
        ("equals", "0", "3", False),
        ("above", "100", "100.5", True),
        ("above", "100", "100", False),
        ("above", "100", "", False),
        ("above", "100", "many", False),
        ("above", "100", "+Inf", True),
        ("below", "100", "99", True),
        ("below", "100", "100", False),
        ("below", "100", "", False),
        ("below", "100", "NaN", False),
    ],
)
def test_only_the_answer_that_is_wanted_is_good(compare: str, expected: str, answer: str, good: bool) -> None:
    assert Probe("a", "web", "metric", ("x",), expected, compare).good(answer) is good


@pytest.mark.parametrize("kind", KINDS)
def test_no_answer_is_never_good(kind: str) -> None:
    assert not probe("web", {"id": "a", **WRITTEN[kind]}).good("")
