"""Why a host's run failed, for its report and its history."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from operations.controller import failure, run
from operations.report.mask import known
from operations.stack.settings import Settings

SECRET = "Marker_Password-0123456789abcdef"


def reason(*sentences: str) -> str:
    host = cast(Any, SimpleNamespace(name="erni-1", op_hash_order=[], log_styled=lambda *_, **__: None))
    failure.note(host, *sentences)
    return run.Run(cast(Any, None), Settings()).reason(host)


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failure, "failures", {})
    monkeypatch.setattr(run, "failures", failure.failures)


def test_what_was_met_is_one_line() -> None:
    assert reason("redis was away", "the files\nwere put back\x1b[2J") == "redis was away; the files were put back\ufffd[2J"


@pytest.mark.parametrize("before", range(460, 500, 5))
def test_a_secret_where_it_is_cut_is_masked_first(before: int) -> None:
    known.add(SECRET)
    told = reason(f"{'x' * before}{SECRET}")
    assert len(told) <= 500
    assert "Marker" not in told
