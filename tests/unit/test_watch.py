"""`watch` looks again and again, and changes nothing."""

from __future__ import annotations

import argparse

import pytest

from operations.controller import console, watch


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Each look: the operation; the second one finds something wrong."""
    found: list[tuple[str, ...]] = []

    def look(_given: argparse.Namespace, *words: str) -> int:
        found.append(words)
        return 1 if len(found) == 2 else 0

    monkeypatch.setattr(console, "run", look)
    return found


def test_it_looks_as_often_as_asked_and_goes_on_where_something_is_wrong(
    looks: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    assert watch.main(["--every", "15m", "--times", "3"]) == 0
    assert looks == [("checks.validate",)] * 3
    assert [round(one) for one in slept] == [900, 900]


def test_its_status_is_that_of_the_last_look(looks: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    assert watch.main(["--times", "2"]) == 1


def test_ctrl_c_ends_it(looks: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", interrupted)
    assert watch.main([]) == 0


@pytest.mark.parametrize("text", ["15", "0m", "1d", "m", "1.5h"])
def test_what_is_no_time_is_told(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        watch.main(["--every", text])
    assert "is no time, expected one such as 30s, 15m or 2h" in capsys.readouterr().err
